"""Chooses the embedding of the background, which is left out before instances are clustered (step 2).

The released rule takes the median of all pixels, which is one of the background where it covers more than
half of the frames. Cells that cover more move the median away from it, and the whole background is then taken
for cells. The background has one embedding wherever it is, while cells that are neighbours have different
ones; so the direction that the most pixels share is that of the background also where cells cover more. This
module knows embeddings only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cosembed.specs import ClusteringSpec

# So many pixels, evenly spread, are tried as the densest direction.
TRIED = 2000
# Pixels whose cosine to a direction is above this share it.
SHARED = 0.9
# So often the direction is moved to the mean of the pixels that share it.
MOVES = 3


def choose_background(pair: NDArray[np.float32], spec: ClusteringSpec) -> NDArray[np.float32]:
    """Gives the embedding of the background by the rule of a spec.

    Args:
        pair: float32 [F, H, W, D], unit length; the first frame pair of a video.
        spec: Its `background` names the rule.

    Returns:
        float32 [D].
    """
    if spec.background == "fixed":
        return np.eye(1, pair.shape[-1], dtype=np.float32)[0]
    return densest_direction(pair) if spec.background == "densest" else background_embedding(pair)


def background_embedding(pair: NDArray[np.float32]) -> NDArray[np.float32]:
    """Computes the median of every channel over all pixels, as the released code does.

    Args:
        pair: float32 [F, H, W, D], unit length.

    Returns:
        float32 [D]; not normalised again, so that it is shorter than 1.
    """
    channels = np.ascontiguousarray(pair.reshape(-1, pair.shape[-1]).T)
    return np.median(channels, axis=1).astype(np.float32)


def densest_direction(pair: NDArray[np.float32]) -> NDArray[np.float32]:
    """Finds the direction that the most pixels share, by moving the best of some pixels' to their mean.

    Args:
        pair: float32 [F, H, W, D], unit length.

    Returns:
        float32 [D], unit length, or 0 if all embeddings are. The same pair always gives the same.
    """
    pixels = pair.reshape(-1, pair.shape[-1])
    tried = pixels[np.linspace(0, len(pixels) - 1, min(TRIED, len(pixels))).astype(np.intp)]
    direction = tried[(tried @ tried.T > SHARED).sum(axis=1).argmax()]
    for _ in range(MOVES):
        sharing = pixels @ direction > SHARED
        if not sharing.any():
            # A network that gives 0 everywhere has no direction.
            break
        mean = pixels[sharing].mean(axis=0, dtype=np.float64)
        direction = (mean / np.linalg.norm(mean)).astype(np.float32)
    return direction

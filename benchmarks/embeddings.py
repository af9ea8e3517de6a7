"""Makes synthetic embeddings whose instances are known, to test and time clustering. It knows no network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def embeddings_of(
    labels: NDArray, dimensions: int = 8, noise: float = 0.05, seed: int = 0, blur: float = 0.0
) -> NDArray[np.float32]:
    """Embeds labels as unit vectors with noise: axis 0 for background, another axis per label.

    Args:
        labels: int [T, H, W]; 0 is background.
        dimensions: D; labels that differ by a multiple of D - 1 share an axis.
        noise: Standard deviation added to every value.
        seed: Decides the noise.
        blur: Sigma in pixels of the transition at borders, such as a network's outputs have.

    Returns:
        float32 [T, H, W, D].
    """
    axes = np.where(labels > 0, 1 + labels % (dimensions - 1), 0)
    clean = ndimage.gaussian_filter(np.eye(dimensions)[axes], (0, blur, blur, 0))
    vectors = clean + np.random.default_rng(seed).normal(0, noise, clean.shape)
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def wandering_cells(frames: int, side: int, count: int, radius: float, seed: int) -> NDArray[np.int64]:
    """Draws discs on a jittered grid that move about a pixel a frame; where two meet, each keeps its side.

    Args:
        frames: Number of frames T.
        side: Side of the square frames, in pixels.
        count: Number of discs.
        radius: Radius of a disc, in pixels.
        seed: Decides places and motion.

    Returns:
        Labels int64 [T, side, side]; 0 is background.
    """
    generator = np.random.default_rng(seed)
    places = int(np.ceil(np.sqrt(count)))
    corners = np.indices((places, places)).reshape(2, -1).T[generator.permutation(places**2)[:count]]
    centres = (corners + 0.5 + generator.uniform(-0.2, 0.2, (count, 2))) * side / places
    steps = generator.normal(0, 0.7, (count, 2))
    rows, columns = np.mgrid[:side, :side]
    labels = np.zeros((frames, side, side), np.int64)
    for frame in range(frames):
        nearest = np.full((side, side), radius)
        for label, (y, x) in enumerate(centres + frame * steps, start=1):
            distance = np.hypot(rows - y, columns - x)
            labels[frame][distance < nearest] = label
            nearest = np.minimum(nearest, distance)
    return labels

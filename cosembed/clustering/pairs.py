"""Instances of one frame pair from its embeddings (paper section 2.3; released code). Knows nothing of the rest of the video.

Pixels close to the background embedding are left out, the rest is clustered with HDBSCAN on embedding and scaled
coordinates, and every cluster is split into its connected components.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from skimage import measure

from cosembed.clustering.grid import cluster_on_grid
from cosembed.clustering.points import NOISE
from cosembed.specs import ClusteringSpec

# In mode `auto`, the pixel grid is used from this many points on.
FAST_FROM = 100
# The grid is as coarse as leaves about this many points to the smallest cluster, and at most MAX_STRIDE: a coarser one
# costs little less, and finds the gaps between touching instances less well, so that fewer points there are noise.
FAST_POINTS = 50
MAX_STRIDE = 3


def background_embedding(pair: NDArray[np.float32]) -> NDArray[np.float32]:
    """Per-channel median over all pixels of a pair [F, H, W, D] -> [D]; not normalised again (released code)."""
    channels = np.ascontiguousarray(pair.reshape(-1, pair.shape[-1]).T)
    return np.median(channels, axis=1).astype(np.float32)


def cluster_pair(
    pair: NDArray[np.float32], background: NDArray[np.float32], spec: ClusteringSpec
) -> NDArray[np.int32]:
    """Labels the instances of overlapping frames.

    Args:
        pair: float32 [F, H, W, D], unit length; F is 2, or 1 for a still image.
        background: float32 [D].
        spec: m_pts, coordinate factor, thresholds and mode.

    Returns:
        int32 [F, H, W]; 0 background and noise, instances from 1, the same in both frames.
    """
    foreground, points = foreground_points(pair, background, spec)
    clusters = cluster_on_grid(points, foreground, grid_stride(spec), spec.min_points)
    return instances(clusters, foreground, pair, background, spec)


def foreground_points(
    pair: NDArray[np.float32], background: NDArray[np.float32], spec: ClusteringSpec
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Which pixels are not background [F, H, W], and what they are clustered by [n, D + 2]: embedding, scaled coordinates."""
    foreground = _measure(pair @ background, spec) < spec.background_similarity
    _, rows, columns = np.nonzero(foreground)
    coordinates = spec.coordinate_factor * np.stack([rows, columns], axis=-1)
    # hdbscan and cKDTree compute in float64 whatever they are given.
    return foreground, np.concatenate([pair[foreground], coordinates], axis=-1, dtype=np.float64)


def instances(
    clusters: NDArray[np.intp],
    foreground: NDArray[np.bool_],
    pair: NDArray[np.float32],
    background: NDArray[np.float32],
    spec: ClusteringSpec,
) -> NDArray[np.int32]:
    """Labels as `cluster_pair` returns them, from the cluster of every foreground pixel (-1 is noise)."""
    if spec.background_clusters:
        clusters = _without_background(clusters, pair[foreground], background, spec)
    labels = np.zeros(foreground.shape, np.int32)
    labels[foreground] = clusters + 1
    return _components(labels, spec.size_threshold)


def chosen_mode(spec: ClusteringSpec) -> Literal["exact", "fast"]:
    """What `auto` means for a spec."""
    if spec.mode == "auto":
        return "fast" if spec.min_points >= FAST_FROM else "exact"
    return spec.mode


def grid_stride(spec: ClusteringSpec) -> int:
    """Pixels from one point of the grid that is clustered to the next; 1 is every pixel."""
    return (
        max(1, min(MAX_STRIDE, int(np.sqrt(spec.min_points / FAST_POINTS))))
        if chosen_mode(spec) == "fast"
        else 1
    )


def describe_clustering(spec: ClusteringSpec) -> str:
    """How frame pairs are clustered, for a report."""
    stride = grid_stride(spec)
    pixels = "every pixel" if stride == 1 else f"one pixel in {stride} x {stride}, the others join"
    return f"{chosen_mode(spec)}: {pixels}; at least {spec.min_points} points a cell"


def _without_background(
    clusters: NDArray[np.intp],
    embeddings: NDArray[np.float32],
    background: NDArray[np.float32],
    spec: ClusteringSpec,
) -> NDArray[np.intp]:
    """Turns clusters whose mean direction is the background's into noise."""
    # The sum points where the mean does; bin 0 collects the noise.
    sums = np.stack(
        [np.bincount(clusters + 1, weights=channel, minlength=1) for channel in embeddings.T], axis=-1
    )
    lengths = np.maximum(np.linalg.norm(sums, axis=-1), np.finfo(np.float64).tiny)
    is_background = _measure(sums @ background / lengths, spec) >= spec.background_similarity
    return np.where(is_background[clusters + 1], NOISE, clusters)


def _measure(products: NDArray, spec: ClusteringSpec) -> NDArray:
    return products**2 if spec.background_measure == "squared_dot" else products


def _components(labels: NDArray[np.int32], size_threshold: float) -> NDArray[np.int32]:
    """Connected components (18-neighbourhood in frame, row, column) of at least the threshold's size, numbered from 1."""
    components = measure.label(labels, background=0, connectivity=2)
    sizes = np.bincount(components.ravel())
    large = sizes >= size_threshold
    large[0] = False
    table = np.where(large, np.cumsum(large), 0)
    return table[components].astype(np.int32)

"""Labels the instances of one frame pair from its embeddings (paper section 2.3, and the released code).

Pixels close to the background embedding are left out, the rest is clustered on embedding and scaled
coordinates, with HDBSCAN or by mean shift, and every cluster is split into its connected components. These
are steps 3 to 7 as `cosembed.tracking` numbers them. Knows nothing of the rest of the video.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix
from skimage import measure

from cosembed.clustering.cluster_tree import NOISE
from cosembed.clustering.condensing import cluster_by_clumps, largest_clump
from cosembed.clustering.mean_shift import cluster_by_mean_shift
from cosembed.clustering.points import cluster_points, cluster_points_as_released
from cosembed.specs import ClusteringSpec

# Mode `auto` stands for `fast` from this m_pts on.
FAST_FROM = 100
_CLUSTERERS = {"exact": cluster_points, "fast": cluster_by_clumps, "released": cluster_points_as_released}


def cluster_pair(
    pair: NDArray[np.float32], background: NDArray[np.float32], spec: ClusteringSpec
) -> NDArray[np.int32]:
    """Labels the instances of overlapping frames (steps 3 to 7).

    Args:
        pair: float32 [F, H, W, D], unit length; F is 2, or 1 for a still image.
        background: float32 [D], the embedding of the background.
        spec: Method, coordinate factor, thresholds, and the values of the method.

    Returns:
        int32 [F, H, W]: 0 is background or noise; an instance has the same label, from 1 on, in both frames.
    """
    foreground, points = foreground_points(pair, background, spec)
    if spec.method == "mean_shift":
        clusters = cluster_by_mean_shift(points, spec.bandwidth, spec.seeds, spec.seed)
    else:
        clusters = _CLUSTERERS[choose_mode(spec)](points, spec.min_points)
    return label_instances(clusters, foreground, pair, background, spec)


def foreground_points(
    pair: NDArray[np.float32], background: NDArray[np.float32], spec: ClusteringSpec
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Chooses the pixels to cluster and makes points of them (steps 3 and 4).

    Args:
        pair: float32 [F, H, W, D], unit length.
        background: float32 [D], the embedding of the background.
        spec: Background measure and threshold, coordinate factor.

    Returns:
        Which pixels are not background, bool [F, H, W]; and for these n pixels in the order of frame, row,
        column, the embedding followed by the scaled row and column, float64 [n, D + 2].
    """
    foreground = _background_measure(pair @ background, spec) < spec.background_similarity
    _, rows, columns = np.nonzero(foreground)
    coordinates = spec.coordinate_factor * np.stack([rows, columns], axis=-1)
    # hdbscan and cKDTree compute in float64 whatever they are given.
    return foreground, np.concatenate([pair[foreground], coordinates], axis=-1, dtype=np.float64)


def label_instances(
    clusters: NDArray[np.intp],
    foreground: NDArray[np.bool_],
    pair: NDArray[np.float32],
    background: NDArray[np.float32],
    spec: ClusteringSpec,
) -> NDArray[np.int32]:
    """Drops clusters of background direction and splits the others into components (steps 6 and 7).

    Args:
        clusters: [n], the cluster of every foreground pixel, from 0; -1 is noise.
        foreground: bool [F, H, W], with n pixels.
        pair: float32 [F, H, W, D], unit length.
        background: float32 [D], the embedding of the background.
        spec: Background measure and threshold, size threshold.

    Returns:
        int32 [F, H, W], as `cluster_pair` returns them.
    """
    if spec.background_clusters:
        clusters = _without_background(clusters, pair[foreground], background, spec)
    labels = np.zeros(foreground.shape, np.int32)
    labels[foreground] = clusters + 1
    return split_into_components(labels, spec.size_threshold)


def choose_mode(spec: ClusteringSpec) -> Literal["exact", "fast", "released"]:
    """Returns HDBSCAN's mode of a spec, and for `auto` the one that it stands for."""
    if spec.mode == "auto":
        return "fast" if spec.min_points >= FAST_FROM else "exact"
    return spec.mode


def describe_clustering(spec: ClusteringSpec) -> str:
    """Says for a report how frame pairs are clustered."""
    if spec.method == "mean_shift":
        return (
            f"mean shift from {spec.seeds} seeds, bandwidth {spec.bandwidth:g}; at least "
            f"{spec.size_threshold:g} pixels a cell"
        )
    mode = choose_mode(spec)
    size = largest_clump(spec.min_points) if mode == "fast" else 1
    pixels = "every pixel" if size == 1 else f"up to {size} pixels inside a cell as one"
    return f"HDBSCAN, {mode}: {pixels}; at least {spec.min_points} points a cell"


def _without_background(
    clusters: NDArray[np.intp],
    embeddings: NDArray[np.float32],
    background: NDArray[np.float32],
    spec: ClusteringSpec,
) -> NDArray[np.intp]:
    """Turns clusters whose mean embedding points where the background's does into noise (step 6)."""
    # The sum of embeddings points where their mean does. Row 0 collects the noise.
    members = csc_matrix(
        (np.ones(len(clusters), np.float32), clusters + 1, np.arange(len(clusters) + 1)),
        (clusters.max(initial=NOISE) + 2, len(clusters)),
    )
    sums = (members @ embeddings).astype(np.float64)
    lengths = np.maximum(np.linalg.norm(sums, axis=-1), np.finfo(np.float64).tiny)
    is_background = _background_measure(sums @ background / lengths, spec) >= spec.background_similarity
    return np.where(is_background[clusters + 1], NOISE, clusters)


def _background_measure(products: NDArray, spec: ClusteringSpec) -> NDArray:
    return products**2 if spec.background_measure == "squared_dot" else products


def split_into_components(labels: NDArray[np.int32], size_threshold: float) -> NDArray[np.int32]:
    """Splits labels into connected components and drops the small ones (step 7).

    Args:
        labels: int32 [F, H, W]; 0 is background.
        size_threshold: The least number of pixels, over all frames, of a component that is kept.

    Returns:
        int32 [F, H, W]: components numbered from 1. Pixels are connected if they have one label and differ by
            at most 1 in frame, row and column, and in no more than two of these (the 18-neighbourhood).
    """
    components = measure.label(labels, background=0, connectivity=2)
    sizes = np.bincount(components.ravel())
    large = sizes >= size_threshold
    large[0] = False
    table = np.where(large, np.cumsum(large), 0)
    return table[components].astype(np.int32)

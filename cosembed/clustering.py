"""Instances of one frame pair from its embeddings (paper section 2.3; released code). Knows nothing of the rest of the video.

Pixels close to the background embedding are left out, the rest is clustered with HDBSCAN on embedding and scaled
coordinates, and every cluster is split into its connected components.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from skimage import measure

from cosembed.specs import ClusteringSpec

NOISE = -1
LEAF_SIZE = 25
# In mode `auto`, the pixel grid is used from this many points on.
FAST_FROM = 100
# The grid is as coarse as leaves about this many points to the smallest cluster, and at most MAX_STRIDE: a coarser one
# costs little less, and finds the gaps between touching instances less well, so that fewer points there are noise.
FAST_POINTS = 25
MAX_STRIDE = 3
# A pixel between grid pixels whose nearest ones (this many) agree is as they are; others are clustered by their density.
FAST_NEIGHBOURS = 8
# Bounds the memory of that, in pixels at a time.
CHUNK = 8192


def background_embedding(pair: NDArray[np.float32]) -> NDArray[np.float32]:
    """Per-channel median over all pixels of a pair [F, H, W, D] -> [D]; not normalised again (released code)."""
    return np.median(pair.reshape(-1, pair.shape[-1]), axis=0).astype(np.float32)


def cluster_pair(pair: NDArray[np.float32], background: NDArray[np.float32], spec: ClusteringSpec) -> NDArray[np.int32]:
    """Labels the instances of overlapping frames.

    Args:
        pair: float32 [F, H, W, D], unit length; F is 2, or 1 for a still image.
        background: float32 [D].
        spec: m_pts, coordinate factor, thresholds and mode.

    Returns:
        int32 [F, H, W]; 0 background and noise, instances from 1, the same in both frames.
    """
    foreground, points = foreground_points(pair, background, spec)
    return instances(_cluster(points, foreground, spec), foreground, pair, background, spec)


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
    return max(1, min(MAX_STRIDE, int(np.sqrt(spec.min_points / FAST_POINTS)))) if chosen_mode(spec) == "fast" else 1


def cluster_points(points: NDArray[np.float64], min_points: int) -> NDArray[np.intp]:
    """HDBSCAN with the exact spanning tree, excess of mass, no single cluster.

    Args:
        points: float64 [n, d].
        min_points: min_samples and min_cluster_size.

    Returns:
        Cluster of every point, from 0; -1 is noise.
    """
    return _fit(points, min_points)[0]


def _fit(points: NDArray[np.float64], min_points: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Cluster of every point, and the level (mutual reachability distance) at which the point joins it."""
    # Fewer points cannot make two clusters, and a single one is not allowed.
    if len(points) < 2 * min_points:
        return np.full(len(points), NOISE), np.zeros(len(points))
    # Importing hdbscan takes seconds, which only those who cluster should pay.
    import hdbscan

    clusterer = hdbscan.HDBSCAN(
        min_cluster_size=min_points,
        min_samples=min_points,
        metric="euclidean",
        algorithm="boruvka_kdtree",
        leaf_size=LEAF_SIZE,
        approx_min_span_tree=False,
        # More jobs are processes, which must not be forked once TensorFlow is loaded.
        core_dist_n_jobs=1,
    )
    clusters = clusterer.fit_predict(points).astype(np.intp)
    tree = clusterer.condensed_tree_.to_numpy()
    joined = tree[tree["child_size"] == 1]
    levels = np.zeros(len(points))
    levels[joined["child"]] = 1 / joined["lambda_val"]
    return clusters, levels


def _cluster(points: NDArray[np.float64], foreground: NDArray[np.bool_], spec: ClusteringSpec) -> NDArray[np.intp]:
    """Cluster of every point; in mode `fast`, HDBSCAN sees the points of a pixel grid, and the others join its clusters."""
    stride = grid_stride(spec)
    _, rows, columns = np.nonzero(foreground)
    on_grid = (rows % stride == 0) & (columns % stride == 0)
    min_points = round(spec.min_points / stride**2)
    sampled, levels = _fit(points[on_grid], min_points)
    clusters = np.full(len(points), NOISE)
    clusters[on_grid] = sampled
    if not on_grid.all() and sampled.max(initial=NOISE) != NOISE:
        clusters[on_grid], clusters[~on_grid] = _join(points[~on_grid], points[on_grid], sampled, levels, min_points)
    return clusters


def _join(
    points: NDArray[np.float64],
    grid: NDArray[np.float64],
    sampled: NDArray[np.intp],
    sampled_levels: NDArray[np.float64],
    min_points: int,
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Clusters of the grid's points and of the points between them, as HDBSCAN defines clusters.

    A point belongs to the cluster that it reaches at the lowest level, unless the cluster has ended there. A cluster ends
    where its last grid point joins, or sooner: where a point between reaches it and another one, for there the two are one.
    """
    tree = cKDTree(grid, leafsize=LEAF_SIZE)
    nearest = sampled[tree.query(points, FAST_NEIGHBOURS, workers=-1)[1]]
    clusters = nearest[:, 0].copy()
    divided = (nearest != nearest[:, :1]).any(axis=1)
    chunks = np.array_split(points[divided], 1 + np.count_nonzero(divided) // CHUNK)
    reached = [_two_lowest(tree, chunk, sampled, sampled_levels, min_points) for chunk in chunks]
    first, first_level, second, second_level = (np.concatenate(column) for column in zip(*reached, strict=True))
    ends = np.zeros(sampled.max() + 2)
    np.maximum.at(ends, sampled, sampled_levels)
    ends[NOISE] = 0
    for cluster in (first, second):
        np.minimum.at(ends, cluster, second_level)
    clusters[divided] = np.where(first_level <= ends[first], first, NOISE)
    return np.where(sampled_levels <= ends[sampled], sampled, NOISE), clusters


def _two_lowest(
    tree: cKDTree, points: NDArray[np.float64], sampled: NDArray[np.intp], sampled_levels: NDArray[np.float64], min_points: int
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """The two clusters that every point reaches at the lowest levels, each followed by the level; infinite is none."""
    distances, neighbours = tree.query(points, min_points, workers=-1)
    # The last distance is the core distance.
    levels = np.maximum(np.maximum(distances, sampled_levels[neighbours]), distances[:, -1:])
    clusters = sampled[neighbours]
    levels[clusters == NOISE] = np.inf
    every = np.arange(len(points))
    best = levels.argmin(axis=1)
    first, first_level = clusters[every, best], levels[every, best]
    levels[clusters == first[:, None]] = np.inf
    best = levels.argmin(axis=1)
    return first, first_level, clusters[every, best], levels[every, best]


def _without_background(
    clusters: NDArray[np.intp], embeddings: NDArray[np.float32], background: NDArray[np.float32], spec: ClusteringSpec
) -> NDArray[np.intp]:
    """Turns clusters whose mean direction is the background's into noise."""
    # The sum points where the mean does; bin 0 collects the noise.
    sums = np.stack([np.bincount(clusters + 1, weights=channel, minlength=1) for channel in embeddings.T], axis=-1)
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

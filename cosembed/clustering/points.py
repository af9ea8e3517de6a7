"""Clusters points with HDBSCAN: every point for itself, or by the call of the released code.

Knows points only, not what they stand for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering.cluster_tree import NOISE, cut_clusters
from cosembed.clustering.density import squared_core_distances
from cosembed.clustering.search_tree import LEAF_SIZE, SearchTree, build_search_tree
from cosembed.clustering.spanning_tree import spanning_tree

# As in the released code.
RELEASED_LEAF_SIZE = 25


def cluster_points(points: NDArray[np.float64], min_points: int) -> NDArray[np.int64]:
    """Clusters points with HDBSCAN: exact spanning tree, excess of mass, no single cluster (step 5).

    Args:
        points: float64 [n, d].
        min_points: m_pts, at least 2; both HDBSCAN's `min_samples` (the point itself not counted) and its
            `min_cluster_size`.

    Returns:
        [n], the cluster of every point, from 0; -1 is noise.
    """
    if not can_have_clusters(len(points), min_points):
        return np.full(len(points), NOISE)
    tree = build_search_tree(points, LEAF_SIZE)
    ones, zeros = np.ones(len(points)), np.zeros(len(points))
    cores = squared_core_distances(tree, np.ones(len(tree.begins), np.bool_), tree, ones, zeros, min_points)
    return cluster_by_core_distances(tree, cores, ones, min_points)[0]


def cluster_by_core_distances(
    tree: SearchTree, squared_cores: NDArray[np.float64], weights: NDArray[np.float64], min_points: int
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Clusters the weighted points of a tree whose core distances are known.

    Args:
        tree: The n points.
        squared_cores: float64 [n], their squared core distances, by place.
        weights: float64 [n], by place, as `cut_clusters` takes them.
        min_points: The least weight of a cluster.

    Returns:
        Clusters [n] and levels float64 [n], as `cut_clusters` returns them, in the order in which the points
        were given to the tree.
    """
    clusters, levels = np.empty(len(weights), np.int64), np.empty(len(weights))
    clusters[tree.order], levels[tree.order] = cut_clusters(
        spanning_tree(tree, squared_cores), weights, min_points
    )
    return clusters, levels


def cluster_points_as_released(points: NDArray[np.float64], min_points: int) -> NDArray[np.int64]:
    """Clusters points by the library call of the released code, whose spanning tree is approximate.

    Args:
        points: float64 [n, d].
        min_points: m_pts, as in `cluster_points`.

    Returns:
        [n], the cluster of every point, from 0; -1 is noise.
    """
    # Importing hdbscan takes seconds, which only those who use it should wait for.
    import hdbscan

    if not can_have_clusters(len(points), min_points):
        return np.full(len(points), NOISE)
    clusterer = hdbscan.HDBSCAN(
        min_cluster_size=min_points,
        min_samples=min_points,
        metric="l2",
        algorithm="boruvka_kdtree",
        leaf_size=RELEASED_LEAF_SIZE,
    )
    return clusterer.fit_predict(points).astype(np.int64)


def can_have_clusters(count: int, min_points: int) -> bool:
    """Tells whether points are enough for two clusters, since a single one is not allowed."""
    return count >= 2 * min_points

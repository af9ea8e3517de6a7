"""Clusters points with HDBSCAN over an exact spanning tree, found by whichever way is faster.

Knows points only, not what they stand for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering.spanning_tree import mutual_reachability_tree

NOISE = -1
LEAF_SIZE = 25
# Lists of neighbours are faster than the library's search where they are short beside the number of points.
# Their total length is bounded because of the memory they take.
LISTED_SHARE = 1 / 64
MOST_LISTED = 2**24


def cluster_points(points: NDArray[np.float64], min_points: int) -> NDArray[np.intp]:
    """Clusters points with HDBSCAN: exact spanning tree, excess of mass, no single cluster (step 5).

    Args:
        points: float64 [n, d].
        min_points: m_pts; both HDBSCAN's `min_samples` (the point itself not counted) and its
            `min_cluster_size`.

    Returns:
        [n], the cluster of every point, from 0; -1 is noise.
    """
    return cluster_with_levels(points, min_points)[0]


def cluster_with_levels(
    points: NDArray[np.float64], min_points: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Clusters points as `cluster_points` does and tells when every point joins its cluster.

    Args:
        points: float64 [n, d].
        min_points: m_pts, as in `cluster_points`.

    Returns:
        The clusters [n] and the levels float64 [n]. A point's level is the mutual reachability distance at
        which it joins its cluster as distances grow.
    """
    # Fewer points cannot make two clusters, and a single one is not allowed.
    if len(points) < 2 * min_points:
        return np.full(len(points), NOISE), np.zeros(len(points))
    clusterer = (
        _by_lists(points, min_points)
        if uses_lists(len(points), min_points)
        else _by_search(points, min_points)
    )
    tree = clusterer.condensed_tree_.to_numpy()
    joined = tree[tree["child_size"] == 1]
    levels = np.zeros(len(points))
    levels[joined["child"]] = 1 / joined["lambda_val"]
    return clusterer.labels_.astype(np.intp), levels


def uses_lists(count: int, min_points: int) -> bool:
    """Tells whether points are clustered by lists of neighbours rather than by the library's search.

    Args:
        count: Number of points.
        min_points: m_pts.
    """
    return min_points <= LISTED_SHARE * count and min_points * count <= MOST_LISTED


def _by_lists(points: NDArray[np.float64], min_points: int) -> Any:
    # Importing hdbscan takes seconds, which only those who cluster should wait for.
    import hdbscan

    tree = mutual_reachability_tree(points, min_points)
    # With one sample, hdbscan takes the tree's lengths as they are: no edge of a point is shorter than its
    # shortest.
    clusterer = hdbscan.HDBSCAN(min_cluster_size=min_points, min_samples=1, metric="precomputed")
    return clusterer.fit(tree.matrix(len(points)))


def _by_search(points: NDArray[np.float64], min_points: int) -> Any:
    import hdbscan

    clusterer = hdbscan.HDBSCAN(
        min_cluster_size=min_points,
        min_samples=min_points,
        metric="euclidean",
        algorithm="boruvka_kdtree",
        leaf_size=LEAF_SIZE,
        approx_min_span_tree=False,
        # More jobs would be processes, which must not be forked once TensorFlow is loaded.
        core_dist_n_jobs=1,
    )
    return clusterer.fit(points)

"""Clusters many points with HDBSCAN at a cost that hardly grows with their number (mode `fast`).

Where every cell has hundreds of points, most of them lie deep inside a cluster, and it does not matter which
of its neighbours a point is nearest to. It matters near the end of a cluster, where it becomes one with
another: what joins later is noise. So

    1. points are divided into small clumps, each of which is stood for by its middle, with its weight and
       spread (`density` says what these are);
    2. the middles are clustered, which shows roughly where the clusters are and at which level they end;
    3. clumps that join clearly before the end of their cluster stay clumps, and those clearly beyond all
       ends do. All others are opened: their points stand for themselves, each with its own core distance;
    4. middles and single points are clustered together.

The only approximation is that core distances are measured to middles. This module knows points only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering.cluster_tree import NOISE
from cosembed.clustering.density import squared_core_distances
from cosembed.clustering.points import cluster_by_core_distances, cluster_points
from cosembed.clustering.search_tree import LEAF_SIZE, SearchTree, build_search_tree

# Points are divided into at least so many clumps, each of which has at most this share of the points of the
# smallest cluster, and at least so many that it saves time.
CLUMPS, CLUMP_SHARE, LEAST_IN_CLUMP = 800, 1 / 20, 6
# So many neighbours, of all points together, are found in a third of a second: there is nothing to save.
FEW_NEIGHBOURS = 3_000_000
# A clump stays one if its farthest point joins before this share of its cluster's end, or its nearest beyond
# this multiple of all ends. The ends of the first clustering are somewhat wrong, hence the distance.
INSIDE, OUTSIDE = 0.9, 1.05


class _Clumps(NamedTuple):
    """Holds clumps of points, in the order of the points' places in their tree.

    Attributes:
        middles: float64 [clumps, d].
        weights: float64 [clumps], how many points each has.
        spreads: float64 [clumps], the mean square of its points' distances to the middle.
        radii: float64 [clumps], the greatest of these distances.
        nodes: int64 [clumps], which leaf of the points' tree each is.
        members: int64 [n], the clump of the point at every place.
    """

    middles: NDArray[np.float64]
    weights: NDArray[np.float64]
    spreads: NDArray[np.float64]
    radii: NDArray[np.float64]
    nodes: NDArray[np.int64]
    members: NDArray[np.int64]


def largest_clump(min_points: int) -> int:
    """Returns the most points that are ever clustered as one; 1: every point for itself."""
    size = int(CLUMP_SHARE * min_points)
    return size if size >= LEAST_IN_CLUMP else 1


def cluster_by_clumps(points: NDArray[np.float64], min_points: int) -> NDArray[np.int64]:
    """Clusters points, of which most stand for each other.

    Args:
        points: float64 [n, d].
        min_points: m_pts.

    Returns:
        [n], the cluster of every point, from 0; -1 is noise.
    """
    size = min(largest_clump(min_points), max(LEAST_IN_CLUMP, len(points) // CLUMPS))
    if size == 1 or len(points) * min_points <= FEW_NEIGHBOURS:
        return cluster_points(points, min_points)
    tree = build_search_tree(points, size)
    clumps = _clumps(points, tree)
    middles = build_search_tree(clumps.middles, LEAF_SIZE)
    weights, spreads = clumps.weights[middles.order], clumps.spreads[middles.order]

    def cores(queries: SearchTree, wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
        return squared_core_distances(queries, wanted, middles, weights, spreads, min_points)

    cores_by_place = cores(middles, np.ones(len(middles.begins), np.bool_))
    middle_cores = np.empty(len(weights))
    middle_cores[middles.order] = cores_by_place
    roughly = cluster_by_core_distances(middles, cores_by_place, weights, min_points)
    is_open = _open_clumps(clumps, middle_cores, *roughly)
    wanted = np.zeros(len(tree.begins), np.bool_)
    wanted[clumps.nodes[is_open]] = True
    is_single = is_open[clumps.members]
    singles = tree.order[is_single]
    mixed = build_search_tree(np.concatenate([clumps.middles[~is_open], points[singles]]), LEAF_SIZE)
    mixed_cores = np.concatenate([middle_cores[~is_open], cores(tree, wanted)[is_single]])
    mixed_weights = np.concatenate([clumps.weights[~is_open], np.ones(len(singles))])
    found = cluster_by_core_distances(
        mixed, mixed_cores[mixed.order], mixed_weights[mixed.order], min_points
    )[0]
    closed = np.count_nonzero(~is_open)
    of_clumps = np.full(len(is_open), NOISE)
    of_clumps[~is_open] = found[:closed]
    clusters = np.empty(len(points), np.int64)
    clusters[tree.order] = of_clumps[clumps.members]
    clusters[singles] = found[closed:]
    return clusters


def _clumps(points: NDArray[np.float64], tree: SearchTree) -> _Clumps:
    nodes = np.flatnonzero(tree.children < 0)
    nodes = nodes[np.argsort(tree.begins[nodes])]
    begins, counts = tree.begins[nodes], tree.ends[nodes] - tree.begins[nodes]
    ordered, members = points[tree.order], np.repeat(np.arange(len(nodes)), counts)
    middles = np.add.reduceat(ordered, begins) / counts[:, None]
    ordered -= middles[members]
    squares = np.einsum("ij,ij->i", ordered, ordered)
    return _Clumps(
        middles,
        counts.astype(np.float64),
        np.add.reduceat(squares, begins) / counts,
        np.sqrt(np.maximum.reduceat(squares, begins)),
        nodes,
        members,
    )


def _open_clumps(
    clumps: _Clumps,
    squared_cores: NDArray[np.float64],
    clusters: NDArray[np.int64],
    levels: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Tells which clumps must be opened, because some of their points may join at the end of a cluster.

    Args:
        clumps: The clumps.
        squared_cores: float64 [clumps], the squared core distances of their middles.
        clusters: int64 [clumps], the clusters of the middles; -1 is noise.
        levels: float64 [clumps], the levels at which these join them.
    """
    ends = np.zeros(clusters.max() + 2)
    np.maximum.at(ends, clusters, levels)
    # The last entry is for what is noise.
    ends[NOISE] = 0
    cores = np.sqrt(squared_cores)
    inside = cores + clumps.radii < INSIDE * ends[clusters]
    outside = cores - clumps.radii > OUTSIDE * ends.max()
    return ~(inside | outside) if ends.max() > 0 else np.ones(len(cores), np.bool_)

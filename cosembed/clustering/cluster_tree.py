"""Cuts clusters out of a spanning tree as HDBSCAN does (Campello et al., 2013; McInnes and Healy, 2017).

Distances grow from zero, and the tree's edges join points to groups as they become as long. Seen from the
end, groups divide: where both parts weigh at least as much as the smallest cluster may, two clusters begin;
else the lighter part leaves its cluster, or both do. The mass of a cluster is the sum over its points of how
long, in inverse distances, each belongs to it; of a cluster and its descendants those are chosen that have
more mass together (excess of mass). All points together are never a cluster.

Points may have weights: a point of weight w counts as w points in one place. Knows edges and weights only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering.compiling import compiled
from cosembed.clustering.spanning_tree import Edges, find_root

NOISE = -1
# Equal points are this far apart, so that every distance has an inverse.
SHORTEST = 1e-12


def cut_clusters(
    edges: Edges, weights: NDArray[np.float64], min_size: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Chooses the clusters of a spanning tree.

    Args:
        edges: The n - 1 edges of a spanning tree of n points, by rising length.
        weights: float64 [n], each smaller than `min_size`.
        min_size: The least weight of a cluster.

    Returns:
        The clusters int64 [n], from 0, -1 is noise; and the levels float64 [n], the length at which every
        point joins its cluster as distances grow.
    """
    lengths = np.maximum(edges.length, SHORTEST)
    return _cut(edges.first, edges.second, lengths, weights, min_size)


@compiled
def _cut(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    lengths: NDArray[np.float64],
    weights: NDArray[np.float64],
    min_size: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    count = len(weights)
    groups = 2 * count - 1
    # Groups 0 to n - 1 are the points; group n + i is what edge i joins.
    left, right, sizes = np.empty(groups, np.int64), np.empty(groups, np.int64), np.empty(groups)
    for point in range(count):
        sizes[point] = weights[point]
    above = np.arange(groups)
    for edge in range(count - 1):
        group = count + edge
        left[group], right[group] = find_root(above, first[edge]), find_root(above, second[edge])
        sizes[group] = sizes[left[group]] + sizes[right[group]]
        above[left[group]], above[right[group]] = group, group
    # From the last group down: which cluster every group belongs to, and since when it has left it, as an
    # inverse length (0: not yet). Cluster 0 is all points.
    cluster_of, left_at = np.zeros(groups, np.int64), np.zeros(groups)
    parents, begins, masses = np.zeros(count, np.int64), np.zeros(count), np.zeros(count)
    clusters = 1
    for group in range(groups - 1, count - 1, -1):
        cluster = cluster_of[group]
        parts = (left[group], right[group])
        if left_at[group] > 0:
            for part in parts:
                cluster_of[part], left_at[part] = cluster, left_at[group]
            continue
        inverse = 1 / lengths[group - count]
        divides = sizes[parts[0]] >= min_size and sizes[parts[1]] >= min_size
        for part in parts:
            if divides:
                parents[clusters], begins[clusters] = cluster, inverse
                cluster_of[part] = clusters
                clusters += 1
            else:
                cluster_of[part] = cluster
                if sizes[part] < min_size:
                    left_at[part] = inverse
            if divides or sizes[part] < min_size:
                masses[cluster] += (inverse - begins[cluster]) * sizes[part]
    # Descendants come after their ancestors.
    is_chosen, descendants = np.zeros(clusters, np.bool_), np.zeros(clusters)
    for cluster in range(clusters - 1, 0, -1):
        is_chosen[cluster] = descendants[cluster] <= masses[cluster]
        descendants[parents[cluster]] += max(masses[cluster], descendants[cluster])
    names = np.full(clusters, NOISE)
    chosen = 0
    for cluster in range(1, clusters):
        if names[parents[cluster]] != NOISE:
            names[cluster] = names[parents[cluster]]
        elif is_chosen[cluster]:
            names[cluster] = chosen
            chosen += 1
    found, levels = np.empty(count, np.int64), np.empty(count)
    for point in range(count):
        found[point], levels[point] = names[cluster_of[point]], 1 / left_at[point]
    return found, levels

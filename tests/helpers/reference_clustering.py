"""Oracles of clustering by all distances: HDBSCAN's distances, and how pixels join the clusters of a grid."""

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist


def mutual_reachability(points, min_samples):
    """Distances [n, n], core distances to the `min_samples`-th neighbour, the point itself not counted."""
    distances = cdist(points, points)
    core = np.sort(distances, axis=1)[:, min_samples]
    return np.maximum(distances, np.maximum.outer(core, core))


def joining_levels(reachability, min_points):
    """The level [n] at which every point becomes part of something as large as a cluster: single linkage."""
    count = len(reachability)
    levels = np.zeros(count)
    parts = {index: [index] for index in range(count)}
    for number, (one, other, level, size) in enumerate(
        linkage(reachability[np.triu_indices(count, 1)], "single")
    ):
        for part in (parts.pop(int(one)), parts.pop(int(other))):
            if len(part) < min_points <= size:
                levels[part] = level
            parts.setdefault(count + number, []).extend(part)
    return levels


def join_by_all_distances(grid_points, grid_clusters, points, min_points, agreeing):
    """Clusters of the grid's points and of those between, by the rules that `cosembed.clustering.grid` gives.

    Args:
        grid_points: [n, d].
        grid_clusters: [n], their clusters; -1 is noise.
        points: [k, d], those between.
        min_points: What the grid's points were clustered with.
        agreeing: How many nearest points of the grid decide by themselves if they agree.

    Returns:
        Clusters [n] and [k], and the cluster [k] of the nearest point of the grid.
    """
    reachability = mutual_reachability(grid_points, min_points)
    levels = joining_levels(reachability, min_points)
    members = [np.flatnonzero(grid_clusters == label) for label in range(grid_clusters.max() + 1)]
    # A cluster is complete with its heaviest edge.
    ends = [minimum_spanning_tree(reachability[np.ix_(inside, inside)]).max() for inside in members]
    distance = cdist(points, grid_points)
    nearest = grid_clusters[distance.argsort(axis=1)[:, :agreeing]]
    between = nearest[:, 0].copy()
    reached = {}
    for index in np.flatnonzero((nearest != nearest[:, :1]).any(axis=1)):
        near = distance[index].argsort()[:min_points]
        level = np.maximum(np.maximum(distance[index, near], levels[near]), distance[index, near].max())
        clusters = set(grid_clusters[near].tolist()) - {-1}
        reached[index] = sorted((level[grid_clusters[near] == label].min(), label) for label in clusters)
        if len(reached[index]) > 1:
            # Where a point reaches two clusters, both end.
            for _, label in reached[index][:2]:
                ends[label] = min(ends[label], reached[index][1][0])
    for index, lowest in reached.items():
        between[index] = lowest[0][1] if lowest and lowest[0][0] <= ends[lowest[0][1]] else -1
    kept = [label >= 0 and level <= ends[label] for label, level in zip(grid_clusters, levels, strict=True)]
    return np.where(kept, grid_clusters, -1), between, nearest[:, 0]

"""Finds the tree that HDBSCAN cuts: a minimum spanning tree of mutual reachability distances.

The mutual reachability distance of two points is the largest of their distance and of both their core
distances; the core distance of a point is the distance to its min_samples-th neighbour (Campello et al.,
2013). Lists of nearest neighbours hold nearly every edge of the tree. The tree of these edges is then checked
wherever a shorter edge may have been overlooked, and mended, until it is a minimum spanning tree of all
pairs.

Invariant: the tree is always a minimum spanning forest of the edges known so far. An edge belongs to a
minimum spanning tree of all pairs if no shorter edge leaves one of the two groups of points that it joins
(the cut property). So every edge is either certain, because the lists of one group hold all that is so near,
or it has to be checked, by a search for a shorter edge from one group to all other points. What the search
finds joins the known edges: it is shorter than an edge that it replaces, or joins what nothing did. The end
is reached when every edge is certain or checked.

Example: points on a line at 0, 1, 2, 6, 7, 8 and 14, min_samples 1, two neighbours listed for each. All core
distances are 1, but that of 14 is 6.

    1. The lists hold 0-1, 1-2, 6-7, 7-8 (length 1), 0-2, 6-8 (2), 8-14 (6) and 7-14 (7). Their minimum
       spanning forest is 0-1-2 and 6-7-8-14.
    2. The edges of length 1 are certain. So is 8-14: the list of 14 reaches as far as 7, so that nothing
       nearer than 6 is missing.
    3. Nothing joins 0, 1, 2, the smaller of the two groups. Its search among the other points finds 2-6,
       of length 4, which is added.
    4. The new edge is checked already: the search compared its group with all other points. The lengths of
       the tree are 1, 1, 1, 1, 4 and 6.

This module knows points only, not what they stand for.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import cKDTree

# Lists have this many times the neighbours that the core distance needs, and at least so many more. Longer
# lists leave less to check.
LISTED, LEAST_MORE = 1.25, 8
# A sparse matrix does not store edges of length 0, which lie between equal points: they get this length.
SHORTEST = 1e-12
# Lengths that differ by this share of them differ by rounding only.
ROUNDING = 1e-9
LEAF_SIZE = 25
# Distances to this many points far from each other tell which points cannot be near each other.
LANDMARKS = 16
# Points of a group that are compared with others at a time.
BLOCK = 128


class Edges(NamedTuple):
    """Holds pairs of points and their mutual reachability distances, [edges] each."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    length: NDArray[np.float64]

    def matrix(self, points: int) -> csr_matrix:
        """Returns the lengths as a sparse symmetric matrix [points, points]."""
        rows, columns = np.concatenate([self.first, self.second]), np.concatenate([self.second, self.first])
        return coo_matrix((np.tile(self.length, 2), (rows, columns)), (points, points)).tocsr()


class _Space(NamedTuple):
    """Holds points and what is known of their distances.

    Attributes:
        points: float64 [n, d].
        core: float64 [n], the core distances.
        known: float64 [n], how far around a point all others are listed.
        landmarks: float64 [LANDMARKS, n], the distances to the landmarks.
    """

    points: NDArray[np.float64]
    core: NDArray[np.float64]
    known: NDArray[np.float64]
    landmarks: NDArray[np.float64]


class _Edge(NamedTuple):
    """Holds a pair of points, the lower index first, and their mutual reachability distance."""

    first: int
    second: int
    length: float


class _Group(NamedTuple):
    """Holds points that shorter edges of a tree connect, and the length of the edge that leaves them.

    The length is infinite if no edge leaves.
    """

    points: list[int]
    length: float


def mutual_reachability_tree(points: NDArray[np.float64], min_samples: int) -> Edges:
    """Finds a minimum spanning tree of the mutual reachability distances of all pairs of points.

    Args:
        points: float64 [n, d], n > LISTED * min_samples and n > min_samples + LEAST_MORE.
        min_samples: Which neighbour decides the core distance of a point; the point itself is not counted.

    Returns:
        n - 1 edges by rising length.
    """
    # Points are compared by matrix products, whose rounding grows with the distance to the origin.
    points = points - points.mean(axis=0)
    count = 1 + max(int(LISTED * min_samples), min_samples + LEAST_MORE)
    distances, neighbours = build_search_tree(points).query(points, count, workers=-1)
    space = _Space(points, distances[:, min_samples].copy(), distances[:, -1].copy(), _landmarks(points))
    lengths = _mutual_reachability(distances, space.core[:, None], space.core[neighbours])
    rows = np.arange(0, distances.size + 1, count)
    tree = _spanning_forest(
        csr_matrix((lengths.ravel(), neighbours.ravel(), rows), (len(points), len(points)))
    )
    del distances, neighbours, lengths
    checked: set[tuple[frozenset[int], float]] = set()
    while groups := [
        group
        for group in _groups_to_check(tree, space.known)
        if (frozenset(group.points), group.length) not in checked
    ]:
        shortcuts = {}
        for group in groups:
            edge = _find_shortcut(space, group)
            checked.add((frozenset(group.points), edge.length if edge else group.length))
            if edge:
                # Both groups that it joins may find it.
                shortcuts[edge.first, edge.second] = edge
        if shortcuts:
            first, second, length = map(np.array, zip(*shortcuts.values(), strict=True))
            edges = Edges(
                np.append(tree.first, first), np.append(tree.second, second), np.append(tree.length, length)
            )
            tree = _spanning_forest(edges.matrix(len(points)))
    return tree


def build_search_tree(points: NDArray[np.float64]) -> cKDTree:
    """Builds a tree for searching nearest neighbours.

    Its cells are cut in the middle. Where they are cut at the median, searches take up to thirty times as
    long.
    """
    return cKDTree(points, LEAF_SIZE, balanced_tree=False)


def _landmarks(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the distances [LANDMARKS, n] to points that each lie as far as possible from those before."""
    distances = np.empty((LANDMARKS, len(points)))
    farthest, nearest = 0, np.full(len(points), np.inf)
    for row in distances:
        row[:] = np.linalg.norm(points - points[farthest], axis=1)
        nearest = np.minimum(nearest, row)
        farthest = int(nearest.argmax())
    return distances


def _mutual_reachability(distances: NDArray, core: NDArray, others_core: NDArray) -> NDArray:
    return np.maximum(np.maximum(np.maximum(distances, core), others_core), SHORTEST)


def _spanning_forest(graph: csr_matrix) -> Edges:
    """Finds a minimum spanning forest; its edges come by rising length."""
    forest = minimum_spanning_tree(graph).tocoo()
    order = np.argsort(forest.data, kind="stable")
    return Edges(forest.row[order].astype(np.intp), forest.col[order].astype(np.intp), forest.data[order])


def _groups_to_check(tree: Edges, known: NDArray[np.float64]) -> list[_Group]:
    """Lists the groups from which a shorter edge than the tree's may leave.

    For every edge, that is the smaller of the two groups that it joins, unless each of the group's points
    lists all points as near as the edge is long. Groups that nothing joins follow, but for the largest.

    Args:
        tree: A spanning forest, its edges by rising length.
        known: float64 [n], how far around a point all others are listed.
    """
    radius = known.tolist()
    group_of = list(range(len(radius)))
    members: dict[int, list[int]] = {point: [point] for point in group_of}
    # The smallest radius of a group is kept, so that its points need not be looked at again.
    smallest = dict(enumerate(radius))
    found = []
    for first, second, length in zip(*(column.tolist() for column in tree), strict=True):
        small, large = group_of[first], group_of[second]
        if len(members[small]) > len(members[large]):
            small, large = large, small
        points = members.pop(small)
        if smallest[small] < length:
            found.append(_Group(points, length))
        for point in points:
            group_of[point] = large
        members[large] += points
        smallest[large] = min(smallest[large], smallest[small])
    left = sorted(members.values(), key=len)[:-1]
    return found + [_Group(points, np.inf) for points in left]


def _find_shortcut(space: _Space, group: _Group) -> _Edge | None:
    """Finds the shortest unlisted edge that leaves a group, if it is shorter than the group's own."""
    outside = np.ones(len(space.points), bool)
    outside[group.points] = False
    inner, outer = (
        _with_unlisted_edges(space, side, group.length)
        for side in (np.array(group.points), np.flatnonzero(outside))
    )
    outer = _possibly_near(space, inner, outer, group.length)
    # Points near the same landmark are compared together. Those far from all landmarks come first: they are
    # likeliest to have a short edge that leaves, which bounds the search for the others.
    nearest, distances = space.landmarks[:, inner].argmin(axis=0), space.landmarks[:, inner].min(axis=0)
    parts = np.array_split(np.lexsort([distances, nearest]), 1 + len(inner) // BLOCK)
    blocks = [inner[part] for part in sorted(parts, key=lambda part: -distances[part].sum())]
    best, limit = None, group.length
    for block in blocks:
        edge = _shortest_edge(space, block, _possibly_near(space, block, outer, limit), limit)
        if edge:
            best, limit = edge, edge.length
    return best


def _possibly_near(
    space: _Space, inner: NDArray[np.intp], outer: NDArray[np.intp], limit: float
) -> NDArray[np.intp]:
    """Leaves out the outer points that cannot be nearer than a limit to an inner one.

    By the triangle inequality, two points are at least as far apart as their distances to a landmark differ.
    """
    for distances in space.landmarks:
        if len(inner) and len(outer):
            own, others = distances[inner], distances[outer]
            outer = outer[(others > own.min() - limit) & (others < own.max() + limit)]
    return outer


def _with_unlisted_edges(space: _Space, side: NDArray[np.intp], limit: float) -> NDArray[np.intp]:
    """Leaves out the points that cannot have an unlisted edge below a limit.

    No edge is shorter than a core distance, and no unlisted one is shorter than the listed distances.
    """
    return side[np.maximum(space.core[side], space.known[side]) < limit * (1 - ROUNDING)]


def _shortest_edge(
    space: _Space, inner: NDArray[np.intp], outer: NDArray[np.intp], limit: float
) -> _Edge | None:
    """Finds the shortest unlisted edge between two sets of points, if it is below the limit."""
    best = None
    while True:
        inner, outer = _with_unlisted_edges(space, inner, limit), _with_unlisted_edges(space, outer, limit)
        if not (len(inner) and len(outer)):
            return best
        nearest, distances = _nearest_points(space.points[inner], space.points[outer])
        lengths = _mutual_reachability(distances, space.core[inner], space.core[outer[nearest]])
        shortest = lengths.argmin()
        if lengths[shortest] >= limit * (1 - ROUNDING):
            return best
        limit = float(lengths[shortest])
        first, second = sorted((int(inner[shortest]), int(outer[nearest[shortest]])))
        best = _Edge(first, second, limit)
        # A shorter edge may still lead to a point that is farther, but has a smaller core distance.
        inner = inner[distances < limit]


def _nearest_points(
    points: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Finds for every point the nearest of the others, and how far it is."""
    squares = np.einsum("ij,ij->i", others, others)
    nearest = (squares - 2 * points @ others.T).argmin(axis=1)
    return nearest, np.linalg.norm(points - others[nearest], axis=1)

"""The tree that HDBSCAN cuts: a minimum spanning tree of mutual reachability distances. Knows points only, not what they are.

Two points are as far from each other as the largest of their distance and both core distances (Campello et al., 2013).
Lists of nearest neighbours hold nearly every edge of the tree. The tree of these edges is then checked where a
shorter edge may have been overlooked, and mended, until it is a minimum spanning tree of all pairs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import cKDTree

# Neighbours listed, to those that the core distance needs: so many times, and at least so many more. Longer lists leave
# less to check.
LISTED, LEAST_MORE = 1.25, 8
# Edges of length 0, between equal points, would not be stored in a sparse matrix.
SHORTEST = 1e-12
# Lengths this close, relative, differ by rounding.
ROUNDING = 1e-9
LEAF_SIZE = 25
# Distances to this many points far from each other tell which points cannot be near each other.
LANDMARKS = 16
# Points of a group that are compared with others at a time.
BLOCK = 128


class Edges(NamedTuple):
    """Pairs of points and their mutual reachability distances, each [edges]."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    length: NDArray[np.float64]

    def matrix(self, points: int) -> csr_matrix:
        """Lengths [points, points], both ways."""
        rows, columns = np.concatenate([self.first, self.second]), np.concatenate([self.second, self.first])
        return coo_matrix((np.tile(self.length, 2), (rows, columns)), (points, points)).tocsr()


class _Space(NamedTuple):
    """Points [n, d], their core distances [n], how far around each of them all others are listed [n], and how far from
    landmarks they are [n, LANDMARKS]."""

    points: NDArray[np.float64]
    core: NDArray[np.float64]
    known: NDArray[np.float64]
    landmarks: NDArray[np.float64]


class _Edge(NamedTuple):
    """A pair of points, the lower index first, and their mutual reachability distance."""

    first: int
    second: int
    length: float


class _Group(NamedTuple):
    """Points that shorter edges of a tree connect, and the length of the edge that leaves (infinite: none does)."""

    points: list[int]
    length: float


def mutual_reachability_tree(points: NDArray[np.float64], min_samples: int) -> Edges:
    """A minimum spanning tree of the mutual reachability distances of all pairs of points.

    Args:
        points: float64 [n, d], n > LISTED * min_samples and n > min_samples + LEAST_MORE.
        min_samples: The core distance of a point is that to this neighbour, the point itself not counted.

    Returns:
        n - 1 edges by rising length.
    """
    # Points are compared by matrix products, whose rounding grows with the distance to the origin.
    points = points - points.mean(axis=0)
    count = 1 + max(int(LISTED * min_samples), min_samples + LEAST_MORE)
    distances, neighbours = search_tree(points).query(points, count, workers=-1)
    space = _Space(points, distances[:, min_samples].copy(), distances[:, -1].copy(), _landmarks(points))
    lengths = _reach(distances, space.core[:, None], space.core[neighbours])
    rows = np.arange(0, distances.size + 1, count)
    tree = _tree(csr_matrix((lengths.ravel(), neighbours.ravel(), rows), (len(points), len(points))))
    del distances, neighbours, lengths
    checked: set[tuple[frozenset[int], float]] = set()
    while groups := [
        group
        for group in _groups(tree, space.known)
        if (frozenset(group.points), group.length) not in checked
    ]:
        shortcuts = {}
        for group in groups:
            edge = _shortcut(space, group)
            checked.add((frozenset(group.points), edge.length if edge else group.length))
            if edge:
                # Both groups that it joins may find it.
                shortcuts[edge.first, edge.second] = edge
        if shortcuts:
            first, second, length = map(np.array, zip(*shortcuts.values(), strict=True))
            edges = Edges(
                np.append(tree.first, first), np.append(tree.second, second), np.append(tree.length, length)
            )
            tree = _tree(edges.matrix(len(points)))
    return tree


def search_tree(points: NDArray[np.float64]) -> cKDTree:
    """For nearest neighbours; cut in the middle, because at the median searches take up to thirty times as long."""
    return cKDTree(points, LEAF_SIZE, balanced_tree=False)


def _landmarks(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances to points each of which is as far as possible from those before it."""
    distances = np.empty((LANDMARKS, len(points)))
    farthest, nearest = 0, np.full(len(points), np.inf)
    for row in distances:
        row[:] = np.linalg.norm(points - points[farthest], axis=1)
        nearest = np.minimum(nearest, row)
        farthest = int(nearest.argmax())
    return distances


def _reach(distances: NDArray, core: NDArray, others_core: NDArray) -> NDArray:
    return np.maximum(np.maximum(np.maximum(distances, core), others_core), SHORTEST)


def _tree(graph: csr_matrix) -> Edges:
    """A minimum spanning forest by rising length."""
    forest = minimum_spanning_tree(graph).tocoo()
    order = np.argsort(forest.data, kind="stable")
    return Edges(forest.row[order].astype(np.intp), forest.col[order].astype(np.intp), forest.data[order])


def _groups(tree: Edges, known: NDArray[np.float64]) -> list[_Group]:
    """For every edge the smaller of the groups it joins, unless all that is as close as the edge is long is listed.

    An edge belongs to a minimum spanning tree if it is the shortest that leaves one of the two groups. Groups that nothing
    joins follow, but for the largest.
    """
    radius = known.tolist()
    group_of = list(range(len(radius)))
    members: dict[int, list[int]] = {point: [point] for point in group_of}
    # The smallest radius of each group tells without a look at its points.
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


def _shortcut(space: _Space, group: _Group) -> _Edge | None:
    """The shortest edge from a group's points to one outside that no list has, if it is shorter than the group's."""
    outside = np.ones(len(space.points), bool)
    outside[group.points] = False
    inner, outer = (
        _within(space, side, group.length) for side in (np.array(group.points), np.flatnonzero(outside))
    )
    outer = _near(space, inner, outer, group.length)
    # Points near the same landmark together, those far from all first: they are likeliest to have an edge that leaves.
    nearest, distances = space.landmarks[:, inner].argmin(axis=0), space.landmarks[:, inner].min(axis=0)
    parts = np.array_split(np.lexsort([distances, nearest]), 1 + len(inner) // BLOCK)
    blocks = [inner[part] for part in sorted(parts, key=lambda part: -distances[part].sum())]
    best, limit = None, group.length
    for block in blocks:
        edge = _shortest(space, block, _near(space, block, outer, limit), limit)
        if edge:
            best, limit = edge, edge.length
    return best


def _near(space: _Space, inner: NDArray[np.intp], outer: NDArray[np.intp], limit: float) -> NDArray[np.intp]:
    """Those of the outer points that may be nearer than a limit to an inner one: so much do distances to landmarks differ."""
    for distances in space.landmarks:
        if len(inner) and len(outer):
            own, others = distances[inner], distances[outer]
            outer = outer[(others > own.min() - limit) & (others < own.max() + limit)]
    return outer


def _within(space: _Space, side: NDArray[np.intp], limit: float) -> NDArray[np.intp]:
    """Those that can have an edge below a limit: none is below a core distance, and none that is not listed below what is."""
    return side[np.maximum(space.core[side], space.known[side]) < limit * (1 - ROUNDING)]


def _shortest(space: _Space, inner: NDArray[np.intp], outer: NDArray[np.intp], limit: float) -> _Edge | None:
    """The shortest edge between two sets of points of those that no list has, if it is below the limit."""
    best = None
    while True:
        inner, outer = _within(space, inner, limit), _within(space, outer, limit)
        if not (len(inner) and len(outer)):
            return best
        nearest, distances = _nearest(space.points[inner], space.points[outer])
        lengths = _reach(distances, space.core[inner], space.core[outer[nearest]])
        shortest = lengths.argmin()
        if lengths[shortest] >= limit * (1 - ROUNDING):
            return best
        limit = float(lengths[shortest])
        first, second = sorted((int(inner[shortest]), int(outer[nearest[shortest]])))
        best = _Edge(first, second, limit)
        # What is left may still reach a point that is farther, but of a smaller core distance.
        inner = inner[distances < limit]


def _nearest(
    points: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Of every point the nearest of the others, and how far it is."""
    squares = np.einsum("ij,ij->i", others, others)
    nearest = (squares - 2 * points @ others.T).argmin(axis=1)
    return nearest, np.linalg.norm(points - others[nearest], axis=1)

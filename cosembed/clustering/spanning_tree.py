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
from sklearn.neighbors import NearestNeighbors

# Neighbours listed, to those that the core distance needs: longer lists leave less to check.
LISTED = 1.25
# Edges of length 0, between equal points, would not be stored in a sparse matrix.
SHORTEST = 1e-12
# Lengths this close, relative, differ by rounding.
ROUNDING = 1e-9
# Points of a group are compared with others by shells around its centre, outermost first.
SHELLS = 16
# Bounds the memory of comparisons, in pairs at a time.
CHUNK = 2**21


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
    """Points [n, d], their core distances [n], and how far around each of them all others are listed [n]."""

    points: NDArray[np.float64]
    core: NDArray[np.float64]
    known: NDArray[np.float64]


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
        points: float64 [n, d], n > LISTED * min_samples.
        min_samples: The core distance of a point is that to this neighbour, the point itself not counted.

    Returns:
        n - 1 edges by rising length.
    """
    # Distances come from matrix products, whose rounding grows with the distance to the origin.
    points = points - points.mean(axis=0)
    count = 1 + int(LISTED * min_samples)
    # Embeddings have too many channels for search trees: comparing all pairs is several times faster.
    distances, neighbours = NearestNeighbors(n_neighbors=count, algorithm="brute", n_jobs=-1).fit(points).kneighbors(points)
    space = _Space(points, distances[:, min_samples].copy(), distances[:, -1].copy())
    lengths = _reach(distances, space.core[:, None], space.core[neighbours])
    rows = np.arange(0, distances.size + 1, count)
    tree = _tree(csr_matrix((lengths.ravel(), neighbours.ravel(), rows), (len(points), len(points))))
    del distances, neighbours, lengths
    checked: set[tuple[frozenset[int], float]] = set()
    while groups := [group for group in _groups(tree, space.known) if (frozenset(group.points), group.length) not in checked]:
        shortcuts = {}
        for group in groups:
            edge = _shortcut(space, group)
            checked.add((frozenset(group.points), edge.length if edge else group.length))
            if edge:
                # Both groups that it joins may find it.
                shortcuts[edge.first, edge.second] = edge
        if shortcuts:
            first, second, length = map(np.array, zip(*shortcuts.values(), strict=True))
            edges = Edges(np.append(tree.first, first), np.append(tree.second, second), np.append(tree.length, length))
            tree = _tree(edges.matrix(len(points)))
    return tree


def _nearest(points: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Of every point the nearest of the others, and how far it is."""
    squares = np.einsum("ij,ij->i", others, others)
    chunks = np.array_split(points, 1 + points.shape[0] * others.shape[0] // CHUNK)
    nearest = np.concatenate([(squares - 2 * chunk @ others.T).argmin(axis=1) for chunk in chunks])
    return nearest, np.linalg.norm(points - others[nearest], axis=1)


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
    inner, outer = np.array(group.points), np.flatnonzero(outside)
    centre = space.points[inner].mean(axis=0)
    inner_radius = np.linalg.norm(space.points[inner] - centre, axis=1)
    outer_radius = np.linalg.norm(space.points[outer] - centre, axis=1)
    best, limit = None, group.length
    for shell in np.array_split(np.argsort(-inner_radius), SHELLS):
        if len(shell):
            near = outer_radius < inner_radius[shell].max() + limit
            edge = _shortest(space, inner[shell], outer[near], limit)
            if edge:
                best, limit = edge, edge.length
    return best


def _shortest(space: _Space, inner: NDArray[np.intp], outer: NDArray[np.intp], limit: float) -> _Edge | None:
    """The shortest edge between two sets of points of those that no list has, if it is below the limit."""
    best = None
    while True:
        below = limit * (1 - ROUNDING)
        # No edge is shorter than its points' core distances, and none that is not listed than what is.
        inner, outer = (side[np.maximum(space.core[side], space.known[side]) < below] for side in (inner, outer))
        if not (len(inner) and len(outer)):
            return best
        nearest, distances = _nearest(space.points[inner], space.points[outer])
        lengths = _reach(distances, space.core[inner], space.core[outer[nearest]])
        shortest = lengths.argmin()
        if lengths[shortest] >= below:
            return best
        limit = float(lengths[shortest])
        first, second = sorted((int(inner[shortest]), int(outer[nearest[shortest]])))
        best = _Edge(first, second, limit)
        # What is left may still reach a point that is farther, but of a smaller core distance.
        inner = inner[distances < limit]

"""Clusters points by mean shift with a flat kernel and cosine distance (the authors' follow-up of 2019).

A centre begins at a point, moves to the mean of all points near it, and again, until it rests. A point is
near a centre if the cosine of the angle between them is at least 1 - bandwidth. Of the centres that come to
rest near each other, the one with the most points is kept.

Three things make this fast without any approximation. On the unit sphere, the points near a centre
lie in a ball, so that a tree of balls tells of most points at once whether they are near. Points are rounded
to whole multiples of a tiny unit, of which sums are exact, so that sums of whole balls may be used: neither
the form of the tree nor the order of points or seeds changes a bit of the result. And a leaf of the tree that
lies nearest to one centre with all its points is labelled at once.

This module knows points only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering.compiling import compiled
from cosembed.clustering.search_tree import SearchTree, build_search_tree, leaf_values, widest_leaf

LEAF_SIZE = 32
# A centre rests when it moves by less than this share of the bandwidth, or after so many further moves.
RESTING, FURTHER_MOVES = 1e-3, 300
# A ball whose surface comes this near to a limit is opened, so that no rounding decides.
MARGIN = 1e-9


class _Balls(NamedTuple):
    """Holds n points of d values by their directions, in a tree of balls.

    Attributes:
        tree: The directions: the points, at unit length.
        middles: float64 [nodes, d], the mean of the directions below every node.
        radii: float64 [nodes], no direction below a node is farther from its middle.
        points: int64 [n, d], the points by place, in units.
        sums: int64 [nodes, d], the sums of the points below every node, in units.
        unit: The size of a unit.
    """

    tree: SearchTree
    middles: NDArray[np.float64]
    radii: NDArray[np.float64]
    points: NDArray[np.int64]
    sums: NDArray[np.int64]
    unit: float


def cluster_by_mean_shift(
    points: NDArray[np.float64], bandwidth: float, seeds: int, seed: int
) -> NDArray[np.int64]:
    """Clusters points by mean shift, from seeds that are drawn of them at random.

    Args:
        points: float64 [n, d].
        bandwidth: The largest cosine distance, 1 - cos, of a point that is near a centre.
        seeds: So many points are drawn, or all if there are fewer.
        seed: Decides which points are drawn.

    Returns:
        int64 [n], the cluster of every point, from 0: that of the nearest centre, however far it is.
    """
    if not len(points):
        return np.zeros(0, np.int64)
    drawn = np.random.default_rng(seed).choice(len(points), min(seeds, len(points)), replace=False)
    return cluster_from_seeds(points, points[drawn], bandwidth)


def cluster_from_seeds(
    points: NDArray[np.float64], seeds: NDArray[np.float64], bandwidth: float
) -> NDArray[np.int64]:
    """Clusters points by mean shift from given seeds; otherwise as `cluster_by_mean_shift`.

    Args:
        points: float64 [n, d], n at least 1.
        seeds: float64 [seeds, d], where centres begin.
        bandwidth: The largest cosine distance of a point that is near a centre.
    """
    balls = _balls(points)
    centres, counts = _move(balls, np.ascontiguousarray(seeds), bandwidth)
    clusters = np.empty(len(points), np.int64)
    clusters[balls.tree.order] = _nearest(balls, _directions(_keep(centres, counts, bandwidth)))
    return clusters


def _directions(points: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths = np.sqrt(np.einsum("ij,ij->i", points, points))
    return points / np.maximum(lengths, np.finfo(np.float64).tiny)[:, None]


def _balls(points: NDArray[np.float64]) -> _Balls:
    tree = build_search_tree(_directions(points), LEAF_SIZE)
    # The sum of all points stays within 62 bits.
    exponent = int(np.frexp(np.abs(points).max() * len(points))[1])
    unit = 2.0 ** (exponent - 62)
    whole = np.rint(points[tree.order] / unit).astype(np.int64)
    middles, radii, sums = _measure(tree, whole)
    return _Balls(tree, middles, radii, whole, sums, unit)


@compiled
def _measure(
    tree: SearchTree, points: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Returns middles, radii and sums of all nodes, as `_Balls` has them."""
    nodes, dimensions = tree.lows.shape
    middles, radii = np.zeros((nodes, dimensions)), np.zeros(nodes)
    sums = np.zeros((nodes, dimensions), np.int64)
    for node in range(nodes - 1, -1, -1):
        child, begin, width = tree.children[node], tree.begins[node], tree.ends[node] - tree.begins[node]
        if child < 0:
            block = leaf_values(tree, node)
            for k in range(dimensions):
                middles[node, k] = block[k * width : (k + 1) * width].mean()
                sums[node, k] = points[begin : begin + width, k].sum()
            for place in range(width):
                squared = 0.0
                for k in range(dimensions):
                    squared += (block[k * width + place] - middles[node, k]) ** 2
                radii[node] = max(radii[node], np.sqrt(squared))
        else:
            share = (tree.ends[child] - tree.begins[child]) / width
            sums[node] = sums[child] + sums[child + 1]
            middles[node] = share * middles[child] + (1 - share) * middles[child + 1]
            for part in range(child, child + 2):
                radii[node] = max(radii[node], _distance(middles[node], middles[part]) + radii[part])
    return middles, radii, sums


@compiled
def _distance(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    squared = 0.0
    for k in range(len(one)):
        squared += (one[k] - other[k]) ** 2
    return np.sqrt(squared)


@compiled
def _move(
    balls: _Balls, seeds: NDArray[np.float64], bandwidth: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Moves centres from their seeds until they rest.

    Returns:
        The centres float64 [seeds, d], and how many points are near each, int64 [seeds].
    """
    centres, counts = seeds.copy(), np.zeros(len(seeds), np.int64)
    tree = balls.tree
    total, before = np.empty(seeds.shape[1], np.int64), np.empty(seeds.shape[1])
    products, open_nodes = np.empty(widest_leaf(tree)), np.empty(tree.depth + 1, np.int64)
    for number in range(len(seeds)):
        centre = centres[number]
        for _ in range(1 + FURTHER_MOVES):
            counts[number] = _sum_near(balls, centre, bandwidth, total, products, open_nodes)
            before[:] = centre
            centre[:] = total * balls.unit / counts[number]
            if _distance(centre, before) < RESTING * bandwidth:
                break
    return centres, counts


@compiled
def _sum_near(
    balls: _Balls,
    centre: NDArray[np.float64],
    bandwidth: float,
    total: NDArray[np.int64],
    products: NDArray[np.float64],
    open_nodes: NDArray[np.int64],
) -> int:
    """Adds up the points near a centre.

    Args:
        balls: The points.
        centre: float64 [d].
        bandwidth: The largest cosine distance.
        total: int64 [d], receives the sum, in units.
        products: float64, room for the points of a leaf.
        open_nodes: int64, room for the way down the tree.

    Returns:
        How many points there are.
    """
    tree, dimensions = balls.tree, len(centre)
    direction = centre / max(np.sqrt((centre * centre).sum()), 1e-300)
    # Directions at a cosine distance b are sqrt(2 b) apart.
    reach, least = np.sqrt(2 * bandwidth), 1 - bandwidth
    total[:] = 0
    count = 0
    open_nodes[0], waiting = 0, 1
    while waiting:
        waiting -= 1
        node = open_nodes[waiting]
        distance, radius = _distance(direction, balls.middles[node]), balls.radii[node]
        if distance - radius > reach + MARGIN:
            continue
        begin, width = tree.begins[node], tree.ends[node] - tree.begins[node]
        if distance + radius < reach - MARGIN:
            count += width
            for k in range(dimensions):
                total[k] += balls.sums[node, k]
        elif tree.children[node] >= 0:
            open_nodes[waiting], open_nodes[waiting + 1] = tree.children[node], tree.children[node] + 1
            waiting += 2
        else:
            block = leaf_values(tree, node)
            products[:width] = 0.0
            for k in range(dimensions):
                for place in range(width):
                    products[place] += block[k * width + place] * direction[k]
            for place in range(width):
                if products[place] >= least:
                    count += 1
                    for k in range(dimensions):
                        total[k] += balls.points[begin + place, k]
    return count


def _keep(centres: NDArray[np.float64], counts: NDArray[np.int64], bandwidth: float) -> NDArray[np.float64]:
    """Keeps of centres within a bandwidth the one with most points; of equally many, the higher values."""
    order = np.lexsort((*centres.T[::-1], counts))[::-1]
    directions = _directions(centres[order])
    kept: list[int] = []
    for place, direction in enumerate(directions):
        if all(1 - directions[other] @ direction > bandwidth for other in kept):
            kept.append(place)
    return centres[order[kept]]


@compiled
def _nearest(balls: _Balls, directions: NDArray[np.float64]) -> NDArray[np.int64]:
    """Finds the direction float64 [clusters, d] nearest to every point, int64 [n], by place."""
    tree, count = balls.tree, len(directions)
    dimensions = directions.shape[1]
    nearest = np.empty(len(tree.order), np.int64)
    distances = np.empty(count)
    for leaf in range(len(tree.begins)):
        if tree.children[leaf] >= 0:
            continue
        begin, end = tree.begins[leaf], tree.ends[leaf]
        for number in range(count):
            distances[number] = _distance(balls.middles[leaf], directions[number])
        # Any point is nearest to one of those that may be nearest to some point.
        farthest = distances.min() + 2 * balls.radii[leaf] + MARGIN
        rivals = np.flatnonzero(distances <= farthest)
        if len(rivals) == 1:
            nearest[begin:end] = rivals[0]
            continue
        block, width = leaf_values(tree, leaf), end - begin
        for place in range(width):
            highest = -np.inf
            for rival in rivals:
                product = 0.0
                for k in range(dimensions):
                    product += block[k * width + place] * directions[rival, k]
                if product > highest:
                    highest, nearest[begin + place] = product, rival
    return nearest

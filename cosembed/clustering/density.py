"""Measures how dense points lie: the core distances of HDBSCAN (Campello et al., 2013). Knows points only.

The core distance of a point is how far away its min_samples-th neighbour is. Where many points are stood for
by one, in their middle, it has their number as its weight, and the mean square s of their distances to it as
its spread. At a distance r from the middle, the mean square of the distances to these points is then r^2 + s,
and if they spread alike in all d directions, its variance is (4 r^2 s + 2 s^2) / d. So one half of the weight
counts as lying a standard deviation nearer, the other as much farther (all in squares), and the core distance
is the distance within which enough weight lies, taken in proportion between two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering.compiling import compiled
from cosembed.clustering.search_tree import (
    SearchTree,
    go_on_with_nearer,
    leaf_values,
    squared_distance_of_boxes,
    squared_distances_to_box,
    squared_distances_to_points,
    widest_leaf,
)

# Neighbours are collected until there is so many times the weight that is needed; then the farthest are left
# out. Fewer would be sorted out more often, more would let the search look farther.
COLLECTED = 2


@compiled
def squared_core_distances(
    queries: SearchTree,
    wanted: NDArray[np.bool_],
    tree: SearchTree,
    weights: NDArray[np.float64],
    spreads: NDArray[np.float64],
    min_samples: int,
) -> NDArray[np.float64]:
    """Computes squared core distances.

    Args:
        queries: The points whose core distances are computed.
        wanted: bool [nodes of queries]: which leaves are computed.
        tree: The points among which neighbours are counted, those of the queries included.
        weights: float64 [points of tree], by place: how many points each stands for.
        spreads: float64 [points of tree], by place: the mean square of the distances of these to it.
        min_samples: Which neighbour decides; the point itself is not counted. The whole weight must be
            greater.

    Returns:
        float64 [points of queries], by place; NaN for those not wanted.
    """
    dimensions = tree.lows.shape[1]
    heaviest, has_spread = weights.max(), spreads.max() > 0
    # The near half of a clump counts as nearer than its middle, but never by more than this factor, whatever
    # the spread: the least value of 1 + x - sqrt((4 x + 2 x^2) / d).
    nearer = np.sqrt(max(0.0, 1 - 2 / dimensions)) if has_spread else 1.0
    # Enough that the middles on both sides of the wanted weight are among those kept.
    kept = min_samples + heaviest
    # A middle with a spread is collected as two halves.
    most_collected = 2 * int(COLLECTED * kept / weights.min()) + 1
    widest_query, widest = widest_leaf(queries), widest_leaf(tree)
    found = np.empty((widest_query, most_collected + 2 * widest))
    found_weights = np.empty((widest_query, most_collected + 2 * widest))
    counts, collected = np.zeros(widest_query, np.int64), np.zeros(widest_query)
    limits, to_box = np.empty(widest_query), np.empty(widest_query)
    to_points, deviations = np.empty(widest), np.empty(widest)
    open_nodes, open_distances = np.empty(tree.depth + 1, np.int64), np.empty(tree.depth + 1)
    cores = np.full(len(queries.order), np.nan)
    for leaf in range(len(queries.begins)):
        if queries.children[leaf] >= 0 or not wanted[leaf]:
            continue
        begin, width = queries.begins[leaf], queries.ends[leaf] - queries.begins[leaf]
        block = leaf_values(queries, leaf)
        low, high = queries.lows[leaf], queries.highs[leaf]
        counts[:], collected[:], limits[:width] = 0, 0.0, np.inf
        farthest = np.inf
        open_nodes[0], open_distances[0], waiting = 0, 0.0, 1
        while waiting:
            waiting -= 1
            node, distance = open_nodes[waiting], open_distances[waiting]
            while distance < farthest and tree.children[node] >= 0:
                one = tree.children[node]
                two = one + 1
                distance = nearer * squared_distance_of_boxes(low, high, tree.lows[one], tree.highs[one])
                other = nearer * squared_distance_of_boxes(low, high, tree.lows[two], tree.highs[two])
                node, distance, waiting = go_on_with_nearer(
                    one, distance, other, farthest, open_nodes, open_distances, waiting
                )
            if distance >= farthest:
                continue
            first, count = tree.begins[node], tree.ends[node] - tree.begins[node]
            others = leaf_values(tree, node)
            own_spreads, own_weights = spreads[first : first + count], weights[first : first + count]
            squared_distances_to_box(block, tree.lows[node], tree.highs[node], to_box[:width])
            is_changed = False
            for query in range(width):
                limit = limits[query]
                if nearer * to_box[query] >= limit:
                    continue
                squared_distances_to_points(block, width, query, others, to_points[:count])
                row, row_weights = found[query], found_weights[query]
                held, weight = counts[query], collected[query]
                if has_spread:
                    for j in range(count):
                        square, spread = to_points[j], own_spreads[j]
                        to_points[j] = square + spread
                        deviations[j] = np.sqrt((4 * square + 2 * spread) * spread / dimensions)
                    for j in range(count):
                        for value in (max(to_points[j] - deviations[j], 0.0), to_points[j] + deviations[j]):
                            if value < limit:
                                row[held], row_weights[held] = value, 0.5 * own_weights[j]
                                weight += 0.5 * own_weights[j]
                                held += 1
                else:
                    for j in range(count):
                        if to_points[j] < limit:
                            row[held], row_weights[held] = to_points[j], own_weights[j]
                            weight += own_weights[j]
                            held += 1
                if weight >= COLLECTED * kept:
                    place, before = _select(row, row_weights, held, kept)
                    limits[query], held = row[place], place + 1
                    weight = before + row_weights[place]
                    is_changed = True
                counts[query], collected[query] = held, weight
            if is_changed:
                farthest = 0.0
                for query in range(width):
                    farthest = max(farthest, limits[query])
        for query in range(width):
            cores[begin + query] = _weighted_rank(
                found[query], found_weights[query], counts[query], min_samples + 0.5
            )
    return cores


@compiled
def _weighted_rank(
    values: NDArray[np.float64], weights: NDArray[np.float64], count: int, wanted: float
) -> float:
    """Finds the value below which a wanted weight lies; half of each weight lies below its own value.

    Between two values it is taken in proportion. With weights of 1 and a wanted weight of k - 1/2 it is the
    k-th smallest value.
    """
    place, before = _select(values, weights, count, wanted)
    at_place = before + 0.5 * weights[place]
    if at_place == wanted:
        return values[place]
    neighbour = -1
    if at_place > wanted:
        for j in range(place):
            if neighbour < 0 or values[j] > values[neighbour]:
                neighbour = j
        step = -0.5
    else:
        for j in range(place + 1, count):
            if neighbour < 0 or values[j] < values[neighbour]:
                neighbour = j
        step = 0.5
    if neighbour < 0:
        return values[place]
    share = (wanted - at_place) / (step * (weights[place] + weights[neighbour]))
    return values[place] + share * (values[neighbour] - values[place])


@compiled
def _select(
    values: NDArray[np.float64], weights: NDArray[np.float64], count: int, wanted: float
) -> tuple[int, float]:
    """Brings the values below a wanted weight to the front.

    Returns:
        The place of the first value, in rising order, up to which the weights reach the wanted one, or of the
        last; all before it are no greater, all behind no less. And the weight of those before it.
    """
    begin, end, before = 0, count, 0.0
    while True:
        one, two, three = values[begin], values[(begin + end) >> 1], values[end - 1]
        pivot = max(min(one, two), min(max(one, two), three))
        middle, weight = _partition(values, weights, begin, end, pivot)
        if before + weight >= wanted:
            end = middle
        elif middle > begin:
            begin, before = middle, before + weight
        else:
            # Nothing is below the pivot: those equal to it come next, and their weights decide among them.
            middle, weight = _partition(values, weights, begin, end, np.nextafter(pivot, np.inf))
            if before + weight >= wanted or middle == end:
                place = begin
                while before + weights[place] < wanted and place < middle - 1:
                    before += weights[place]
                    place += 1
                return place, before
            begin, before = middle, before + weight


@compiled
def _partition(
    values: NDArray[np.float64], weights: NDArray[np.float64], begin: int, end: int, pivot: float
) -> tuple[int, float]:
    """Brings the values below a pivot to the front of a stretch.

    Returns:
        Where the others begin, and the weight of those before.
    """
    middle, weight = begin, 0.0
    for j in range(begin, end):
        value, own = values[j], weights[j]
        values[j], weights[j] = values[middle], weights[middle]
        values[middle], weights[middle] = value, own
        # Counted without a branch, which the processor would guess wrong half of the time.
        is_below = value < pivot
        middle += is_below
        weight += is_below * own
    return middle, weight

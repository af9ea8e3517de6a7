"""Orders points in a tree of boxes, so that searches can leave out most of them. Knows points only.

Every node of the tree holds a run of points and the smallest box around them. It is cut in the middle of the
box's longest side until few points are left; such a node is a leaf. Cutting boxes in the middle rather than
points at their median keeps the points of a dense cloud together, which is what searches gain from.

A leaf's points are stored channel by channel, so that one instruction compares a point with several of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering.compiling import compiled

# So many points of a leaf fill the processor's vectors well and still let searches leave much out.
LEAF_SIZE = 48
# So many points of a node decide how it is cut.
SAMPLED = 256


class SearchTree(NamedTuple):
    """Holds n points of d values in a tree of boxes.

    Points are numbered by their place in the tree; nodes come before their children, node 0 is the root.

    Attributes:
        order: int64 [n], the given number of the point at every place.
        begins: int64 [nodes], the first place of every node.
        ends: int64 [nodes], the place after the last.
        children: int64 [nodes], the first of two consecutive children; -1 for a leaf.
        lows: float64 [nodes, d], the lower corner of the box around a node's points.
        highs: float64 [nodes, d], the upper corner.
        values: float64 [n * d]; a leaf with the places b to e has values[b * d : e * d], which is [d, e - b].
        depth: How many nodes lie on the longest way down.
    """

    order: NDArray[np.int64]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    children: NDArray[np.int64]
    lows: NDArray[np.float64]
    highs: NDArray[np.float64]
    values: NDArray[np.float64]
    depth: int


@compiled
def build_search_tree(points: NDArray[np.float64], leaf_size: int) -> SearchTree:
    """Builds the tree of points.

    Args:
        points: float64 [n, d], finite, n at least 1.
        leaf_size: The most points of a leaf.
    """
    count, dimensions = points.shape
    order = np.arange(count)
    most = 2 * count
    begins, ends = np.zeros(most, np.int64), np.full(most, count)
    children, depths, depth = np.full(most, -1), np.ones(most, np.int64), 1
    lows, highs = np.empty((most, dimensions)), np.empty((most, dimensions))
    nodes = 1
    node = 0
    low, high = np.empty(dimensions), np.empty(dimensions)
    while node < nodes:
        begin, end = begins[node], ends[node]
        if end - begin > leaf_size:
            # A few hundred of many points tell which side of the box is long.
            _bound(points, order[begin : end : max(1, (end - begin) // SAMPLED)], low, high)
            longest = 0
            for k in range(1, dimensions):
                if high[k] - low[k] > high[longest] - low[longest]:
                    longest = k
            cut = 0.5 * (low[longest] + high[longest])
            # The middle of two neighbouring numbers may be the upper one.
            if cut >= high[longest]:
                cut = low[longest]
            place, last = begin, end - 1
            while place <= last:
                if points[order[place], longest] <= cut:
                    place += 1
                else:
                    order[place], order[last] = order[last], order[place]
                    last -= 1
            # Equal points have no side to cut.
            middle = place if place < end else (begin + end) // 2
            children[node] = nodes
            begins[nodes], ends[nodes], begins[nodes + 1], ends[nodes + 1] = begin, middle, middle, end
            depths[nodes] = depths[nodes + 1] = depths[node] + 1
            depth = max(depth, depths[nodes])
            nodes += 2
        node += 1
    values = np.empty(count * dimensions)
    for node in range(nodes - 1, -1, -1):
        child, begin, width = children[node], begins[node], ends[node] - begins[node]
        if child < 0:
            _bound(points, order[begin : begin + width], lows[node], highs[node])
            for place in range(width):
                point = points[order[begin + place]]
                for k in range(dimensions):
                    values[begin * dimensions + k * width + place] = point[k]
        else:
            for k in range(dimensions):
                lows[node, k] = min(lows[child, k], lows[child + 1, k])
                highs[node, k] = max(highs[child, k], highs[child + 1, k])
    return SearchTree(
        order,
        begins[:nodes].copy(),
        ends[:nodes].copy(),
        children[:nodes].copy(),
        lows[:nodes].copy(),
        highs[:nodes].copy(),
        values,
        depth,
    )


@compiled
def _bound(
    points: NDArray[np.float64],
    chosen: NDArray[np.int64],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
) -> None:
    """Writes the corners of the smallest box around the chosen points."""
    low[:], high[:] = np.inf, -np.inf
    for number in chosen:
        point = points[number]
        for k in range(len(low)):
            low[k] = min(low[k], point[k])
            high[k] = max(high[k], point[k])


@compiled
def widest_leaf(tree: SearchTree) -> int:
    """Returns how many points the leaf with the most of them has."""
    widest = 0
    for node in range(len(tree.begins)):
        if tree.children[node] < 0:
            widest = max(widest, tree.ends[node] - tree.begins[node])
    return widest


@compiled
def leaf_values(tree: SearchTree, leaf: int) -> NDArray[np.float64]:
    """Returns the values of a leaf's points, channel by channel; a view."""
    dimensions = tree.lows.shape[1]
    return tree.values[tree.begins[leaf] * dimensions : tree.ends[leaf] * dimensions]


@compiled
def go_on_with_nearer(
    child: int,
    distance: float,
    other: float,
    farthest: float,
    open_nodes: NDArray[np.int64],
    open_distances: NDArray[np.float64],
    waiting: int,
) -> tuple[int, float, int]:
    """Takes one step of a search down the tree, to the nearer of two children, which bounds it sooner.

    Args:
        child: The first of the two children.
        distance: Its distance.
        other: The distance of the second.
        farthest: How far is searched; a child that is no nearer is left out.
        open_nodes: The nodes to go back to, a stack; the farther child may be put there.
        open_distances: Their distances.
        waiting: How many of them there are.

    Returns:
        The nearer child, its distance, and how many nodes there are to go back to now.
    """
    near, far = child, child + 1
    if other < distance:
        near, far, distance, other = far, near, other, distance
    if other < farthest:
        open_nodes[waiting], open_distances[waiting] = far, other
        waiting += 1
    return near, distance, waiting


@compiled
def squared_distances_to_points(
    block: NDArray[np.float64], width: int, place: int, others: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Computes the squared distances of one point of a leaf to all of another.

    Args:
        block: float64 [d * width], a leaf's values.
        width: How many points that leaf has.
        place: Which of them is meant.
        others: float64 [d * len(out)], the values of the other leaf.
        out: float64, one for each of its points; is overwritten.
    """
    count, channels = len(out), len(block) // width
    out[:] = 0.0
    # Four channels at a time, so that sums are not written and read again for each.
    for k in range(0, channels - 3, 4):
        at = k * width + place
        one, two, three, four = block[at], block[at + width], block[at + 2 * width], block[at + 3 * width]
        rows = others[k * count : (k + 4) * count]
        first, second, third, fourth = (
            rows[:count],
            rows[count : 2 * count],
            rows[2 * count : 3 * count],
            rows[3 * count :],
        )
        for j in range(count):
            a, b, c, d = first[j] - one, second[j] - two, third[j] - three, fourth[j] - four
            out[j] += (a * a + b * b) + (c * c + d * d)
    for k in range(channels - channels % 4, channels):
        value = block[k * width + place]
        row = others[k * count : (k + 1) * count]
        for j in range(count):
            difference = row[j] - value
            out[j] += difference * difference


@compiled
def squared_distances_to_box(
    block: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], out: NDArray[np.float64]
) -> None:
    """Computes the squared distances of all points of a leaf to a box; 0 inside.

    Args:
        block: float64 [d * len(out)], the leaf's values.
        low: float64 [d], the box's lower corner.
        high: float64 [d], the upper corner.
        out: float64, one for each of the leaf's points; is overwritten.
    """
    count = len(out)
    out[:] = 0.0
    for k in range(len(low)):
        row = block[k * count : (k + 1) * count]
        for j in range(count):
            difference = max(max(low[k] - row[j], row[j] - high[k]), 0.0)
            out[j] += difference * difference


@compiled
def squared_distance_of_boxes(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    other: NDArray[np.float64],
    other_high: NDArray[np.float64],
) -> float:
    """Computes the squared distance of two boxes, given by their corners float64 [d]; 0 if they overlap."""
    total = 0.0
    for k in range(len(low)):
        difference = max(max(low[k] - other_high[k], other[k] - high[k]), 0.0)
        total += difference * difference
    return total

"""Finds the tree that HDBSCAN cuts: a minimum spanning tree of mutual reachability distances.

The mutual reachability distance of two points is the largest of their distance and of both their core
distances (Campello et al., 2013). The tree grows by Borůvka's rounds: every group of points, at first every
single one, finds the shortest edge that leaves it; all these edges join the tree, and the groups they join
become one. An edge that is the shortest to leave some group belongs to a minimum spanning tree (the cut
property).

Two things make the rounds cheap. No edge of a point is shorter than its core distance, so that the search of
a point whose group has an edge as short as this is over; in the first round, a neighbour inside a denser
place ends it. And a box whose points are all of the searching group is left out, or whose points all have
core distances beyond the shortest edge found.

This module knows points and their core distances, not what they stand for.
"""

from __future__ import annotations

from typing import NamedTuple

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


class Edges(NamedTuple):
    """Holds pairs of points and their mutual reachability distances, by rising length, [edges] each."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    length: NDArray[np.float64]


def spanning_tree(tree: SearchTree, squared_cores: NDArray[np.float64]) -> Edges:
    """Finds a minimum spanning tree of the mutual reachability distances of all pairs of points.

    Args:
        tree: The n points.
        squared_cores: float64 [n], their squared core distances, by place.

    Returns:
        n - 1 edges between places.
    """
    first, second, squared = _grow(tree, squared_cores)
    order = np.argsort(squared, kind="stable")
    return Edges(first[order], second[order], np.sqrt(squared[order]))


@compiled
def _grow(
    tree: SearchTree, cores: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Adds the shortest edges that leave the groups, until all points are one group."""
    count = len(cores)
    first, second = np.empty(count - 1, np.int64), np.empty(count - 1, np.int64)
    squared = np.empty(count - 1)
    edges = 0
    # `groups` are the groups of all points, named after one of their points; `above` leads from groups that
    # have been joined to what they are now.
    groups, above = np.arange(count), np.arange(count)
    lengths, inner, outer = np.empty(count), np.empty(count, np.int64), np.empty(count, np.int64)
    while edges < count - 1:
        lengths[:], inner[:] = np.inf, -1
        _find_leaving(tree, cores, groups, lengths, inner, outer)
        for group in range(count):
            if inner[group] < 0:
                continue
            one, other = find_root(above, groups[inner[group]]), find_root(above, groups[outer[group]])
            # Of equally long edges, some may join what others have joined in this round.
            if one != other:
                above[one] = other
                first[edges], second[edges] = inner[group], outer[group]
                squared[edges] = lengths[group]
                edges += 1
        for point in range(count):
            groups[point] = find_root(above, groups[point])
    return first, second, squared


@compiled
def find_root(above: NDArray[np.int64], node: int) -> int:
    """Follows a forest of joined sets to the root of a node's set, and shortens the way."""
    while above[node] != node:
        above[node] = above[above[node]]
        node = above[node]
    return node


@compiled
def _find_leaving(
    tree: SearchTree,
    cores: NDArray[np.float64],
    groups: NDArray[np.int64],
    lengths: NDArray[np.float64],
    inner: NDArray[np.int64],
    outer: NDArray[np.int64],
) -> None:
    """Finds the shortest edge that leaves every group.

    Args:
        tree: The points.
        cores: float64 [n], their squared core distances.
        groups: int64 [n], the group of every point.
        lengths: float64 [n], by group: squared lengths of the shortest edges, infinite; is overwritten.
        inner: int64 [n], by group: the edge's point in the group; is overwritten.
        outer: int64 [n], by group: its point outside; is overwritten.
    """
    nodes = len(tree.begins)
    only_groups, least_cores = np.empty(nodes, np.int64), np.empty(nodes)
    for node in range(nodes - 1, -1, -1):
        child, begin, end = tree.children[node], tree.begins[node], tree.ends[node]
        if child < 0:
            only_groups[node], least_cores[node] = groups[begin], cores[begin]
            for point in range(begin, end):
                if groups[point] != groups[begin]:
                    only_groups[node] = -1
                least_cores[node] = min(least_cores[node], cores[point])
        else:
            only_groups[node] = only_groups[child] if only_groups[child] == only_groups[child + 1] else -1
            least_cores[node] = min(least_cores[child], least_cores[child + 1])
    widest = widest_leaf(tree)
    to_box, to_points = np.empty(widest), np.empty(widest)
    open_nodes, open_distances = np.empty(tree.depth + 1, np.int64), np.empty(tree.depth + 1)
    for leaf in range(nodes):
        if tree.children[leaf] >= 0:
            continue
        begin, end = tree.begins[leaf], tree.ends[leaf]
        width = end - begin
        farthest = _farthest_search(cores, groups, lengths, begin, end)
        block = leaf_values(tree, leaf)
        low, high, own_group = tree.lows[leaf], tree.highs[leaf], only_groups[leaf]
        open_nodes[0], open_distances[0], waiting = 0, 0.0, 1
        while waiting:
            waiting -= 1
            node, distance = open_nodes[waiting], open_distances[waiting]
            while distance < farthest and tree.children[node] >= 0:
                one = tree.children[node]
                two = one + 1
                distance, other = np.inf, np.inf
                if least_cores[one] < farthest and (own_group < 0 or only_groups[one] != own_group):
                    distance = squared_distance_of_boxes(low, high, tree.lows[one], tree.highs[one])
                if least_cores[two] < farthest and (own_group < 0 or only_groups[two] != own_group):
                    other = squared_distance_of_boxes(low, high, tree.lows[two], tree.highs[two])
                node, distance, waiting = go_on_with_nearer(
                    one, distance, other, farthest, open_nodes, open_distances, waiting
                )
            if distance >= farthest:
                continue
            start, count = tree.begins[node], tree.ends[node] - tree.begins[node]
            others = leaf_values(tree, node)
            squared_distances_to_box(block, tree.lows[node], tree.highs[node], to_box[:width])
            is_changed = False
            for place in range(width):
                point = begin + place
                group, core = groups[point], cores[point]
                length = lengths[group]
                if to_box[place] >= length or core >= length or only_groups[node] == group:
                    continue
                squared_distances_to_points(block, width, place, others, to_points[:count])
                for j in range(count):
                    other_point = start + j
                    if to_points[j] < length and groups[other_point] != group and cores[other_point] < length:
                        length = max(to_points[j], max(core, cores[other_point]))
                        lengths[group], inner[group], outer[group] = length, point, other_point
                        is_changed = True
                        # What leaves one group enters another, whose search is bounded by it, too.
                        entered = groups[other_point]
                        if length < lengths[entered]:
                            lengths[entered], inner[entered], outer[entered] = length, other_point, point
            if is_changed:
                farthest = _farthest_search(cores, groups, lengths, begin, end)


@compiled
def _farthest_search(
    cores: NDArray[np.float64],
    groups: NDArray[np.int64],
    lengths: NDArray[np.float64],
    begin: int,
    end: int,
) -> float:
    """Tells how far, squared, any point of a leaf still has to search; -1 if none has to."""
    farthest = -1.0
    for point in range(begin, end):
        length = lengths[groups[point]]
        if cores[point] < length:
            farthest = max(farthest, length)
    return farthest

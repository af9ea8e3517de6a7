"""Clusters the pixels of a grid with HDBSCAN and lets the pixels between join the clusters (mode `fast`).

HDBSCAN lets distances grow from zero. At level L, all points are connected that are within L of each other
and have min_points neighbours within L. A point joins a cluster at the level at which it is first connected
to it. A cluster ends at the level at which its last point joins, before it becomes one with another. Pixels
between the grid's are added by the same rule, with the grid's pixels as their neighbours.

Invariant: a pixel belongs to a cluster only if it joins at a level no higher than the cluster's end; and at
no level below their ends are two clusters connected, be it through pixels of the grid or through others.

Example: a row of pixels of one value each, stride 2 and min_points 8, so that the grid is clustered with
8 / 2^2 = 2 points. The pixels on the grid have the values

    -3  0  1  2        7  8  9  12

The second neighbours of 0, 1 and 2 are 2, 1 and 2 away, so these three are connected at level 2; -3 joins at
4, where it has its second neighbour. The cluster A of these four ends at 4, and so does the cluster B of the
other four. At 5, the distance from 2 to 7, they would be one. Three pixels lie between those of the grid:

    - 2.5 lies beside the pixel 2, which joined A at 2. It surely joins by 2 + 0.5, well before A ends: it
      belongs to A.
    - 4.5 has 2 and 7 as its nearest, both 2.5 away: it joins A and B at 2.5. There the two are one, so both
      end at 2.5. It may go to either; but -3 and 12, which would join at 4, are noise now.
    - 16 has its second neighbour, 9, at a distance of 7, which is beyond the end of B: it is noise.

This module knows points and where their pixels are, not what the points' values mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cosembed.clustering.points import NOISE, cluster_with_levels
from cosembed.clustering.spanning_tree import build_search_tree

# A pixel gets the cluster of its neighbour on the grid if it surely joins that cluster before this share of
# its end.
SETTLED = 0.8
# Of the others, a pixel gets the cluster of its nearest grid points if so many of them agree.
NEIGHBOURS = 8
# The rest is clustered by density, so many pixels at a time, which bounds the memory.
CHUNK = 8192


class _Grid(NamedTuple):
    """Holds the clustered points of the grid.

    Attributes:
        points: float64 [n, d].
        clusters: [n], from 0; -1 is noise.
        levels: float64 [n], the level at which every point joins its cluster.
        min_points: What they were clustered with.
    """

    points: NDArray[np.float64]
    clusters: NDArray[np.intp]
    levels: NDArray[np.float64]
    min_points: int

    def ends(self) -> NDArray[np.float64]:
        """Returns the end of every cluster, and as a last entry 0 for noise, which nothing joins."""
        ends = np.zeros(self.clusters.max() + 2)
        np.maximum.at(ends, self.clusters, self.levels)
        ends[NOISE] = 0
        return ends


def cluster_on_grid(
    points: NDArray[np.float64], foreground: NDArray[np.bool_], stride: int, min_points: int
) -> NDArray[np.intp]:
    """Clusters the foreground of a frame pair, of which HDBSCAN sees only the pixels on a grid.

    Args:
        points: float64 [n, d], one for each foreground pixel in the order of frame, row, column.
        foreground: bool [F, H, W], with n pixels.
        stride: The grid has the pixels whose row and column are multiples of it; 1 is HDBSCAN of all points.
        min_points: m_pts for all pixels; on the grid it is divided by the stride's square.

    Returns:
        [n], the cluster of every point, from 0; -1 is noise.
    """
    pixels = np.nonzero(foreground)
    on_grid = (pixels[1] % stride == 0) & (pixels[2] % stride == 0)
    sampled = round(min_points / stride**2)
    grid = _Grid(points[on_grid], *cluster_with_levels(points[on_grid], sampled), sampled)
    clusters = np.full(len(points), NOISE)
    clusters[on_grid] = grid.clusters
    if not on_grid.all() and grid.clusters.max(initial=NOISE) != NOISE:
        between = tuple(place[~on_grid] for place in pixels)
        neighbours = _grid_neighbours(foreground, stride, between)
        clusters[on_grid], clusters[~on_grid] = _join_between(points[~on_grid], neighbours, grid)
    return clusters


def _grid_neighbours(
    foreground: NDArray[np.bool_], stride: int, pixels: tuple[NDArray[np.intp], ...]
) -> NDArray[np.intp]:
    """Finds the pixel of the grid that is nearest to each of the given pixels, in its frame.

    Args:
        foreground: bool [F, H, W].
        stride: Distance of the grid's rows and columns, in pixels.
        pixels: Frames, rows and columns, [n] each.

    Returns:
        [n], its number among the foreground pixels of the grid; -1 if it is not foreground.
    """
    on_grid = foreground[:, ::stride, ::stride]
    numbers = np.where(on_grid, np.cumsum(on_grid).reshape(on_grid.shape) - 1, -1)
    frames, *places = pixels
    nearest = [
        np.minimum((place + stride // 2) // stride, size - 1)
        for place, size in zip(places, on_grid.shape[1:], strict=True)
    ]
    return numbers[frames, *nearest]


def _join_between(
    points: NDArray[np.float64], neighbours: NDArray[np.intp], grid: _Grid
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Lets the points between the grid's join its clusters, as HDBSCAN defines clusters.

    A point belongs to the cluster that it reaches at the lowest level, unless the cluster has ended before. A
    cluster ends where its last grid point joins, or sooner: where a point between reaches it and another
    cluster.

    Args:
        points: float64 [n, d], the points between.
        neighbours: [n], the nearest grid point of each on the image, or -1.
        grid: The clustered points of the grid.

    Returns:
        Clusters of the grid's points, of which some may have become noise, and of the points between.
    """
    ends = grid.ends()
    clusters = grid.clusters[neighbours]
    # An upper bound of the level at which a point joins its neighbour's cluster: its core distance exceeds
    # the neighbour's by no more than their distance, and the neighbour's is no more than the neighbour's
    # level.
    reached = grid.levels[neighbours] + np.linalg.norm(points - grid.points[neighbours], axis=1)
    open_points = np.flatnonzero((neighbours < 0) | (reached > SETTLED * ends[clusters]))
    tree = build_search_tree(grid.points)
    nearest = grid.clusters[tree.query(points[open_points], NEIGHBOURS, workers=-1)[1]]
    clusters[open_points] = nearest[:, 0]
    divided = open_points[(nearest != nearest[:, :1]).any(axis=1)]
    chunks = np.array_split(points[divided], 1 + len(divided) // CHUNK)
    columns = zip(*(_two_lowest(tree, chunk, grid) for chunk in chunks), strict=True)
    first, first_level, second, second_level = (np.concatenate(column) for column in columns)
    for cluster in (first, second):
        np.minimum.at(ends, cluster, second_level)
    clusters[divided] = np.where(first_level <= ends[first], first, NOISE)
    return np.where(grid.levels <= ends[grid.clusters], grid.clusters, NOISE), clusters


def _two_lowest(
    tree: cKDTree, points: NDArray[np.float64], grid: _Grid
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Finds the two clusters that every point reaches at the lowest levels.

    Args:
        tree: The grid's points, for searching.
        points: float64 [n, d].
        grid: The clustered points of the grid.

    Returns:
        First cluster, its level, second cluster, its level, [n] each; the level is infinite where there is no
        cluster.
    """
    distances, neighbours = tree.query(points, grid.min_points, workers=-1)
    # The last distance is the core distance of a point between.
    levels = np.maximum(np.maximum(distances, grid.levels[neighbours]), distances[:, -1:])
    clusters = grid.clusters[neighbours]
    levels[clusters == NOISE] = np.inf
    every = np.arange(len(points))
    best = levels.argmin(axis=1)
    first, first_level = clusters[every, best], levels[every, best]
    levels[clusters == first[:, None]] = np.inf
    best = levels.argmin(axis=1)
    return first, first_level, clusters[every, best], levels[every, best]

"""Mode `fast`: HDBSCAN of the points of a pixel grid, whose clusters the pixels between join as HDBSCAN defines clusters.

Knows points and where their pixels are, not what embeddings mean.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cosembed.clustering.points import NOISE, clusters_and_levels
from cosembed.clustering.spanning_tree import search_tree

# A pixel is as its neighbour on the grid is, if it surely joins that cluster before this share of the cluster's last level.
SETTLED = 0.8
# One whose nearest grid points (this many) agree is as they are; others are clustered by their density.
NEIGHBOURS = 8
# Bounds the memory of that, in pixels at a time.
CHUNK = 8192


class _Grid(NamedTuple):
    """Points of the grid [n, d], their clusters and levels [n], and the least m_pts that they were clustered with."""

    points: NDArray[np.float64]
    clusters: NDArray[np.intp]
    levels: NDArray[np.float64]
    min_points: int

    def ends(self) -> NDArray[np.float64]:
        """The level of the last point of every cluster; one more for noise, which has none: 0."""
        ends = np.zeros(self.clusters.max() + 2)
        np.maximum.at(ends, self.clusters, self.levels)
        ends[NOISE] = 0
        return ends


def cluster_on_grid(
    points: NDArray[np.float64], foreground: NDArray[np.bool_], stride: int, min_points: int
) -> NDArray[np.intp]:
    """Cluster of every point; HDBSCAN sees those whose row and column are multiples of the stride.

    Args:
        points: float64 [n, d], of the pixels of the foreground.
        foreground: [F, H, W].
        stride: Of the grid, in pixels; 1 is HDBSCAN of all points.
        min_points: min_samples and min_cluster_size, in points without a stride.

    Returns:
        Clusters from 0; -1 is noise.
    """
    pixels = np.nonzero(foreground)
    on_grid = (pixels[1] % stride == 0) & (pixels[2] % stride == 0)
    sampled = round(min_points / stride**2)
    grid = _Grid(points[on_grid], *clusters_and_levels(points[on_grid], sampled), sampled)
    clusters = np.full(len(points), NOISE)
    clusters[on_grid] = grid.clusters
    if not on_grid.all() and grid.clusters.max(initial=NOISE) != NOISE:
        between = tuple(place[~on_grid] for place in pixels)
        neighbours = _grid_neighbours(foreground, stride, between)
        clusters[on_grid], clusters[~on_grid] = _join(points[~on_grid], neighbours, grid)
    return clusters


def _grid_neighbours(
    foreground: NDArray[np.bool_], stride: int, pixels: tuple[NDArray[np.intp], ...]
) -> NDArray[np.intp]:
    """The nearest pixel of the grid for every pixel (frames, rows, columns), by its number among the grid's foreground.

    -1: it is not foreground.
    """
    on_grid = foreground[:, ::stride, ::stride]
    numbers = np.where(on_grid, np.cumsum(on_grid).reshape(on_grid.shape) - 1, -1)
    frames, *places = pixels
    nearest = [
        np.minimum((place + stride // 2) // stride, size - 1)
        for place, size in zip(places, on_grid.shape[1:], strict=True)
    ]
    return numbers[frames, *nearest]


def _join(
    points: NDArray[np.float64], neighbours: NDArray[np.intp], grid: _Grid
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Clusters of the grid's points and of the points between them, as HDBSCAN defines clusters.

    A point belongs to the cluster that it reaches at the lowest level, unless the cluster has ended there. A cluster ends
    where its last grid point joins, or sooner: where a point between reaches it and another one, for there the two are one.
    """
    ends = grid.ends()
    clusters = grid.clusters[neighbours]
    # A core distance grows no faster than the distance between points, and a level is no less than its core distance.
    reached = grid.levels[neighbours] + np.linalg.norm(points - grid.points[neighbours], axis=1)
    open_points = np.flatnonzero((neighbours < 0) | (reached > SETTLED * ends[clusters]))
    tree = search_tree(grid.points)
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
    """The two clusters that every point reaches at the lowest levels, each followed by the level; infinite is none."""
    distances, neighbours = tree.query(points, grid.min_points, workers=-1)
    # The last distance is the core distance.
    levels = np.maximum(np.maximum(distances, grid.levels[neighbours]), distances[:, -1:])
    clusters = grid.clusters[neighbours]
    levels[clusters == NOISE] = np.inf
    every = np.arange(len(points))
    best = levels.argmin(axis=1)
    first, first_level = clusters[every, best], levels[every, best]
    levels[clusters == first[:, None]] = np.inf
    best = levels.argmin(axis=1)
    return first, first_level, clusters[every, best], levels[every, best]

"""Cuts an image into overlapping tiles of the network's size (the follow-up, Payer et al. 2019).

Pure geometry: knows no network and no labels. What tiles show is put together by `cosembed.tracking.merging`.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

Item = TypeVar("Item")
# What a tile shows beyond an image that is smaller than it.
OUTSIDE = -1.0


class Tile(NamedTuple):
    """Says which part of an image the network sees at a time.

    Attributes:
        y: First row of the image in the tile.
        x: First column of the image in the tile.
        height: How many rows of the image it shows; fewer than `side` if the image has fewer.
        width: How many columns of the image it shows.
        side: Side of the tile itself; a smaller image lies in its centre.
    """

    y: int
    x: int
    height: int
    width: int
    side: int

    def cut(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cuts the tile out of an image.

        Args:
            image: float32 [H, W, C].

        Returns:
            float32 [side, side, C].
        """
        part = image[self.y : self.y + self.height, self.x : self.x + self.width]
        if part.shape[:2] == (self.side, self.side):
            return np.ascontiguousarray(part)
        tile = np.full((self.side, self.side, image.shape[2]), OUTSIDE, image.dtype)
        tile[self._shown] = part
        return tile

    def shown(self, output: NDArray) -> NDArray:
        """Returns the part of what a network made of the tile, [side, side, ...], that shows the image."""
        return output[self._shown]

    @property
    def _shown(self) -> tuple[slice, slice]:
        top, left = (self.side - self.height) // 2, (self.side - self.width) // 2
        return slice(top, top + self.height), slice(left, left + self.width)


def plan_tiles(shape: tuple[int, int], side: int, overlap: int) -> list[Tile]:
    """Covers an image with tiles, row by row.

    Args:
        shape: Height and width of the image.
        side: Side of a tile.
        overlap: How many rows or columns neighbours share; the last tile of a row or column is moved back to
            end where the image ends, and shares more.

    Returns:
        The tiles by rising y, then x. Along an axis on which the image is no longer than a tile there is one.
    """
    height, width = shape
    return [
        Tile(y, x, min(side, height), min(side, width), side)
        for y in _starts(height, side, side - overlap)
        for x in _starts(width, side, side - overlap)
    ]


def spread_evenly(tiles: list[Item], count: int) -> list[Item]:
    """Chooses at most so many tiles from all over the image, always the same ones."""
    chosen = np.unique(np.linspace(0, len(tiles) - 1, min(count, len(tiles))).round().astype(int))
    return [tiles[index] for index in chosen]


def own_parts(tiles: list[Tile]) -> list[tuple[slice, slice]]:
    """Divides an image among its tiles: in the middle of what neighbours share, one part ends.

    Args:
        tiles: All tiles of the image.

    Returns:
        For every tile the rows and columns of the image that are its own.
    """
    rows = _divided(sorted({(tile.y, tile.y + tile.height) for tile in tiles}))
    columns = _divided(sorted({(tile.x, tile.x + tile.width) for tile in tiles}))
    return [(rows[tile.y], columns[tile.x]) for tile in tiles]


def _divided(spans: list[tuple[int, int]]) -> dict[int, slice]:
    """Returns for the begin of every span the slice that is its own."""
    borders = [(end + begin) // 2 for (_, end), (begin, _) in pairwise(spans)]
    edges = pairwise([spans[0][0], *borders, spans[-1][1]])
    return {begin: slice(*own) for (begin, _), own in zip(spans, edges, strict=True)}


def _starts(length: int, side: int, step: int) -> list[int]:
    if length <= side:
        return [0]
    return [*range(0, length - side, step), length - side]

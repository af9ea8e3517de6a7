"""Keeps the embeddings of a few frames of a video that is seen in tiles, for pictures and for a check.

Embeddings of one cell differ from tile to tile, since each tile is seen by itself: a picture of a whole frame
is a patchwork, and whether the network suits the images is checked in one tile. Knows no files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.inference.pieces import Plan, TilePair
from cosembed.inference.tiles import own_parts

# In pixels: the longer side of the picture of a frame is at most this.
PICTURE_SIDE = 512


class SampledTile(NamedTuple):
    """Holds what is kept of a frame in a tile.

    Attributes:
        frame: Index of the frame.
        tile: Index of the tile.
        embeddings: float32 [h, w, D], all of a tile that is checked; of others, the pixels of their own part
            of the image that a picture shows.
    """

    frame: int
    tile: int
    embeddings: NDArray[np.float32]


class Samples:
    """Collects embeddings of a few frames while the tiles pass.

    Args:
        plan: The video's pieces.
        frames: Indices of the frames that are kept.
        tiles: What was kept already.

    Attributes:
        tiles: What was kept.
        checked: The rows and columns of the image in the tile that is checked, the one in its middle.
    """

    def __init__(self, plan: Plan, frames: Collection[int], tiles: Iterable[SampledTile] = ()) -> None:
        self.tiles = list(tiles)
        self._plan = plan
        self._frames = frozenset(frames)
        self._parts = own_parts(plan.tiles)
        self._step = -(-max(plan.shape) // PICTURE_SIDE)
        self._middle = len(plan.tiles) // 2
        tile = plan.tiles[self._middle]
        self.checked = slice(tile.y, tile.y + tile.height), slice(tile.x, tile.x + tile.width)

    def passing(self, items: Iterable[TilePair]) -> Iterator[TilePair]:
        """Yields the frame pairs of tiles after what is asked for was kept of each."""
        for item in items:
            # Of a pair, the later frame is kept, and of the first pair both.
            last = item.pair + len(item.embeddings) - 1
            for frame in (0, last) if item.pair == 0 and last else (last,):
                if frame in self._frames:
                    self._keep(frame, item.tile, item.embeddings[frame - item.pair])
            yield item

    def pictures(self) -> dict[int, NDArray[np.float32]]:
        """Returns frame index -> float32 [h, w, D], every so many pixels of the whole frame."""
        found: dict[int, NDArray[np.float32]] = {}
        height, width = (-(-side // self._step) for side in self._plan.shape)
        for frame, tile, embeddings in self.tiles:
            empty = np.zeros((height, width, embeddings.shape[-1]), np.float32)
            part = self._thinned(tile, embeddings) if tile == self._middle else embeddings
            rows, columns = self._rows_and_columns(tile)
            found.setdefault(frame, empty)[np.ix_(rows // self._step, columns // self._step)] = part
        return dict(sorted(found.items()))

    def checks(self) -> dict[int, NDArray[np.float32]]:
        """Returns frame index -> float32 [h, w, D], the embeddings of the tile that is checked."""
        return {
            frame: kept for frame, tile, kept in sorted(self.tiles, key=_by_frame) if tile == self._middle
        }

    def _keep(self, frame: int, tile: int, embeddings: NDArray[np.float32]) -> None:
        kept = embeddings if tile == self._middle else self._thinned(tile, embeddings)
        self.tiles.append(SampledTile(frame, tile, kept.copy()))

    def _thinned(self, tile: int, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        rows, columns = self._rows_and_columns(tile)
        place = self._plan.tiles[tile]
        return embeddings[np.ix_(rows - place.y, columns - place.x)]

    def _rows_and_columns(self, tile: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Returns the rows and columns of the image in a tile's own part that pictures show."""
        rows, columns = (
            np.arange(-(-part.start // self._step) * self._step, part.stop, self._step)
            for part in self._parts[tile]
        )
        return rows, columns


def _by_frame(sampled: SampledTile) -> int:
    return sampled.frame

"""Judges what is larger than a tile, of which the network never saw the whole, and which merging left out.

A video most of whose cells are larger than a tile is refused, since its result would be worthless. Single
objects among cells that fit are left out and told: a network's mistakes, such as several cells taken for one,
must not end a long run. Knows merged pairs only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cosembed.errors import DataError
from cosembed.files.wording import counted
from cosembed.preprocessing.geometry import Grid
from cosembed.tracking.merging import Merged, Oversized

# A cell fills this part of its box at least; background and debris that a network joins fill less.
FILLED = 0.5


class OversizedCells:
    """Collects what is larger than a tile over a video.

    Args:
        side: Side of a tile, in network pixels.
        grid: Where network pixels lie in the original images.
        numbers: The numbers of the frames.
    """

    def __init__(self, side: int, grid: Grid, numbers: Sequence[int]) -> None:
        self._side = side
        self._grid = grid
        self._numbers = numbers
        self._first: tuple[int, Oversized] | None = None
        self._pairs = 0
        self._compact = self._cells = 0

    def note(self, pair: int, merged: Merged) -> None:
        """Takes in what merging gave for the pair of frames `pair` and `pair` + 1."""
        self._cells += int(np.count_nonzero(merged.labels))
        if not merged.oversized:
            return
        self._pairs += 1
        if self._first is None:
            self._first = pair, max(merged.oversized, key=lambda found: found.area)
        frames, height, width = merged.labels.shape
        for found in merged.oversized:
            spans = found.height == height or found.width == width
            if found.area > FILLED * frames * found.height * found.width and not spans:
                self._compact += found.area

    def judge(self) -> list[str]:
        """Returns a sentence if anything was left out.

        Raises:
            DataError: What was left out has more pixels than all cells that were found; only what fills its
                box and does not go from edge to edge of the image counts for it.
        """
        if self._first is None:
            return []
        pair, found = self._first
        grid, side = self._grid, self._side
        y, x = found.y * grid.scale_y + grid.offset_y, found.x * grid.scale_x + grid.offset_x
        height, width = found.height * grid.scale_y, found.width * grid.scale_x
        what = (
            f"frame {self._numbers[pair]}: what begins at row {max(0, round(y))}, column {max(0, round(x))} "
            f"and has {round(height)} x {round(width)} pixels is larger than a tile, which shows "
            f"{round(side * grid.scale_y)} x {round(side * grid.scale_x)}"
        )
        remedy = "choose a smaller inference.scale or a larger inference.tile"
        if self._compact > self._cells:
            raise DataError(f"{what}, as most that was found in this video; {remedy}")
        pairs = counted(self._pairs, "pair")
        return [f"{what}; such objects were left out in {pairs} of frames. If they are cells, {remedy}."]

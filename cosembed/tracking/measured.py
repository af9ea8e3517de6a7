"""Keeps what was measured of the cells of a video in columns, in a tenth of the memory of dictionaries.

Knows numbers only, neither masks nor what the columns mean.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Row = TypeVar("Row")


class Measured(Mapping[int, dict[int, Row]], Generic[Row]):
    """Gives what was measured of a cell: label -> frame -> row; a label's rows are made when asked for.

    Args:
        row: Makes a row of the values of its columns.
        labels: int32 [N], the label of every cell.
        frames: int32 [N], its frame.
        columns: What was measured of it, structured [N].
    """

    def __init__(
        self,
        row: Callable[..., Row],
        labels: NDArray[np.int32],
        frames: NDArray[np.int32],
        columns: NDArray[np.void],
    ) -> None:
        order = np.lexsort((frames, labels))
        self._row = row
        self._labels, self._frames, self._columns = labels[order], frames[order], columns[order]

    def __len__(self) -> int:
        return len(np.unique(self._labels))

    def __iter__(self) -> Iterator[int]:
        return iter(np.unique(self._labels).tolist())

    def __getitem__(self, label: int, /) -> dict[int, Row]:
        """Returns the rows of a label, by rising frame; raises KeyError if it has none."""
        begin, end = np.searchsorted(self._labels, [label, label + 1])
        if begin == end:
            raise KeyError(label)
        frames, rows = self._frames[begin:end].tolist(), self._columns[begin:end].tolist()
        return {frame: self._row(*values) for frame, values in zip(frames, rows, strict=True)}

    def at(self, label: int, frame: int) -> Row:
        """Returns the row of a label in a frame where it is seen."""
        begin, end = np.searchsorted(self._labels, [label, label + 1])
        place = begin + np.searchsorted(self._frames[begin:end], frame)
        return self._row(*self._columns[place].item())

    def numbered_from(self, first: int) -> Measured[Row]:
        """Returns the same, frames counted from `first` in place of 0."""
        return Measured(self._row, self._labels, self._frames + np.int32(first), self._columns)


def collect(
    row: Callable[..., Row],
    frames: Sequence[int],
    labels: Sequence[NDArray[np.int32]],
    columns: Sequence[NDArray[np.void]],
) -> Measured[Row]:
    """Joins what was measured frame by frame.

    Args:
        row: Makes a row of the values of its columns.
        frames: The number of every frame; there is at least one.
        labels: For every frame, the labels int32 [n] of its cells.
        columns: For every frame, what was measured of them, structured [n].
    """
    numbers = np.repeat(np.array(frames, np.int32), [len(present) for present in labels])
    return Measured(row, np.concatenate(labels), numbers, np.concatenate(columns))

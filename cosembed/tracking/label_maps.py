"""Keeps the label maps of a video packed, and what their labels are called in the end.

Cleaning a video up, numbering its tracks and cutting them before their children give labels other names and
change no outline. So every frame is kept as it was stitched, beside a table of its names, and no frame is
written twice. Knows labels only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cosembed.files.packed_arrays import PackedArrays


class LabelFrames(Protocol):
    """Gives the labels [H, W] of a frame by its index: an array [T, H, W], `PackedArrays`, or `LabelMaps`."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[NDArray]: ...

    def __getitem__(self, frame: int, /) -> NDArray: ...


class FrameTables:
    """Holds a table of whole numbers for every frame, in a tenth of the memory of dictionaries."""

    def __init__(self, tables: Iterable[Mapping[int, int]] = ()) -> None:
        """Starts with the tables of the first frames."""
        self._tables: list[NDArray[np.int32]] = []
        for table in tables:
            self.append(table)

    def __len__(self) -> int:
        return len(self._tables)

    def __iter__(self) -> Iterator[dict[int, int]]:
        return (self[frame] for frame in range(len(self)))

    def __getitem__(self, frame: int, /) -> dict[int, int]:
        keys, values = self._tables[frame].tolist()
        return dict(zip(keys, values, strict=True))

    def append(self, table: Mapping[int, int]) -> None:
        """Adds the table of the next frame."""
        self.append_columns([*table], [*table.values()])

    def append_columns(self, keys: ArrayLike, values: ArrayLike) -> None:
        """Adds the table of the next frame, its keys and its values [N]."""
        self._tables.append(np.array([keys, values], np.int32))

    def columns(self, frame: int) -> NDArray[np.int32]:
        """Returns the keys and the values of a frame, [2, N]."""
        return self._tables[frame]

    def rename(self, key: int, begin: int, end: int, other: int) -> None:
        """Calls a key otherwise in the frames from `begin` to `end`."""
        for keys, _ in self._tables[begin : end + 1]:
            keys[keys == key] = other


class LabelMaps:
    """Gives the labels uint16 [H, W] of a video's tracks, frame by frame.

    Args:
        stored: The label maps int32 [H, W].
        labels: For every frame, track -> the label that it has in the map; labels that are not there are
            background.
    """

    def __init__(self, stored: PackedArrays, labels: FrameTables) -> None:
        self._stored = stored
        self._labels = labels

    def __len__(self) -> int:
        return len(self._stored)

    def __iter__(self) -> Iterator[NDArray[np.uint16]]:
        return (self[frame] for frame in range(len(self)))

    def __getitem__(self, frame: int, /) -> NDArray[np.uint16]:
        image = self._stored[frame]
        tracks, labels = self._labels.columns(frame)
        return relabelled(image, tracks, labels)


def relabelled(image: NDArray, names: NDArray[np.integer], labels: NDArray[np.integer]) -> NDArray[np.uint16]:
    """Calls the labels of an image [H, W] by their names; those without one become background."""
    table = np.zeros(int(image.max(initial=0)) + 1, np.uint16)
    table[labels] = names
    return table[image]

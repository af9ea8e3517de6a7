"""A video on disk as an indexable sequence of frames, decoded on access. Knows no labels.

A folder of TIFF or PNG files in natural order, or one multi-page TIFF. Numbering and sizes are checked when it is opened,
pixel values when a frame is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from cosembed.data.tiff import SUFFIXES, check_header, page_count, read_image
from cosembed.errors import DataError

_LAST_NUMBER = re.compile(r"(\d+)(?!.*\d)")


class Frames(Sequence[NDArray]):
    """Frames [H, W] or [H, W, C] of one video; indexing reads and checks one frame."""

    def __init__(self, items: tuple[tuple[Path, int], ...], shape: tuple[int, int]) -> None:
        """`items` are (file, page) pairs; use `open_frames`."""
        self._items = items
        self.shape = shape

    @property
    def paths(self) -> list[Path]:
        """The file of every frame."""
        return [path for path, _ in self._items]

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> NDArray: ...

    @overload
    def __getitem__(self, index: slice) -> Frames: ...

    def __getitem__(self, index: int | slice) -> NDArray | Frames:
        if isinstance(index, slice):
            return Frames(self._items[index], self.shape)
        path, page = self._items[index]
        frame = read_image(path, page)
        if frame.shape[:2] != self.shape:
            raise DataError(f"{path}: is {_size(frame.shape)}, but the first frame is {_size(self.shape)}; make them equal")
        if frame.dtype.kind == "f" and not np.isfinite(frame).all():
            raise DataError(f"{path}: holds values that are not finite (NaN or infinity); replace them")
        if frame.min() == frame.max():
            raise DataError(f"{path}: every pixel has the value {frame.min()}; remove or replace the empty frame")
        return frame

    def cut(self, begin: int, end: int) -> Frames:
        """Frames `begin` to `end` (excluded)."""
        return self[begin:end]


def open_frames(path: Path) -> Frames:
    """Opens a video.

    Args:
        path: A folder of frames (the last number in each name counts), or one multi-page TIFF.

    Raises:
        DataError: Nothing there, a gap in the numbering, or frames of different sizes.
    """
    if path.is_file():
        pages = page_count(path)
        height, width, _ = check_header(path, 0)
        return Frames(tuple((path, page) for page in range(pages)), (height, width))
    if not path.is_dir():
        raise DataError(f"{path}: does not exist; put the frames there, as t000.tif, t001.tif, ...")
    files = sorted((file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.name[0] != "."), key=_order)
    if not files:
        raise DataError(f"{path}: holds no TIFF or PNG frames; put them there, as t000.tif, t001.tif, ...")
    check_numbering(files)
    height, width, dtype = check_header(files[0], 0)
    for file in files[1:]:
        found = check_header(file, 0)
        if found[:2] != (height, width):
            raise DataError(f"{file}: is {_size(found)}, but {files[0].name} is {_size((height, width))}; make them equal")
        if found[2] != dtype:
            raise DataError(f"{file}: is of type {found[2]}, but {files[0].name} of {dtype}; save all frames alike")
    return Frames(tuple((file, 0) for file in files), (height, width))


def file_number(path: Path) -> int | None:
    """The last number in a file's name, `t012.tif` -> 12; None if there is none."""
    match = _LAST_NUMBER.search(path.stem)
    return int(match[1]) if match else None


def check_numbering(files: Sequence[Path]) -> None:
    """Raises `DataError` if sorted files skip or repeat a number, naming the missing file."""
    for before, after in pairwise(files):
        first, second = file_number(before), file_number(after)
        if first is None or second is None:
            continue
        if second == first:
            raise DataError(f"{after}: has the same number as {before.name}; keep one of them")
        if second != first + 1:
            match = _LAST_NUMBER.search(before.stem)
            assert match is not None
            missing = before.stem[: match.start()] + str(first + 1).zfill(len(match[1])) + before.stem[match.end() :]
            raise DataError(
                f"{before.with_name(missing + before.suffix)}: is missing; {after.name} follows {before.name}, add it"
            )


def _order(path: Path) -> tuple[int, str]:
    number = file_number(path)
    return (-1 if number is None else number, path.name)


def _size(shape: Sequence[int] | tuple[int, int, str]) -> str:
    return f"{shape[1]} x {shape[0]} pixels"

"""A video on disk as an indexable sequence of frames, decoded on access. Knows no labels.

A folder of TIFF or PNG files in natural order, or one multi-page TIFF. Numbering and sizes are checked when it is opened,
pixel values when a frame is read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from cosembed.data.tiff import SUFFIXES, Header, check_header, read_headers, read_image
from cosembed.errors import DataError

_LAST_NUMBER = re.compile(r"(\d+)(?!.*\d)")


class _Source(NamedTuple):
    """Where a frame is, and its number in the video's own numbering."""

    path: Path
    page: int
    number: int


class Frames(Sequence[NDArray]):
    """Frames [H, W] or [H, W, C] of one video; indexing reads and checks one frame."""

    def __init__(self, sources: tuple[_Source, ...], shape: tuple[int, int]) -> None:
        """Not for users: call `open_frames`."""
        self._sources = sources
        self.shape = shape

    @property
    def paths(self) -> list[Path]:
        """The file of every frame."""
        return [source.path for source in self._sources]

    @property
    def numbers(self) -> list[int]:
        """The number of every frame in its file's name; counted from 0 in a multi-page TIFF or without numbers."""
        return [source.number for source in self._sources]

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> NDArray: ...

    @overload
    def __getitem__(self, index: slice) -> Frames: ...

    def __getitem__(self, index: int | slice) -> NDArray | Frames:
        if isinstance(index, slice):
            return Frames(self._sources[index], self.shape)
        path, page, _ = self._sources[index]
        name = f"{path}, page {page}" if page else str(path)
        frame = read_image(path, page)
        if frame.shape[:2] != self.shape:
            raise DataError(f"{name}: is {_size(frame.shape)}, but the first frame is {_size(self.shape)}; make them equal")
        if frame.dtype.kind == "f" and not np.isfinite(frame).all():
            raise DataError(f"{name}: holds values that are not finite (NaN or infinity); replace them")
        if frame.min() == frame.max():
            raise DataError(f"{name}: every pixel has the value {frame.min()}; remove or replace the empty frame")
        return frame

    def cut(self, begin: int, end: int) -> Frames:
        """Frames `begin` to `end` (excluded)."""
        return self[begin:end]


def open_frames(path: Path) -> Frames:
    """Opens a video.

    Args:
        path: A folder of frames (the last number in each name counts), or one multi-page TIFF.

    Raises:
        DataError: Nothing there, a gap in the numbering, a truncated frame, or frames of different sizes or types.
    """
    if path.is_file():
        headers = read_headers(path)
        for page, header in enumerate(headers):
            _check_alike(f"{path}, page {page}", header, "page 0", headers[0])
        return Frames(tuple(_Source(path, page, page) for page in range(len(headers))), headers[0][:2])
    if not path.is_dir():
        raise DataError(f"{path}: does not exist; put the frames there, as t000.tif, t001.tif, ...")
    files = sorted((file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and file.name[0] != "."), key=_order)
    if not files:
        raise DataError(f"{path}: holds no TIFF or PNG frames; put them there, as t000.tif, t001.tif, ...")
    check_numbering(files)
    first = check_header(files[0])
    for file in files[1:]:
        _check_alike(str(file), check_header(file), files[0].name, first)
    start = file_number(files[0]) or 0
    return Frames(tuple(_Source(file, 0, start + index) for index, file in enumerate(files)), first[:2])


def file_number(path: Path) -> int | None:
    """The last number in a file's name, `t012.tif` -> 12; None if there is none."""
    match = _LAST_NUMBER.search(path.stem)
    return int(match[1]) if match else None


def check_numbering(files: Sequence[Path]) -> None:
    """Raises `DataError` if sorted files skip or repeat a number, or if only some have one; names the file."""
    for before, after in pairwise(files):
        first, second = file_number(before), file_number(after)
        if second is None:
            continue
        if first is None:
            raise DataError(f"{before}: has no frame number, unlike {after.name}; number it or move it elsewhere")
        if second == first:
            raise DataError(
                f"{after}: has the same number as {before.name} (the last number in a name counts); keep or rename one"
            )
        if second != first + 1:
            match = _LAST_NUMBER.search(before.stem)
            assert match is not None
            missing = before.stem[: match.start()] + str(first + 1).zfill(len(match[1])) + before.stem[match.end() :]
            raise DataError(
                f"{before.with_name(missing + before.suffix)}: is missing; {after.name} follows {before.name}, add it"
            )


def _check_alike(name: str, header: Header, first_name: str, first: Header) -> None:
    if header[:2] != first[:2]:
        raise DataError(f"{name}: is {_size(header)}, but {first_name} is {_size(first)}; make them equal")
    if header.dtype != first.dtype:
        raise DataError(f"{name}: is of type {header.dtype}, but {first_name} of {first.dtype}; save all frames alike")


def _order(path: Path) -> tuple[int, str]:
    number = file_number(path)
    return (-1 if number is None else number, path.name)


def _size(shape: Sequence[int] | Header) -> str:
    return f"{shape[1]} x {shape[0]} pixels"

"""Opens a video on disk as an indexable sequence of frames, decoded on access. Knows no labels.

It is a folder of TIFF or PNG files in natural order, or one multi-page TIFF; channels are samples of a pixel
or pages of a hyperstack. Numbering and sizes are checked when it is opened, pixel values when a frame is
read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import DataError, InputError
from cosembed.images.decoding import Header
from cosembed.images.reading import SUFFIXES, read_image
from cosembed.images.stacks import Layout, read_layout

_LAST_NUMBER = re.compile(r"(\d+)(?!.*\d)")


class _Source(NamedTuple):
    """Says where a frame is (a page per channel, or one for all), and its number in the video's numbering."""

    path: Path
    pages: tuple[int, ...]
    number: int


class Frames(Sequence[NDArray]):
    """Holds the frames of one video, [H, W] or [H, W, C]; indexing reads and checks one frame."""

    def __init__(self, sources: tuple[_Source, ...], header: Header, sample: int | None = None) -> None:
        """Takes what `open_frames` finds; users call that."""
        self._sources = sources
        self._header = header
        self._sample = sample

    @property
    def shape(self) -> tuple[int, int]:
        """Returns the height and width of every frame."""
        return self._header[:2]

    @property
    def dtype(self) -> str:
        """Returns the type of the pixels, for example `uint16`."""
        return self._header.dtype

    @property
    def channels(self) -> int:
        """Returns how many channels a frame has; with one, it is [H, W]."""
        return 1 if self._sample is not None else max(self._header.channels, len(self._sources[0].pages))

    @property
    def paths(self) -> list[Path]:
        """Lists the file of every frame; a multi-page TIFF is there for each of its frames."""
        return [source.path for source in self._sources]

    @property
    def numbers(self) -> list[int]:
        """Lists the number of every frame in its file's name; frames without one are counted from 0."""
        return [source.number for source in self._sources]

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> NDArray: ...

    @overload
    def __getitem__(self, index: slice) -> Frames: ...

    def __getitem__(self, index: int | slice) -> NDArray | Frames:
        if isinstance(index, slice):
            return Frames(self._sources[index], self._header, self._sample)
        path, pages, _ = self._sources[index]
        name = f"{path}, page {pages[0]}" if pages[0] else str(path)
        frame = read_image(path, pages[0])
        if len(pages) > 1:
            frame = np.stack([frame, *(read_image(path, page) for page in pages[1:])], axis=-1)
        if self._sample is not None:
            frame = frame[..., self._sample]
        if frame.shape[:2] != self.shape:
            raise DataError(
                f"{name}: is {_size(frame.shape)}, but the first frame is {_size(self.shape)}; "
                "make them equal"
            )
        check_pixels(frame, name)
        return frame

    def cut(self, begin: int, end: int) -> Frames:
        """Returns frames `begin` to `end` (excluded), which keep their numbers."""
        return self[begin:end]

    def only_channel(self, number: int) -> Frames:
        """Returns the same video with one of its channels.

        Args:
            number: The channel, counted from 1 as Fiji does.

        Raises:
            InputError: There is no such channel.
        """
        if not 1 <= number <= self.channels:
            raise InputError(
                f"--channel={number}: {self.paths[0]} holds {self.channels} channels, counted from 1"
            )
        if len(self._sources[0].pages) > 1:
            chosen = (source._replace(pages=source.pages[number - 1 : number]) for source in self._sources)
            return Frames(tuple(chosen), self._header)
        return Frames(self._sources, self._header, number - 1 if self.channels > 1 else None)


def check_pixels(frame: NDArray, name: str) -> None:
    """Raises `DataError` for a frame whose pixels are not finite or all equal; `name` is what to call it."""
    if frame.dtype.kind == "f" and not np.isfinite(frame).all():
        raise DataError(f"{name}: holds values that are not finite (NaN or infinity); replace them")
    if frame.min() == frame.max():
        raise DataError(f"{name}: every pixel has the value {frame.min()}; remove or replace the empty frame")


def open_frames(path: Path) -> Frames:
    """Opens a video.

    Args:
        path: A folder of frames (the last number in each name counts), or one multi-page TIFF.

    Raises:
        DataError: There is nothing, a gap in the numbering, a truncated frame, slices (Z), or frames of
            different sizes or types.
    """
    if path.is_file():
        layout = _checked_layout(path)
        return Frames(
            tuple(_Source(path, pages, time) for time, pages in enumerate(layout.times)), layout.headers[0]
        )
    if not path.is_dir():
        raise DataError(f"{path}: does not exist; put the frames there, as t000.tif, t001.tif, ...")
    files = _files(path)
    if not files:
        raise DataError(f"{path}: holds no TIFF or PNG frames; put them there, as t000.tif, t001.tif, ...")
    check_numbering(files)
    start = file_number(files[0]) or 0
    sources: list[_Source] = []
    first: Layout | None = None
    for index, file in enumerate(files):
        layout = _checked_layout(file)
        first = first or layout
        _check_frame(file, layout, files[0], first)
        sources.append(_Source(file, layout.times[0], start + index))
    assert first is not None
    return Frames(tuple(sources), first.headers[0])


def find_errors(path: Path) -> list[DataError]:
    """Collects all that `open_frames` and the reading of every frame would raise."""
    files = _files(path) if path.is_dir() else []
    errors = list(_numbering_errors(files))
    first: tuple[Path, Layout] | None = None
    for file in files:
        try:
            layout = _checked_layout(file)
            first = first or (file, layout)
            _check_frame(file, layout, *first)
        except DataError as error:
            errors.append(error)
        else:
            errors += _reading_errors(Frames((_Source(file, layout.times[0], 0),), layout.headers[0]))
    if not files:
        try:
            errors += _reading_errors(open_frames(path))
        except DataError as error:
            errors.append(error)
    return errors


def _reading_errors(frames: Frames) -> Iterator[DataError]:
    for index in range(len(frames)):
        try:
            frames[index]
        except DataError as error:
            yield error


def _files(folder: Path) -> list[Path]:
    return sorted(
        (file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES and file.name[0] != "."),
        key=_order,
    )


def file_number(path: Path) -> int | None:
    """Finds the last number in a file's name, `t012.tif` -> 12; None if there is none."""
    match = _LAST_NUMBER.search(path.stem)
    return int(match[1]) if match else None


def check_numbering(files: Sequence[Path]) -> None:
    """Checks that the numbers of sorted files rise by one.

    Raises:
        DataError: They skip or repeat a number, or only some have one; names the file.
    """
    for error in _numbering_errors(files):
        raise error


def _numbering_errors(files: Sequence[Path]) -> Iterator[DataError]:
    for before, after in pairwise(files):
        first, second = file_number(before), file_number(after)
        if second is None:
            continue
        if first is None:
            yield DataError(
                f"{before}: has no frame number, unlike {after.name}; number it or move it elsewhere"
            )
        elif second == first:
            yield DataError(
                f"{after}: has the same number as {before.name} (the last number in a name counts); "
                "keep or rename one"
            )
        elif second != first + 1:
            match = _LAST_NUMBER.search(before.stem)
            assert match is not None
            missing = (
                before.stem[: match.start()]
                + str(first + 1).zfill(len(match[1]))
                + before.stem[match.end() :]
            )
            yield DataError(
                f"{before.with_name(missing + before.suffix)}: is missing; "
                f"{after.name} follows {before.name}, add it"
            )


def _checked_layout(path: Path) -> Layout:
    layout = read_layout(path)
    for page, header in enumerate(layout.headers):
        _check_alike(f"{path}, page {page}", header, "page 0", layout.headers[0])
    return layout


def _check_frame(file: Path, layout: Layout, first_file: Path, first: Layout) -> None:
    """Raises `DataError` unless a file of a folder is one frame like the folder's first."""
    _check_alike(str(file), layout.headers[0], first_file.name, first.headers[0])
    if len(layout.times) > 1 or len(layout.times[0]) != len(first.times[0]):
        raise DataError(
            f"{file}: holds {len(layout.headers)} images, but each file of a folder is one frame, "
            "with equal channels; give a multi-page TIFF by itself"
        )


def _check_alike(name: str, header: Header, first_name: str, first: Header) -> None:
    if header[:2] != first[:2]:
        raise DataError(f"{name}: is {_size(header)}, but {first_name} is {_size(first)}; make them equal")
    if header.pixels != first.pixels:
        raise DataError(
            f"{name}: is of type {header.pixels}, but {first_name} of {first.pixels}; save all frames alike"
        )


def _order(path: Path) -> tuple[int, str]:
    number = file_number(path)
    return (-1 if number is None else number, path.name)


def _size(shape: Sequence[int] | Header) -> str:
    return f"{shape[1]} x {shape[0]} pixels"

"""Opens a video on disk as an indexable sequence of frames, decoded on access. Knows no labels.

It is a folder of TIFF or PNG files in natural order, or one multi-page TIFF; channels are samples of a pixel,
pages of a hyperstack, or files of their own. Numbering and sizes are checked when it is opened, pixel values
when a frame is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import DataError, InputError
from cosembed.files.wording import counted
from cosembed.images.decoding import Header
from cosembed.images.frame_files import (
    AS_NUMBERED,
    MICROSCOPE_FILES,
    FrameChoice,
    FrameFiles,
    Listing,
    how_to_convert,
    is_movie,
    list_frames,
    name_files,
)
from cosembed.images.reading import read_image
from cosembed.images.stacks import Layout, read_layout
from cosembed.images.zarr_video import is_zarr


class _Source(NamedTuple):
    """Says where a frame is (a plane per channel, or one for all), and its number in the video's numbering.

    A plane is a page of a file. A held frame is the one before once more.
    """

    planes: tuple[tuple[Path, int], ...]
    number: int
    held: bool = False


class BlankFrameError(DataError):
    """Says that every pixel of a frame has the same value."""


class Frames(Sequence[NDArray]):
    """Holds the frames of one video, [H, W] or [H, W, C]; indexing reads and checks one frame.

    Attributes:
        left_out: The image-like files of the video's folder that are no frames.
    """

    def __init__(
        self,
        sources: tuple[_Source, ...],
        header: Header,
        sample: int | None = None,
        left_out: Sequence[Path] = (),
        hold: bool = False,
    ) -> None:
        """Takes what `open_frames` finds; users call that."""
        self._sources = sources
        self._header = header
        self._sample = sample
        self._hold = hold
        self._blank: set[int] = set()
        self.left_out = list(left_out)

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
        return 1 if self._sample is not None else max(self._header.channels, len(self._sources[0].planes))

    @property
    def paths(self) -> list[Path]:
        """Lists the file of every frame; a multi-page TIFF is there for each of its frames."""
        return [source.planes[0][0] for source in self._sources]

    @property
    def numbers(self) -> list[int]:
        """Lists the number of every frame in its file's name; frames without one are counted from 0."""
        return [source.number for source in self._sources]

    @property
    def held(self) -> list[int]:
        """Lists the numbers of the frames that the one before stands for; blank ones once they were read."""
        return [source.number for source in self._sources if source.held or source.number in self._blank]

    def __len__(self) -> int:
        return len(self._sources)

    @overload
    def __getitem__(self, index: int) -> NDArray: ...

    @overload
    def __getitem__(self, index: slice) -> Frames: ...

    def __getitem__(self, index: int | slice) -> NDArray | Frames:
        if isinstance(index, slice):
            return self._with(self._sources[index], self._sample)
        index = range(len(self))[index]
        try:
            return self._read(self._sources[index])
        except BlankFrameError:
            if not self._hold or index == 0:
                raise
            self._blank.add(self._sources[index].number)
            return self[index - 1]

    def _read(self, source: _Source) -> NDArray:
        (path, first_page), *others = source.planes
        name = f"{path}, page {first_page}" if first_page else str(path)
        frame = read_image(path, first_page)
        if others:
            frame = np.stack([frame, *(read_image(file, page) for file, page in others)], axis=-1)
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
                f"--channel={number}: {self.paths[0]} holds {counted(self.channels, 'channel')}, "
                "counted from 1"
            )
        if len(self._sources[0].planes) > 1:
            chosen = (source._replace(planes=source.planes[number - 1 : number]) for source in self._sources)
            return self._with(tuple(chosen), None)
        return self._with(self._sources, number - 1 if self.channels > 1 else None)

    def _with(self, sources: tuple[_Source, ...], sample: int | None) -> Frames:
        return Frames(sources, self._header, sample, self.left_out, self._hold)


def check_pixels(frame: NDArray, name: str) -> None:
    """Raises `DataError` for a frame whose pixels are not finite or all equal; `name` is what to call it."""
    if frame.dtype.kind == "f" and not np.isfinite(frame).all():
        raise DataError(f"{name}: holds values that are not finite (NaN or infinity); replace them")
    if frame.min() == frame.max():
        raise BlankFrameError(
            f"{name}: every pixel has the value {frame.min()}; replace the empty frame, or use the frame "
            'before in its place (--gaps=hold, in Python gaps="hold")'
        )


def open_frames(path: Path, choice: FrameChoice = AS_NUMBERED) -> Frames:
    """Opens a video.

    Args:
        path: A folder of frames (the last number in each name counts), or one multi-page TIFF.
        choice: Which files of a folder are frames, in which order; what becomes of gaps and blank frames.

    Raises:
        DataError: There is nothing, a gap in the numbering, a truncated frame, slices (Z), frames of mixed
            kinds, or of different sizes or types.
    """
    hold = choice.gaps == "hold"
    if path.is_file():
        layout = _checked_layout(path)
        sources = [_Source(_planes(path, pages), time) for time, pages in enumerate(layout.times)]
        return Frames(tuple(sources), layout.headers[0], hold=hold)
    listing = _listing(path, choice)
    for fault in listing.faults:
        raise fault
    first: tuple[Path, Layout] | None = None
    found: list[_Source] = []
    for frame in listing.frames:
        if frame.held:
            found.append(_Source(found[-1].planes, frame.number, held=True))
            continue
        source, first = _open_frame(frame, first)
        found.append(source)
    assert first is not None
    return Frames(tuple(found), first[1].headers[0], left_out=listing.left_out, hold=hold)


def find_errors(path: Path) -> list[DataError]:
    """Collects all that `open_frames` and the reading of every frame would raise."""
    if path.is_file():
        try:
            return list(_reading_errors(open_frames(path)))
        except DataError as error:
            return [error]
    try:
        listing = _listing(path, AS_NUMBERED)
    except DataError as error:
        return [error]
    errors = list(listing.faults)
    first: tuple[Path, Layout] | None = None
    for frame in listing.frames:
        try:
            source, first = _open_frame(frame, first)
        except DataError as error:
            errors.append(error)
        else:
            errors += _reading_errors(Frames((source,), first[1].headers[0]))
    return errors


def find_left_out(path: Path) -> list[Path]:
    """Lists the image-like files of a video's folder that are no frames; none of what is no folder."""
    return list_frames(path).left_out if path.is_dir() else []


def _listing(path: Path, choice: FrameChoice) -> Listing:
    """Lists the frames of a folder.

    Raises:
        DataError: It is none, or holds none.
    """
    where = "as t000.tif, t001.tif, ..."
    if not path.is_dir():
        raise DataError(f"{path}: does not exist; put the frames there, {where}")
    if is_zarr(path):
        raise DataError(
            f"{path}: is a Zarr store, not a folder of images; cosembed track and cosembed.track read it, "
            "for all else save it as TIFF"
        )
    listing = list_frames(path, choice)
    if listing.frames:
        return listing
    if choice.pattern:
        raise DataError(f"{path}: holds no TIFF or PNG file named {choice.pattern}; correct --pattern")
    if listing.left_out:
        first = listing.left_out[0]
        remedy = "convert them to TIFF"
        if first.suffix.lower() in MICROSCOPE_FILES:
            remedy = f"give such a file itself, {first}, to cosembed track"
        elif is_movie(first):
            remedy = f"convert each, {how_to_convert(first)}, and give that folder"
        raise DataError(f"{path}: holds no TIFF or PNG frames, but {name_files(listing.left_out)}; {remedy}")
    raise DataError(f"{path}: holds no TIFF or PNG frames; put them there, {where}")


def _open_frame(frame: FrameFiles, first: tuple[Path, Layout] | None) -> tuple[_Source, tuple[Path, Layout]]:
    """Checks the files of a frame of a folder, and returns the frame and the folder's first file."""
    planes: list[tuple[Path, int]] = []
    for file in frame.files:
        layout = _checked_layout(file)
        first = first or (file, layout)
        _check_frame(file, layout, *first)
        if len(frame.files) > 1 and layout.headers[0].channels * len(layout.times[0]) > 1:
            raise DataError(f"{file}: holds several channels, though its name says that it is one; rename it")
        planes += _planes(file, layout.times[0])
    assert first is not None
    return _Source(tuple(planes), frame.number), first


def _planes(path: Path, pages: Sequence[int]) -> tuple[tuple[Path, int], ...]:
    return tuple((path, page) for page in pages)


def _reading_errors(frames: Frames) -> Iterator[DataError]:
    for index in range(len(frames)):
        try:
            frames[index]
        except DataError as error:
            yield error


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


def _size(shape: Sequence[int] | Header) -> str:
    return f"{shape[1]} x {shape[0]} pixels"

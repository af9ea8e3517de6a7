"""A video in memory, or in anything that slices like an array, as frames that are checked on access.

Knows no files.

A lazy array (of dask or zarr, say) is read one frame at a time and never as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import DataError, InputError
from cosembed.files.reading import reason
from cosembed.files.wording import counted
from cosembed.images.frames import BlankFrameError, check_pixels

_AXES = "give [T, H, W], or [T, H, W, C] for frames of several channels; one image is image[None]"


class VideoFrames(Protocol):
    """What tracking needs of a video, wherever its frames are: `Frames` on disk and `ArrayFrames` give it."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""

    @property
    def dtype(self) -> str:
        """The type of the pixels, for example `uint16`."""

    @property
    def channels(self) -> int:
        """How many channels a frame has; with one, it is [H, W]."""

    @property
    def numbers(self) -> list[int]:
        """The number of every frame in the video's own numbering."""

    @property
    def held(self) -> list[int]:
        """The numbers of the frames that the one before stands for; blank ones once they were read."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[NDArray]: ...

    def __getitem__(self, index: int, /) -> NDArray: ...


class ArrayFrames:
    """Frames [H, W] or [H, W, C] of an array, numbered from 0.

    Args:
        array: Has the shape [T, H, W] or [T, H, W, C], a real numeric dtype, and gives a frame when it is
            indexed; a list of frames is taken as such an array.
        name: What the array is called in messages.
        hold: Whether the frame before stands in the place of a blank one.

    Raises:
        DataError: The array has another rank or dtype, or no frames or pixels.
    """

    def __init__(self, array: Any, name: str = "frames", *, hold: bool = False) -> None:
        if isinstance(array, list | tuple):
            array = _stacked(array, name)
        if not hasattr(array, "__getitem__") or not hasattr(array, "dtype"):
            raise DataError(f"{name}: is a {type(array).__name__}, not an array; {_AXES}")
        try:
            shape = tuple(int(size) for size in array.shape)
            kind = np.dtype(array.dtype).kind
        except (AttributeError, TypeError, ValueError) as error:
            raise DataError(
                f"{name}: is a {type(array).__name__}, whose shape and type numpy does not know; "
                "convert it with numpy.asarray"
            ) from error
        if len(shape) not in (3, 4):
            raise DataError(f"{name}: has the shape {shape}; {_AXES}")
        if min(shape) < 1:
            raise DataError(f"{name}: has the shape {shape}, which holds no pixel; {_AXES}")
        if kind not in "uif":
            raise DataError(
                f"{name}: is of type {array.dtype}; convert it to whole or real numbers, such as uint16"
            )
        self._array = array
        self._name = name
        self._channel: int | None = None
        self._hold = hold
        self._blank: set[int] = set()

    @property
    def array(self) -> Any:
        """What holds the frames."""
        return self._array

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return int(self._array.shape[1]), int(self._array.shape[2])

    @property
    def dtype(self) -> str:
        """The type of the pixels, for example `uint16`."""
        return np.dtype(self._array.dtype).name

    @property
    def channels(self) -> int:
        """How many channels a frame has; with one, it is [H, W]."""
        return int(self._array.shape[3]) if len(self._array.shape) == 4 and self._channel is None else 1

    @property
    def numbers(self) -> list[int]:
        """The frames' numbers, from 0."""
        return list(range(len(self)))

    @property
    def held(self) -> list[int]:
        """The numbers of the blank frames that the one before stands for, as far as they were read."""
        return sorted(self._blank)

    def __len__(self) -> int:
        return int(self._array.shape[0])

    def __iter__(self) -> Iterator[NDArray]:
        """Reads the frames one after the other."""
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> NDArray:
        """Reads and checks one frame.

        Raises:
            DataError: The frame cannot be read, holds values that are not finite, or is of one value only.
        """
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        name = f"{self._name}[{index % len(self)}]"
        frame = self._read(index, name)
        if frame.ndim == 3 and (self._channel is not None or frame.shape[-1] == 1):
            frame = frame[..., self._channel or 0]
        try:
            check_pixels(frame, name)
        except BlankFrameError:
            if not self._hold or index % len(self) == 0:
                raise
            self._blank.add(index % len(self))
            return self[index % len(self) - 1]
        return frame

    def _read(self, index: int, name: str) -> NDArray:
        # Whatever library holds the array, it raises errors of its own.
        try:
            frame = np.asarray(self._array[index])
        except DataError:
            raise
        except Exception as error:
            raise DataError(f"{name}: cannot be read ({reason(error)}); check the array") from error
        if frame.shape != tuple(self._array.shape[1:]) or frame.dtype.kind not in "uif":
            raise DataError(
                f"{name}: has the shape {frame.shape} and the type {frame.dtype}, unlike the array; check it"
            )
        return frame.astype(frame.dtype.newbyteorder("="), copy=False)

    def only_channel(self, number: int) -> ArrayFrames:
        """Gives the same video with one of its channels.

        Args:
            number: The channel, counted from 1, as Fiji does.

        Raises:
            InputError: There is no such channel.
        """
        if not 1 <= number <= self.channels:
            raise InputError(
                f"channel {number}: {self._name} holds {counted(self.channels, 'channel')}, counted from 1"
            )
        chosen = ArrayFrames(self._array, self._name, hold=self._hold)
        chosen._channel = number - 1 if self.channels > 1 else None
        return chosen


def _stacked(frames: list | tuple, name: str) -> NDArray:
    try:
        return np.asarray(frames)
    except ValueError as error:
        raise DataError(f"{name}: is a list of unequal frames ({reason(error)}); make them equal") from error

"""A video in memory, or in anything that slices like an array, as frames that are read and checked one at a
time.

Knows no files. The array is never converted as a whole: dask and Zarr arrays give one frame after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import CosembedError, DataError, InputError
from cosembed.files.reading import reason
from cosembed.images.frames import check_pixels

_AXES = "give an array with the axes [T, H, W] or [T, H, W, C]"


class ArrayFrames:
    """Frames [H, W] or [H, W, C] of an array; indexing reads and checks one frame.

    Args:
        array: [T, H, W] or [T, H, W, C] of unsigned or signed integers or floats: whatever has `shape` and
            `dtype` and gives a frame for `array[index]`.

    Raises:
        DataError: Another number of axes, no frame, no pixel, or a dtype that holds no grey values.
    """

    def __init__(self, array: Any) -> None:
        try:
            shape = tuple(int(size) for size in array.shape)
            dtype = np.dtype(array.dtype)
        except (AttributeError, TypeError, ValueError) as error:
            raise DataError(
                f"frames: is of type {type(array).__name__}, not an array; {_AXES}, or the path of a video"
            ) from error
        if len(shape) not in (3, 4):
            alone = "; a single image is a video of one frame, image[None]" if len(shape) == 2 else ""
            raise DataError(f"frames: has {len(shape)} axes, of the sizes {shape}; {_AXES}{alone}")
        if 0 in shape:
            raise DataError(f"frames: is empty, its sizes are {shape}; give at least one frame")
        if dtype.kind not in "uif":
            raise DataError(f"frames: is of type {dtype}; convert it to unsigned integers or float32")
        self._array, self._shape, self._dtype = array, shape, dtype
        self._channel: int | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self._shape[1], self._shape[2]

    @property
    def dtype(self) -> str:
        """Type of the pixels, for example `uint16`."""
        return self._dtype.name

    @property
    def channels(self) -> int:
        """How many channels a frame has; with one, it is [H, W]."""
        return self._shape[3] if len(self._shape) == 4 and self._channel is None else 1

    @property
    def numbers(self) -> list[int]:
        """The number of every frame, counted from 0."""
        return list(range(len(self)))

    def __len__(self) -> int:
        return self._shape[0]

    def __iter__(self) -> Iterator[NDArray]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int, /) -> NDArray:
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index}: there are {len(self)}")
        frame = self._read(index)
        if len(self._shape) == 4 and (self._channel is not None or self._shape[3] == 1):
            frame = frame[..., self._channel or 0]
        check_pixels(frame, f"frames[{index}]")
        return frame

    def only_channel(self, number: int) -> ArrayFrames:
        """Returns the same video with one of its channels.

        Args:
            number: Counted from 1, as Fiji does.

        Raises:
            InputError: There is no such channel.
        """
        if not 1 <= number <= self.channels:
            raise InputError(f"channel={number}: the frames have {self.channels} channels, counted from 1")
        chosen = ArrayFrames(self._array)
        chosen._channel = number - 1
        return chosen

    def _read(self, index: int) -> NDArray:
        # Whatever library holds the array raises errors of its own.
        try:
            frame = np.asarray(self._array[index])
        except CosembedError:
            raise
        except Exception as error:
            raise DataError(f"frames[{index}]: cannot be read ({reason(error)}); check the array") from error
        if frame.shape != self._shape[1:] or frame.dtype.kind not in "uif":
            raise DataError(
                f"frames[{index}]: has the shape {frame.shape} and type {frame.dtype}, but the array states "
                f"{self._shape[1:]} and {self._dtype}; check the array"
            )
        return frame.astype(frame.dtype.newbyteorder("="), copy=False)

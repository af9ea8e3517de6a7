"""Reads the pixels of one leaf image, a PNG file or a dataset of an HDF5 file.

Knows not what the pixels mean, nor which files belong to a plant.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from cosembed.errors import DataError
from cosembed.files.reading import check_extent, check_regular, reason


class PngPixels(NamedTuple):
    """Reads one PNG file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def shape(self) -> tuple[int, ...]:
        """Reads height and width from the header."""
        with self._opened() as image:
            return image.height, image.width

    def colours(self) -> NDArray:
        """Reads colours [H, W, 4] with alpha, uint8, or greys of 16 bits [H, W]."""
        self._verify()
        with self._opened() as image:
            # Pillow would cut greys of 16 bits at 255.
            return np.array(image if image.mode.startswith("I") else image.convert("RGBA"))

    def numbers(self) -> NDArray:
        """Reads grey values or palette indices [H, W], or colours [H, W, C]."""
        self._verify()
        with self._opened() as image:
            palette = image.getpalette()
            return np.array(image) if palette is None else _black_first(np.array(image), palette)

    def _verify(self) -> None:
        """Checks every checksum of the file; decoding looks at those before the pixels alone."""
        with self._opened() as image:
            image.verify()

    @contextmanager
    def _opened(self) -> Iterator[PngImageFile]:
        # The class itself, because Image.open would guess other formats and warn of sizes that are allowed
        # here.
        with one_sentence(self.path), self.path.open("rb") as stream, PngImageFile(stream) as image:
            # Decoded to four channels of 8 bits, or one of 32 bits.
            _check_size(str(self), (image.height, image.width), 4)
            yield image


class Hdf5Pixels(NamedTuple):
    """Reads one dataset of an HDF5 file."""

    path: Path
    key: str

    def __str__(self) -> str:
        return f"{self.path}, {self.key}"

    def shape(self) -> tuple[int, ...]:
        """Reads height and width without the pixels."""
        with self._opened() as dataset:
            return dataset.shape[:2]

    def colours(self) -> NDArray:
        """Reads the array as it is."""
        with self._opened() as dataset:
            return np.asarray(dataset[()])

    def numbers(self) -> NDArray:
        """Reads the array as it is, too."""
        return self.colours()

    @contextmanager
    def _opened(self) -> Iterator[h5py.Dataset]:
        with one_sentence(self.path), h5py.File(self.path, "r") as file:
            dataset = find_inside(file, self.key)
            if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "ui":
                raise DataError(
                    f"{self}: is not an array of whole numbers; save the pixels as uint8 or uint16"
                )
            _check_size(str(self), dataset.shape, dataset.dtype.itemsize)
            if dataset.is_virtual or dataset.external or not dataset.id.get_storage_size():
                raise DataError(f"{self}: its pixels are not in this file; save them there")
            yield dataset


def find_inside(file: h5py.File, key: str) -> h5py.Group | h5py.Dataset | None:
    """Finds what lies at `key`, or None.

    Raises:
        DataError: It is a link, which may lead to another file, to a pipe, or in a circle.
    """
    found = file
    for name in key.split("/"):
        link = found.get(name, getlink=True) if isinstance(found, h5py.Group) else None
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise DataError(f"{file.filename}, {key}: is a link; put the pixels themselves there")
        found = found[name]
    return found


def _black_first(indices: NDArray[np.uint8], palette: list[int]) -> NDArray[np.uint8]:
    """Makes the background's index 0 where a program that saved the image again has sorted its palette.

    Where index 0 has a colour and one other index that occurs is black, the two change places.
    """
    colours = np.reshape(palette, (-1, 3))
    black = [index for index in np.unique(indices) if index < len(colours) and not colours[index].any()]
    if not colours[0].any() or len(black) != 1:
        return indices
    table = np.arange(256, dtype=np.uint8)
    table[[0, black[0]]] = table[[black[0], 0]]
    return table[indices]


def _check_size(name: str, shape: tuple[int, ...], value_bytes: int) -> None:
    """Raises `DataError` unless a stated shape is that of an image that may be decoded."""
    if len(shape) not in (2, 3) or shape[2:] > (4,) or 0 in shape:
        raise DataError(
            f"{name}: states the shape {shape}; "
            "save it as an image [height, width] or [height, width, colours]"
        )
    check_extent(name, shape, value_bytes)


@contextmanager
def one_sentence(path: Path) -> Iterator[None]:
    """Turns whatever a decoder raises into a `DataError` that names the file."""
    try:
        if not path.is_dir():
            check_regular(path)
        yield
    except DataError:
        raise
    except Exception as error:
        if isinstance(error, PermissionError):
            raise DataError(f"{path}: may not be read; change its permissions") from error
        raise DataError(
            f"{path}: cannot be read ({reason(error)}); the file is damaged or truncated, replace it"
        ) from error

"""Reads CVPPP A1 leaf images and their labels, as PNG files or as HDF5.

Knows no preprocessing and no network.

PNG: `A1/plant001_rgb.png` with `plant001_label.png` (the index of a pixel is its leaf, its palette colour
means nothing). HDF5, the release of 2017: datasets `A1/plant001/rgb` and `A1/plant001/label`, the labels in
the same file or, for `NAME_images.h5`, in `NAME_truth.h5` beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngImageFile

from cosembed.errors import DataError
from cosembed.files.reading import check_extent, check_regular, reason
from cosembed.preprocessing.label_values import LARGEST_LABEL

SUBSET = "A1"
HDF5_SUFFIXES = (".h5", ".hdf5")


class _Png(NamedTuple):
    """Reads one PNG file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    def shape(self) -> tuple[int, ...]:
        with self._opened() as image:
            return image.height, image.width

    def colours(self) -> NDArray:
        self._verify()
        with self._opened() as image:
            # Pillow would cut greys of 16 bits at 255.
            return np.array(image if image.mode.startswith("I") else image.convert("RGBA"))

    def indices(self) -> NDArray:
        self._verify()
        with self._opened() as image:
            return np.array(image)

    def _verify(self) -> None:
        """Checks every checksum of the file; decoding looks at those before the pixels alone."""
        with self._opened() as image:
            image.verify()

    @contextmanager
    def _opened(self) -> Iterator[PngImageFile]:
        # The class itself, because Image.open would guess other formats and warn of sizes that are allowed
        # here.
        with _one_sentence(self.path), self.path.open("rb") as stream, PngImageFile(stream) as image:
            # Decoded to four channels of 8 bits, or one of 32 bits.
            _check_size(str(self), (image.height, image.width), 4)
            yield image


class _Dataset(NamedTuple):
    """Reads one dataset of an HDF5 file."""

    path: Path
    key: str

    def __str__(self) -> str:
        return f"{self.path}, {self.key}"

    def shape(self) -> tuple[int, ...]:
        with self._opened() as dataset:
            return dataset.shape[:2]

    def colours(self) -> NDArray:
        with self._opened() as dataset:
            return np.asarray(dataset[()])

    def indices(self) -> NDArray:
        return self.colours()

    @contextmanager
    def _opened(self) -> Iterator[h5py.Dataset]:
        with _one_sentence(self.path), h5py.File(self.path, "r") as file:
            dataset = _inside(file, self.key)
            if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "ui":
                raise DataError(
                    f"{self}: is not an array of whole numbers; save the pixels as uint8 or uint16"
                )
            _check_size(str(self), dataset.shape, dataset.dtype.itemsize)
            if dataset.is_virtual or dataset.external or not dataset.id.get_storage_size():
                raise DataError(f"{self}: its pixels are not in this file; save them there")
            yield dataset


_Source = _Png | _Dataset


@dataclass(frozen=True)
class Plant:
    """Is one plant seen from above; its pixels are read on access. `find_plants` makes it."""

    name: str
    _rgb: _Source
    _label: _Source | None

    @property
    def has_labels(self) -> bool:
        """Tells whether the truth is there; the test images come without."""
        return self._label is not None

    def image(self) -> NDArray[np.uint8]:
        """Reads the image, uint8 [H, W, 3] in the order red, green, blue; alpha is dropped and grey repeated.

        Raises:
            DataError: The image cannot be read, is too large, or is no image.
        """
        pixels = self._rgb.colours()
        if pixels.dtype == np.uint16:
            pixels = pixels >> 8
        elif pixels.dtype != np.uint8:
            raise DataError(
                f"{self._rgb}: holds {pixels.dtype} values; save the image with 8 bits per channel"
            )
        if pixels.ndim == 2:
            pixels = pixels[..., np.newaxis]
        colours = pixels[..., :3] if pixels.shape[-1] >= 3 else pixels[..., :1].repeat(3, axis=-1)
        return np.ascontiguousarray(colours, np.uint8)

    def labels(self) -> NDArray[np.uint16]:
        """Reads the leaves, uint16 [H, W]: 0 is background, any other number one leaf.

        Raises:
            DataError: There are no labels, or they cannot be read, are colours, do not fit the image, or hold
                no leaf.
        """
        if self._label is None:
            raise DataError(f"{self._rgb}: has no labels; put {self.name}'s label image beside it")
        labels, shape = self._label.indices(), self._rgb.shape()
        if labels.ndim != 2:
            raise DataError(
                f"{self._label}: is a colour image; "
                "save the number of the leaf as palette index or grey value"
            )
        if labels.shape != shape:
            raise DataError(
                f"{self._label}: is {labels.shape[1]} x {labels.shape[0]} pixels, "
                f"but {self._rgb} is {shape[1]} x {shape[0]}; replace the one that is wrong"
            )
        if labels.min() < 0 or labels.max() > LARGEST_LABEL:
            raise DataError(
                f"{self._label}: holds values outside 0..{LARGEST_LABEL}; number the leaves from 1"
            )
        if not labels.any():
            raise DataError(f"{self._label}: holds no leaf, every pixel is 0; replace it or remove the plant")
        return labels.astype(np.uint16)


def find_plants(root: Path) -> list[Plant]:
    """Finds the plants of subset A1, sorted by name; no pixel is read.

    Args:
        root: The folder A1, its parent, an HDF5 file, or a folder with one HDF5 file (and its `_truth.h5`).

    Raises:
        DataError: There are none, an HDF5 file is unreadable, an image has no labels though others do, or the
            reverse.
    """
    if root.is_file():
        return _hdf5_plants(root)
    if not root.is_dir():
        raise DataError(
            f"{root}: does not exist; give the folder {SUBSET} with plant001_rgb.png, ... or an HDF5 file"
        )
    folder = root / SUBSET if (root / SUBSET).is_dir() else root
    images, labels = _png_sources(folder, "rgb"), _png_sources(folder, "label")
    if images or labels:
        return _paired(images, labels, "{}_{}.png")
    files = [file for file in _visible_files(root) if file.suffix.lower() in HDF5_SUFFIXES]
    files = [file for file in files if not file.stem.endswith("_truth")] or files
    if len(files) > 1:
        raise DataError(
            f"{root}: holds several HDF5 files, {files[0].name} and {files[1].name}; give the path of one"
        )
    if not files:
        raise DataError(
            f"{folder}: holds no plants; put plant001_rgb.png and plant001_label.png there, or an HDF5 file"
        )
    return _hdf5_plants(files[0])


def _visible_files(folder: Path) -> list[Path]:
    with _one_sentence(folder):
        return sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] != ".")


def _png_sources(folder: Path, part: str) -> dict[str, _Source]:
    end = f"_{part}.png"
    return {
        path.name[: -len(end)]: _Png(path)
        for path in _visible_files(folder)
        if path.name.lower().endswith(end)
    }


def _hdf5_plants(path: Path) -> list[Plant]:
    if path.suffix.lower() not in HDF5_SUFFIXES:
        raise DataError(f"{path}: is not an HDF5 file (.h5); give one, or the folder {SUBSET} of PNG files")
    truth = path.with_name(path.stem.removesuffix("_images") + "_truth" + path.suffix)
    images, labels = _hdf5_sources(path, "rgb"), _hdf5_sources(truth if truth.is_file() else path, "label")
    if not images and not labels:
        raise DataError(f"{path}: holds no plants; it should hold datasets such as {SUBSET}/plant001/rgb")
    return _paired(images, labels, SUBSET + "/{}/{}")


def _hdf5_sources(path: Path, part: str) -> dict[str, _Source]:
    with _one_sentence(path), h5py.File(path, "r") as file:
        plants = _inside(file, SUBSET)
        names = plants if isinstance(plants, h5py.Group) else ()
        return {
            name: _Dataset(path, key)
            for name in names
            if _inside(file, key := f"{SUBSET}/{name}/{part}") is not None
        }


def _inside(file: h5py.File, key: str) -> h5py.Group | h5py.Dataset | None:
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


def _paired(images: Mapping[str, _Source], labels: Mapping[str, _Source], form: str) -> list[Plant]:
    """Pairs images with their labels; either every image has labels or none."""
    for name in sorted(labels.keys() - images.keys()):
        raise DataError(
            f"{labels[name]}: its image {form.format(name, 'rgb')} is missing; add it or remove the labels"
        )
    for name in sorted(images.keys() - labels.keys()):
        if labels:
            raise DataError(
                f"{images[name]}: {form.format(name, 'label')} is missing; add it or move the image elsewhere"
            )
    return [Plant(name, images[name], labels.get(name)) for name in sorted(images)]


def _check_size(name: str, shape: tuple[int, ...], value_bytes: int) -> None:
    """Raises `DataError` unless a stated shape is that of an image that may be decoded."""
    if len(shape) not in (2, 3) or shape[2:] > (4,) or 0 in shape:
        raise DataError(
            f"{name}: states the shape {shape}; "
            "save it as an image [height, width] or [height, width, colours]"
        )
    check_extent(name, shape, value_bytes)


@contextmanager
def _one_sentence(path: Path) -> Iterator[None]:
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

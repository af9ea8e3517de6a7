"""Finds the plants of CVPPP A1, as PNG files or as HDF5, and reads images, leaves and foreground.

Knows no preprocessing and no network.

PNG: `A1/plant001_rgb.png` with `plant001_label.png` and, not needed, `plant001_fg.png`. HDF5, the release of
2017: datasets `A1/plant001/rgb`, `label` and `fg`, the latter two in the same file or, for `NAME_images.h5`,
in `NAME_truth.h5` beside it.

Label images number the leaves, as grey values or as indices of a palette, whose colours mean nothing. Copies
of the archive that went through a picture program have a colour for each leaf instead, on black.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.leaves_files import Hdf5Pixels, PngPixels, find_inside, one_sentence
from cosembed.errors import DataError
from cosembed.preprocessing.label_values import LARGEST_LABEL

SUBSET = "A1"
HDF5_SUFFIXES = (".h5", ".hdf5")
# A palette holds as many; more are a photograph, or leaves with smoothed edges.
MOST_COLOURS = 256
# How deep in an unpacked archive A1 may lie: CVPPP2017_LSC_training/training/A1.
DEEPEST = 3
# Images of so many channels, grey or colours, have transparency as their last.
ALPHA_LAST = (2, 4)

_Source = PngPixels | Hdf5Pixels


@dataclass(frozen=True)
class Plant:
    """Is one plant seen from above; its pixels are read on access. `find_plants` makes it."""

    name: str
    _rgb: _Source
    _label: _Source | None
    _foreground: _Source | None

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
            DataError: There are no labels, or they cannot be read, are a picture, do not fit the image, or
                hold no leaf.
        """
        if self._label is None:
            raise DataError(f"{self._rgb}: has no labels; put {self.name}'s label image beside it")
        labels = self._fitting(self._label)
        if labels.ndim == 3:
            labels = _numbered(self._label, labels)
        if labels.min() < 0 or labels.max() > LARGEST_LABEL:
            raise DataError(
                f"{self._label}: holds values outside 0..{LARGEST_LABEL}; number the leaves from 1"
            )
        if not labels.any():
            raise DataError(f"{self._label}: holds no leaf, every pixel is 0; replace it or remove the plant")
        return labels.astype(np.uint16)

    def foreground(self) -> NDArray[np.bool_] | None:
        """Reads which pixels the archive calls plant, bool [H, W]; None where it does not say.

        Raises:
            DataError: The image of the foreground cannot be read, or does not fit.
        """
        if self._foreground is None:
            return None
        pixels = self._fitting(self._foreground)
        colours = pixels[..., np.newaxis] if pixels.ndim == 2 else _without_alpha(pixels)
        return np.asarray(colours.any(axis=-1), bool)

    def _fitting(self, source: _Source) -> NDArray:
        """Reads numbers or colours that belong to the image's pixels."""
        pixels, shape = source.numbers(), self._rgb.shape()
        if pixels.shape[:2] != shape:
            raise DataError(
                f"{source}: is {pixels.shape[1]} x {pixels.shape[0]} pixels, "
                f"but {self._rgb} is {shape[1]} x {shape[0]}; replace the one that is wrong"
            )
        return pixels


def find_plants(root: Path) -> list[Plant]:
    """Finds the plants of subset A1, sorted by name; no pixel is read.

    Args:
        root: The folder A1, one that holds it (the unpacked archive), an HDF5 file, or a folder with one HDF5
            file (and its `_truth.h5`).

    Raises:
        DataError: There are none, or several folders A1; an HDF5 file is unreadable; an image has no labels
            though others do, or the reverse.
    """
    if root.is_file():
        return _hdf5_plants(root)
    if not root.is_dir():
        raise DataError(
            f"{root}: does not exist; give the folder {SUBSET} with plant001_rgb.png, ... or an HDF5 file"
        )
    folder = _png_folder(root)
    images, labels, foregrounds = (_png_sources(folder, part) for part in ("rgb", "label", "fg"))
    if images or labels:
        return _paired(images, labels, foregrounds, "{}_{}.png")
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


def _png_folder(root: Path) -> Path:
    """Finds the folder of PNG files: A1 in `root` or deeper, or `root` itself."""
    for folder in (root / SUBSET, root):
        if folder.is_dir() and _png_sources(folder, "rgb"):
            return folder
    nested = [
        folder
        for depth in range(1, DEEPEST)
        for folder in sorted(root.glob("/".join(["*"] * depth + [SUBSET])))
        if folder.is_dir() and _png_sources(folder, "rgb")
    ]
    if len(nested) > 1:
        raise DataError(f"{root}: holds plants in {nested[0]} and in {nested[1]}; leave one of them there")
    return nested[0] if nested else root / SUBSET if (root / SUBSET).is_dir() else root


def _visible_files(folder: Path) -> list[Path]:
    with one_sentence(folder):
        return sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] != ".")


def _png_sources(folder: Path, part: str) -> dict[str, _Source]:
    end = f"_{part}.png"
    return {
        path.name[: -len(end)]: PngPixels(path)
        for path in _visible_files(folder)
        if path.name.lower().endswith(end)
    }


def _hdf5_plants(path: Path) -> list[Plant]:
    if path.suffix.lower() not in HDF5_SUFFIXES:
        raise DataError(f"{path}: is not an HDF5 file (.h5); give one, or the folder {SUBSET} of PNG files")
    truth = path.with_name(path.stem.removesuffix("_images") + "_truth" + path.suffix)
    truth = truth if truth.is_file() else path
    images, labels = _hdf5_sources(path, "rgb"), _hdf5_sources(truth, "label")
    if not images and not labels:
        raise DataError(f"{path}: holds no plants; it should hold datasets such as {SUBSET}/plant001/rgb")
    return _paired(images, labels, _hdf5_sources(truth, "fg"), SUBSET + "/{}/{}")


def _hdf5_sources(path: Path, part: str) -> dict[str, _Source]:
    with one_sentence(path), h5py.File(path, "r") as file:
        plants = find_inside(file, SUBSET)
        names = plants if isinstance(plants, h5py.Group) else ()
        return {
            name: Hdf5Pixels(path, key)
            for name in names
            if find_inside(file, key := f"{SUBSET}/{name}/{part}") is not None
        }


def _paired(
    images: Mapping[str, _Source],
    labels: Mapping[str, _Source],
    foregrounds: Mapping[str, _Source],
    form: str,
) -> list[Plant]:
    """Pairs images with their labels; either every image has labels or none. Foregrounds may be absent."""
    for name in sorted(labels.keys() - images.keys()):
        raise DataError(
            f"{labels[name]}: its image {form.format(name, 'rgb')} is missing; add it or remove the labels"
        )
    for name in sorted(images.keys() - labels.keys()):
        if labels:
            raise DataError(
                f"{images[name]}: {form.format(name, 'label')} is missing; add it or move the image elsewhere"
            )
    return [Plant(name, images[name], labels.get(name), foregrounds.get(name)) for name in sorted(images)]


def _numbered(source: _Source, pixels: NDArray) -> NDArray[np.int64]:
    """Numbers the colours of a label image [H, W, C] in their order; black and transparent are background.

    Raises:
        DataError: It is a picture: it has too many colours, or nothing is black.
    """
    if pixels.dtype not in (np.uint8, np.uint16):
        raise DataError(f"{source}: holds {pixels.dtype} colours; save the number of the leaf in every pixel")
    colours = _without_alpha(pixels).astype(np.int64)
    # One number of up to 48 bits for each colour, red first.
    codes = colours @ (1 << 16 * np.arange(colours.shape[-1], dtype=np.int64)[::-1])
    if pixels.shape[-1] in ALPHA_LAST:
        codes = np.where(pixels[..., -1] == 0, 0, codes)
    present, numbers = np.unique(codes, return_inverse=True)
    if len(present) > MOST_COLOURS or present[0] != 0:
        raise DataError(
            f"{source}: is a colour image of {len(present)} colours, {'' if present[0] == 0 else 'not '}"
            "black among them; paint every leaf in one colour on black, without smoothed edges, or save the "
            "number of the leaf as palette index or grey value"
        )
    return numbers.reshape(codes.shape)


def _without_alpha(pixels: NDArray) -> NDArray:
    return pixels[..., :-1] if pixels.shape[-1] in ALPHA_LAST else pixels

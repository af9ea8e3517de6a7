"""Opens files of microscopes, ND2 (Nikon) and CZI (Zeiss), as videos that are read frame by frame.

The packages that read them, nd2 and pylibCZIrw, are an optional part of cosembed. Knows no labels.
"""

from __future__ import annotations

import weakref
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.files.reading import check_extent
from cosembed.images.calibration import Stated, in_micrometres, in_minutes
from cosembed.images.decoding import decoder_errors
from cosembed.requirements import import_optional

EXTRA = "microscopes"
# pylibCZIrw's names of types of pixels -> type of a value, and values a pixel.
_CZI_TYPES = {
    "Gray8": ("uint8", 1),
    "Gray16": ("uint16", 1),
    "Gray32Float": ("float32", 1),
    "Bgr24": ("uint8", 3),
    "Bgr48": ("uint16", 3),
}


class Nd2Video:
    """Slices like an array [T, H, W] or [T, H, W, C]; the file stays open as long as this lives.

    Raises:
        DataError: The file is damaged, or holds several positions or slices.
        InputError: The package nd2 is not installed.
    """

    def __init__(self, path: Path) -> None:
        nd2 = import_optional("nd2", "ND2 files", EXTRA)
        with decoder_errors(path):
            self._file = nd2.ND2File(path)
            weakref.finalize(self, self._file.close)
            sizes = dict(self._file.sizes)
            self.dtype = np.dtype(self._file.dtype)
        _check_axes(path, sizes, {"P": "positions", "Z": "slices"})
        self._axis = next((axis for axis in ("C", "S") if sizes.get(axis, 1) > 1), None)
        if sizes.get("C", 1) > 1 and sizes.get("S", 1) > 1:
            raise DataError(f"{path}: holds several channels of coloured pixels; export one of them")
        self.shape: tuple[int, ...] = (sizes.get("T", 1), sizes["Y"], sizes["X"])
        self.shape += (sizes[self._axis],) if self._axis else ()
        check_extent(str(path), self.shape[1:], self.dtype.itemsize)

    def __getitem__(self, index: int) -> NDArray:
        """Reads the frame [H, W] or [H, W, C] of an index from 0."""
        frame = np.asarray(self._file.read_frame(index % self.shape[0]))
        if self._axis == "C":
            frame = np.moveaxis(frame, 0, -1)
        return frame.reshape(self.shape[1:])

    def stated(self) -> Stated:
        """Returns what the file says of pixels and frames; nothing if it cannot be understood."""
        sizes: tuple[float, ...] = ()
        intervals: tuple[float, ...] = ()
        with suppress(AttributeError, IndexError, TypeError, ValueError):
            volume = self._file.metadata.channels[0].volume
            for side, known in zip(volume.axesCalibration[:2], volume.axesCalibrated[:2], strict=True):
                sizes += in_micrometres(float(side), "µm") if known else ()
            for loop in self._file.experiment:
                if loop.type == "TimeLoop":
                    intervals += in_minutes(float(loop.parameters.periodMs), "ms")
        return Stated(sizes, intervals)


class CziVideo:
    """Slices like an array [T, H, W] or [T, H, W, C]; the file stays open as long as this lives.

    Raises:
        DataError: The file is damaged, or holds several scenes or slices, or pixels of another type.
        InputError: The package pylibCZIrw is not installed.
    """

    def __init__(self, path: Path) -> None:
        czi = import_optional("pylibCZIrw.czi", "CZI files", EXTRA)
        with decoder_errors(path):
            self._file = czi.CziReader(str(path))
            weakref.finalize(self, self._file.close)
            box = self._file.total_bounding_box
            types = set(self._file.pixel_types.values())
            scenes = len(self._file.scenes_bounding_rectangle)
        sizes = {axis: int(end) - int(begin) for axis, (begin, end) in box.items()}
        _check_axes(path, {**sizes, "scene": scenes}, {"scene": "scenes", "Z": "slices"})
        if len(types) != 1 or not types <= set(_CZI_TYPES):
            raise DataError(
                f"{path}: its pixels are of the types {', '.join(sorted(map(str, types)))}; export it with 8 "
                "or 16 bits a pixel, all channels alike"
            )
        kind, self._samples = _CZI_TYPES[types.pop()]
        self._channels = sizes.get("C", 1)
        if self._channels > 1 and self._samples > 1:
            raise DataError(f"{path}: holds several channels of coloured pixels; export one of them")
        self.dtype = np.dtype(kind)
        self.shape: tuple[int, ...] = (sizes.get("T", 1), sizes["Y"], sizes["X"])
        if self._channels * self._samples > 1:
            self.shape += (self._channels * self._samples,)
        check_extent(str(path), self.shape[1:], self.dtype.itemsize)
        self._first = {axis: int(box[axis][0]) for axis in box}

    def __getitem__(self, index: int) -> NDArray:
        """Reads the frame [H, W] or [H, W, C] of an index from 0; colours are red, green, blue."""
        planes = [
            np.asarray(
                self._file.read(
                    plane={
                        "T": self._first.get("T", 0) + index % self.shape[0],
                        "C": self._first.get("C", 0) + channel,
                    }
                )
            )
            for channel in range(self._channels)
        ]
        frame = np.concatenate(planes, axis=-1)
        return (frame[..., ::-1] if self._samples > 1 else frame).reshape(self.shape[1:])

    def stated(self) -> Stated:
        """Returns what the file says of pixels and frames; nothing if it cannot be understood."""
        sizes: tuple[float, ...] = ()
        intervals: tuple[float, ...] = ()
        with suppress(ET.ParseError, ValueError):
            root = ET.fromstring(self._file.raw_metadata)
            for distance in root.iterfind(".//Scaling/Items/Distance"):
                if distance.get("Id") in ("X", "Y"):
                    sizes += in_micrometres(float(distance.findtext("Value") or 0), "m")
            for increment in root.iterfind(".//Dimensions/T/Positions/Interval/Increment"):
                intervals += in_minutes(float(increment.text or 0), "s")
        return Stated(sizes, intervals)


def _check_axes(path: Path, sizes: Mapping[str, int], single: Mapping[str, str]) -> None:
    """Raises `DataError` unless an axis has one value only, where a video has no place for others."""
    for axis, name in single.items():
        if sizes.get(axis, 1) > 1:
            raise DataError(
                f"{path}: holds {sizes[axis]} {name}, but a video has two dimensions and time; export one of "
                "them as OME-TIFF"
            )


def open_microscope_file(path: Path) -> Nd2Video | CziVideo:
    """Opens a file by the ending of its name, `.nd2` or `.czi`; raises as the two classes."""
    return Nd2Video(path) if path.suffix.lower() == ".nd2" else CziVideo(path)

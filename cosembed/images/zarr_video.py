"""Opens an image of a Zarr store as a video that is read frame by frame. Knows no labels.

The image is that of OME-Zarr 0.4 or 0.5 (its level of the highest resolution), or a single array. Only local
stores are read.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.files.reading import check_extent, reason
from cosembed.images.calibration import Stated, in_micrometres, in_minutes
from cosembed.requirements import import_optional

# What a Zarr store holds, by the version of its format.
ZARR_FILES = (".zarray", ".zgroup", "zarr.json")
# So many frames of a chunk are kept in memory, so that it is decoded once and not for each of them.
MAX_KEPT_BYTES = 2**28
_REPAIR = "the store is damaged or was cut off, copy it anew"


class Axis(NamedTuple):
    """Holds the name of an axis, its unit, and the size of a step in that unit."""

    name: str
    unit: str | None
    scale: float


class ZarrVideo:
    """Slices like an array [T, H, W] or [T, H, W, C], and reads one frame at a time.

    Args:
        path: The folder of the store that holds the array's folder.
        array: The array of the package zarr, with any order of its axes.
        axes: Its axes, of the names t, c, z, y and x; those but y and x may be absent.

    Raises:
        DataError: It has other axes, or several slices.
    """

    def __init__(self, path: Path, array: Any, axes: Sequence[Axis]) -> None:
        names = [axis.name for axis in axes]
        if len(names) != len(array.shape) or not {"y", "x"} <= set(names) <= set("tczyx"):
            raise DataError(
                f"{path}: its array has the shape {tuple(array.shape)} and the axes {', '.join(names)}; a "
                "video has y, x, and t or c"
            )
        sizes = dict(zip(names, map(int, array.shape), strict=True))
        if sizes.get("z", 1) > 1:
            raise DataError(
                f"{path}: holds {sizes['z']} slices (axis z), but a video has two dimensions and time; "
                "project or choose slices"
            )
        self._path, self._array, self._names = path, array, names
        self.axes = tuple(axes)
        self.shape: tuple[int, ...] = (sizes.get("t", 1), sizes["y"], sizes["x"])
        if "c" in sizes:
            self.shape += (sizes["c"],)
        self.dtype = np.dtype(array.dtype)
        check_extent(str(path), self.shape[1:], self.dtype.itemsize)
        self._kept: tuple[range, NDArray] | None = None

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: int) -> NDArray:
        """Reads the frame [H, W] or [H, W, C] of an index.

        Raises:
            DataError: Nothing of it is in the store, or it cannot be decoded.
        """
        index = range(len(self))[index]
        if self._kept is None or index not in self._kept[0]:
            self._kept = self._read_block(index)
        frames, block = self._kept
        return block[index - frames.start]

    def _read_block(self, index: int) -> tuple[range, NDArray]:
        """Reads the frames whose pixels lie in the same chunks, if they are few enough."""
        frames = range(index, index + 1)
        if "t" in self._names:
            step = int(self._array.chunks[self._names.index("t")])
            frame_bytes = math.prod(self.shape[1:]) * self.dtype.itemsize
            if step * frame_bytes <= MAX_KEPT_BYTES:
                start = index // step * step
                frames = range(start, min(start + step, len(self)))
        if not self._is_stored(index):
            raise DataError(f"{self._path}: nothing of frame {index} is there; {_REPAIR}")
        chosen = [slice(frames.start, frames.stop) if name == "t" else slice(None) for name in self._names]
        try:
            block = np.asarray(self._array[tuple(chosen)])
        except Exception as error:
            raise DataError(
                f"{self._path}: frame {index} cannot be read ({reason(error)}); {_REPAIR}"
            ) from error
        kept = [name for name in "tyxc" if name in self._names]
        # Axes of one slice or time point are dropped or added by the reshaping.
        order = [self._names.index(name) for name in kept]
        order += [place for place in range(block.ndim) if place not in order]
        return frames, block.transpose(order).reshape(len(frames), *self.shape[1:])

    def _is_stored(self, index: int) -> bool:
        """Tells whether a file holds any part of a frame; an absent one would be read as zeros."""
        array = self._array
        stored = array.shards or array.chunks
        places = [
            [index // size] if name == "t" else range(-(-length // size))
            for name, size, length in zip(self._names, stored, array.shape, strict=True)
        ]
        folder = self._path / array.path
        return any(
            (folder / array.metadata.encode_chunk_key(place)).exists() for place in itertools.product(*places)
        )

    def stated(self) -> Stated:
        """Returns what the axes say of pixels and frames."""
        axes = {axis.name: axis for axis in self.axes}
        y, x = (in_micrometres(axes[name].scale, axes[name].unit) for name in "yx")
        time = axes.get("t")
        return Stated(y + x, in_minutes(time.scale, time.unit) if time else ())


def is_zarr(path: Path) -> bool:
    """Tells whether a folder is a Zarr store, by its name or its files."""
    return path.is_dir() and (
        path.suffix.lower() == ".zarr" or any((path / name).exists() for name in ZARR_FILES)
    )


def open_zarr(path: Path) -> ZarrVideo:
    """Opens the image of a store; no pixel is read.

    Args:
        path: The folder of an OME-Zarr image, or of an array with the axes t, y, x.

    Raises:
        DataError: It is no store, a damaged one, or one without an image, or with several.
        InputError: The package zarr is not installed.
    """
    zarr = import_optional("zarr", "Zarr stores", "exchange")
    try:
        node = zarr.open(path, mode="r")
    except Exception as error:
        raise DataError(f"{path}: cannot be opened as a Zarr store ({reason(error)}); {_REPAIR}") from error
    if isinstance(node, zarr.Array):
        return ZarrVideo(path, node, _axes_of_array(path, node))
    attributes = dict(node.attrs)
    attributes = {**attributes, **_mapping(attributes.get("ome"))}
    if "geff" in attributes:
        raise DataError(f"{path}: is a GEFF graph of cells, not a video; cosembed convert reads it")
    if "multiscales" in attributes:
        return _open_image(path, node, attributes, zarr)
    images = [name for name in sorted(node.group_keys()) if _holds_image(node[name])]
    if len(images) == 1:
        return open_zarr(path / images[0])
    if images:
        raise DataError(f"{path}: holds several images; name one of them: {', '.join(map(str, images[:20]))}")
    raise DataError(
        f"{path}: holds no OME-Zarr image (multiscales); name the folder of an image, or of an array [t, y, "
        "x]"
    )


def _open_image(path: Path, group: Any, attributes: Mapping[str, Any], zarr: Any) -> ZarrVideo:
    try:
        image = attributes["multiscales"][0]
        level = image["datasets"][0]
        place = str(level["path"])
        array = group[place]
        if not isinstance(array, zarr.Array):
            raise ValueError(f"{place} is no array")
        axes = _axes_of_image(image, level, len(array.shape))
    except Exception as error:
        raise DataError(
            f"{path}: its OME-Zarr image cannot be opened ({reason(error)}); {_REPAIR}"
        ) from error
    return ZarrVideo(path, array, axes)


def _axes_of_image(image: Mapping[str, Any], level: Mapping[str, Any], dimensions: int) -> list[Axis]:
    """Reads names, units and scales of the axes; those of versions before 0.4 have names alone."""
    stated = image.get("axes") or list("tczyx")[-dimensions:]
    named = [{"name": axis} if isinstance(axis, str) else axis for axis in stated]
    scales = np.ones(len(named))
    for transformations in (level, image):
        for transformation in transformations.get("coordinateTransformations", ()):
            if transformation.get("type") == "scale":
                scales = scales * np.asarray(transformation["scale"], float)
    return [
        Axis(str(axis["name"]).lower(), axis.get("unit"), float(scale))
        for axis, scale in zip(named, scales, strict=True)
    ]


def _axes_of_array(path: Path, array: Any) -> list[Axis]:
    names = getattr(array.metadata, "dimension_names", None) or ()
    if len(names) != len(array.shape) or not all(names):
        names = ("t", "y", "x")
    if len(array.shape) != len(names):
        raise DataError(
            f"{path}: is an array of the shape {tuple(array.shape)} whose axes have no names; give one with "
            "the axes t, y, x, or an OME-Zarr image"
        )
    return [Axis(str(name).lower(), None, 1.0) for name in names]


def _holds_image(group: Any) -> bool:
    attributes = dict(group.attrs)
    return "multiscales" in attributes or "multiscales" in _mapping(attributes.get("ome"))


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

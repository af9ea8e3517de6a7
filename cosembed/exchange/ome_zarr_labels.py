"""Writes masks as label images of OME-Zarr 0.4 or 0.5, a frame at a time. Knows no lineages.

The image has one level and the axes t, y, x; every frame is a chunk. OME-Zarr 0.4 lies in Zarr of version 2,
OME-Zarr 0.5 in Zarr of version 3.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cosembed.exchange.result_folder import ResultFolder
from cosembed.files.progress import with_progress
from cosembed.files.writing import atomic_folder
from cosembed.images.calibration import UNKNOWN, Calibration
from cosembed.requirements import import_optional

Version = Literal["0.4", "0.5"]
VERSIONS: tuple[str, ...] = get_args(Version)
# The array of the only level within its group.
LEVEL = "0"


def zarr_format(version: Version) -> Literal[2, 3]:
    """Returns the version of Zarr in which a version of OME-Zarr lies."""
    return 2 if version == "0.4" else 3


def write_labels(
    result: ResultFolder, output: Path, calibration: Calibration = UNKNOWN, version: Version = "0.4"
) -> None:
    """Writes the masks of a result as a label image of its own, complete or not at all.

    Args:
        result: The result folder.
        output: The store to write, for example `cells.zarr`; it must not exist.
        calibration: What a pixel and a frame are.
        version: The version of OME-Zarr.

    Raises:
        InputError: The package zarr is not installed.
        OutputError: The store exists already.
    """
    with atomic_folder(output) as folder:
        shape = (len(result.masks), *result.shape)
        write_label_image(folder, output.stem, result.labels(), shape, calibration, version)


def write_label_image(
    folder: Path,
    name: str,
    labels: Iterable[NDArray[np.uint16]],
    shape: tuple[int, int, int],
    calibration: Calibration,
    version: Version = "0.4",
) -> None:
    """Writes a label image; not atomic by itself.

    Args:
        folder: The group to write, for example `cells.zarr`; it must not hold one.
        name: What the image is called.
        labels: uint16 [H, W], one a frame.
        shape: T, H, W.
        calibration: What a pixel and a frame are.
        version: The version of OME-Zarr.

    Raises:
        InputError: The package zarr is not installed.
        OSError: The folder cannot be written.
    """
    zarr = import_optional("zarr", "Zarr stores", "exchange")
    # An empty folder that is there already is reserved for this process; it stays.
    group = zarr.open_group(folder, mode="a", zarr_format=zarr_format(version))
    array = group.create_array(
        LEVEL,
        shape=shape,
        chunks=(1, *shape[1:]),
        dtype="uint16",
        fill_value=0,
        chunk_key_encoding={"name": "v2" if version == "0.4" else "default", "separator": "/"},
        **({} if version == "0.4" else {"dimension_names": ["t", "y", "x"]}),
        # A frame without cells is there all the same, so that one that is missing is noticed.
        config={"write_empty_chunks": True},
    )
    group.attrs.update(_attributes(name, calibration, version))
    for frame, image in enumerate(with_progress(labels, shape[0], "label image")):
        array[frame] = image


def write_label_group(folder: Path, names: list[str], version: Version) -> None:
    """Writes the group that lists the label images below it; raises as `write_label_image`."""
    zarr = import_optional("zarr", "Zarr stores", "exchange")
    group = zarr.open_group(folder, mode="w", zarr_format=zarr_format(version))
    group.attrs.update(
        {"labels": names} if version == "0.4" else {"ome": {"version": version, "labels": names}}
    )


def _attributes(name: str, calibration: Calibration, version: Version) -> dict[str, Any]:
    pixel, interval = calibration.pixel_size, calibration.frame_interval
    time: dict[str, str] = {"name": "t", "type": "time"} | ({"unit": "minute"} if interval else {})
    space = [
        {"name": axis, "type": "space"} | ({"unit": "micrometer"} if pixel else {}) for axis in ("y", "x")
    ]
    scale = [interval or 1.0, pixel or 1.0, pixel or 1.0]
    level = {"path": LEVEL, "coordinateTransformations": [{"type": "scale", "scale": scale}]}
    image: dict[str, Any] = {"name": name, "axes": [time, *space], "datasets": [level]}
    if version == "0.4":
        return {
            "multiscales": [{"version": version, **image}],
            "image-label": {"version": version},
        }
    return {"ome": {"version": version, "multiscales": [image], "image-label": {}}}

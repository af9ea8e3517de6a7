"""Finds which page of an image file is which time point and channel. Decodes nothing.

Axes are those that ImageJ, OME and tifffile write into a TIFF: T, C and Z; pages without a named axis are
time points.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from cosembed.errors import DataError
from cosembed.images.decoding import Header
from cosembed.images.png import is_png
from cosembed.images.reading import read_headers
from cosembed.images.tiff import open_tiff

# tifffile's names of an axis that the file itself does not name.
_UNNAMED = ("I", "Q")


class Layout(NamedTuple):
    """Holds the headers of all pages, and the pages of every time point.

    A time point has one page per channel, or one for all where a page itself has channels.
    """

    headers: list[Header]
    times: list[tuple[int, ...]]


def read_layout(path: Path) -> Layout:
    """Reads the layout of a TIFF or PNG file from its headers.

    Raises:
        DataError: It is no image, or its axes are not those of one video: slices (Z), or several without a
            name.
    """
    headers = read_headers(path)
    one_by_one: list[tuple[int, ...]] = [(page,) for page in range(len(headers))]
    if len(headers) == 1 or is_png(path):
        return Layout(headers, one_by_one)
    with open_tiff(path) as file:
        series = file.series[0]
        leading = [
            (axis, size) for axis, size in zip(series.axes, series.shape, strict=True) if axis not in "YXS"
        ]
        # Pages of several sizes make several series; their sizes are compared where they are used.
        if len(file.series) > 1 or len(series.pages) != len(headers):
            return Layout(headers, one_by_one)
        order = [page.index for page in series.pages if page is not None]
    sizes = dict(leading)
    times = [axis for axis, _ in leading if axis != "C"]
    if "Z" in times:
        raise DataError(
            f"{path}: holds {sizes['Z']} slices (axis Z), but a video has two dimensions and time; "
            "project or choose slices, or, if they are time points, exchange slices and frames "
            "(Fiji: Image > Properties...)"
        )
    if len(times) > 1:
        named = "unnamed" if times[0] in _UNNAMED else " and ".join(times)
        extents = " x ".join(str(size) for axis, size in leading if axis != "C")
        raise DataError(
            f"{path}: holds {extents} pages along {named} axes; name them when saving "
            "(tifffile: metadata={'axes': 'TCYX'}), or save a folder of TIFF files"
        )
    grid = np.array(order).reshape([size for _, size in leading])
    if times and leading[0][0] == "C":
        grid = grid.T
    channels = sizes.get("C", 1)
    return Layout(
        headers, [tuple(row) for row in grid.reshape(math.prod(grid.shape) // channels, channels).tolist()]
    )

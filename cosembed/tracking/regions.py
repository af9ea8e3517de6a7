"""Measures the cells of a mask: where they are, how large, of what shape and how bright. Knows no tracks."""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from skimage.measure import regionprops_table

from cosembed.errors import DataError

_REGION = np.dtype([("y", np.float64), ("x", np.float64), ("area", np.int64)])
_SHAPE = np.dtype([(name, np.float64) for name in ("perimeter", "eccentricity", "mean_intensity")])


class Region(NamedTuple):
    """Describes one instance in one frame by its centroid (y, x) and its area, in original pixels."""

    y: float
    x: float
    area: int


class Shape(NamedTuple):
    """Describes the outline of one instance in one frame, and its pixels.

    Attributes:
        perimeter: Length of the line through the centres of the pixels at its border, in pixels.
        eccentricity: That of the ellipse with the same second moments: 0 for a disc, near 1 for a line.
        mean_intensity: Mean of the image's values in it; over all channels, if there are several. NaN if
            there is no image.
    """

    perimeter: float
    eccentricity: float
    mean_intensity: float


class Images(Protocol):
    """Gives the image [H, W] or [H, W, C] of a frame by its index."""

    def __getitem__(self, index: int, /) -> NDArray: ...


def region_columns(mask: NDArray[np.uint16]) -> tuple[NDArray[np.int32], NDArray[np.void]]:
    """Measures the centroid and the area of every label of a mask uint16 [H, W], the background left out.

    Returns:
        The labels int32 [N], rising, and the fields of their `Region`, structured [N].
    """
    rows, columns = np.nonzero(mask)
    labels = mask[rows, columns]
    area = np.bincount(labels)
    y, x = (np.bincount(labels, weights=axis) / np.maximum(area, 1) for axis in (rows, columns))
    present = np.flatnonzero(area)
    found = np.zeros(len(present), _REGION)
    found["y"], found["x"], found["area"] = y[present], x[present], area[present]
    return present.astype(np.int32), found


def measure_regions(mask: NDArray[np.uint16]) -> dict[int, Region]:
    """Measures the centroid and the area of every label of a mask: label -> region."""
    labels, columns = region_columns(mask)
    return {label: Region(*values) for label, values in zip(labels.tolist(), columns.tolist(), strict=True)}


def shape_columns(mask: NDArray[np.uint16], image: NDArray | None = None) -> NDArray[np.void]:
    """Measures the outline of every label of a mask uint16 [H, W], and its mean in an image, if there is one.

    Perimeter and eccentricity are those of scikit-image.

    Returns:
        The fields of the `Shape` of every label, by rising label, structured [N].
    """
    measured = regionprops_table(mask, properties=("label", "perimeter", "eccentricity"))
    labels = measured["label"].astype(int)
    found = np.zeros(len(labels), _SHAPE)
    found["perimeter"], found["eccentricity"] = measured["perimeter"], measured["eccentricity"]
    found["mean_intensity"] = math.nan
    if image is not None and len(labels):
        grey = image.mean(axis=-1) if image.ndim == 3 else image
        sums = np.bincount(mask.ravel(), weights=grey.ravel().astype(np.float64))
        found["mean_intensity"] = (sums / np.maximum(np.bincount(mask.ravel()), 1))[labels]
    return found


def image_or_none(images: Images | None, index: int) -> NDArray | None:
    """Reads a frame; None if there are none, or if it cannot be read any more.

    The cells were found all the same, and only their means are left out.
    """
    try:
        return None if images is None else images[index]
    except DataError:
        return None

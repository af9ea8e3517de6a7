"""Measures the cells of a mask: where they are, how large, of what shape and how bright. Knows no tracks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from skimage.measure import regionprops_table

from cosembed.errors import DataError
from cosembed.files.progress import with_progress


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


def measure_regions(mask: NDArray[np.uint16]) -> dict[int, Region]:
    """Measures the centroid and the area of every label of a mask uint16 [H, W], the background left out."""
    rows, columns = np.nonzero(mask)
    labels = mask[rows, columns]
    area = np.bincount(labels)
    y, x = (np.bincount(labels, weights=axis) / np.maximum(area, 1) for axis in (rows, columns))
    return {
        int(label): Region(float(y[label]), float(x[label]), int(area[label]))
        for label in np.flatnonzero(area)
    }


def measure_shapes(mask: NDArray[np.uint16], image: NDArray | None = None) -> dict[int, Shape]:
    """Measures the outline of every label of a mask uint16 [H, W], and its mean in an image, if there is one.

    Perimeter and eccentricity are those of scikit-image.
    """
    found = regionprops_table(mask, properties=("label", "perimeter", "eccentricity"))
    labels = found["label"].astype(int)
    means = np.full(len(labels), math.nan)
    if image is not None and len(labels):
        grey = image.mean(axis=-1) if image.ndim == 3 else image
        sums = np.bincount(mask.ravel(), weights=grey.ravel().astype(np.float64))
        means = (sums / np.maximum(np.bincount(mask.ravel()), 1))[labels]
    rows = zip(labels, found["perimeter"], found["eccentricity"], means, strict=True)
    return {int(label): Shape(*map(float, values)) for label, *values in rows}


def measure_video(
    masks: Images, numbers: Sequence[int], images: Images | None = None
) -> dict[int, dict[int, Shape]]:
    """Measures the cells of a video, a frame at a time.

    Args:
        masks: The masks uint16 [H, W].
        numbers: The number of every frame.
        images: The frames; one that cannot be read any more leaves the means of its cells out, for the cells
            themselves were found.

    Returns:
        Label -> number of a frame -> shape.
    """
    shapes: dict[int, dict[int, Shape]] = {}
    for index, number in enumerate(with_progress(numbers, len(numbers), "measuring")):
        try:
            image = images[index] if images is not None else None
        except DataError:
            image = None
        for label, shape in measure_shapes(masks[index], image).items():
            shapes.setdefault(label, {})[number] = shape
    return shapes

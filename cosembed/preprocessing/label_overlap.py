"""How many pixels every pair of labels of two label images shares. Knows no score."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Overlap(NamedTuple):
    """The labels of two images without the background, ascending, and their pixel counts.

    Attributes:
        first: Labels [M] that occur in the first image.
        second: Labels [N] that occur in the second image.
        first_area: int64 [M].
        second_area: int64 [N].
        shared: int64 [M, N].
    """

    first: NDArray
    second: NDArray
    first_area: NDArray[np.int64]
    second_area: NDArray[np.int64]
    shared: NDArray[np.int64]

    @property
    def iou(self) -> NDArray[np.float64]:
        """Intersection over union [M, N]."""
        return self.shared / (self.first_area[:, None] + self.second_area[None] - self.shared)


def overlap(first: NDArray, second: NDArray) -> Overlap:
    """Compares two label images of one shape; 0 is background. Memory grows with the number of labels, not their values."""
    first_labels, first_area = np.unique(first[first != 0], return_counts=True)
    second_labels, second_area = np.unique(second[second != 0], return_counts=True)
    both = (first != 0) & (second != 0)
    rows = np.searchsorted(first_labels, first[both])
    columns = np.searchsorted(second_labels, second[both])
    size = (len(first_labels), len(second_labels))
    shared = np.bincount(rows * size[1] + columns, minlength=size[0] * size[1]).reshape(size)
    return Overlap(first_labels, second_labels, first_area, second_area, shared)

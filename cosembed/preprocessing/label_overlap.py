"""Compares two label images: which labels share pixels, how many, and which belong together.

Truth is merged, frames are linked, pairs are stitched, and results are scored and painted by what this module
counts. It knows labels only: no score, no frame and no file.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Labels below this number are counted in a table that has an entry for each; larger ones are sorted instead.
_TABLE_SIZE = 2**16


class LabelOverlap(NamedTuple):
    """Holds the pairs of labels that share pixels, ascending by the first label, then by the second.

    Attributes:
        first: Labels [P] of the first image.
        second: Labels [P] of the second image.
        shared: int64 [P], the pixels that have both labels; at least 1.
        first_area: int64 [P], all pixels of the first label.
        second_area: int64 [P], all pixels of the second label.
    """

    first: NDArray
    second: NDArray
    shared: NDArray[np.int64]
    first_area: NDArray[np.int64]
    second_area: NDArray[np.int64]

    @property
    def iou(self) -> NDArray[np.float64]:
        """Returns the intersection over union of every pair, [P]."""
        return self.shared / (self.first_area + self.second_area - self.shared)

    def pick(self, index: Any) -> LabelOverlap:
        """Returns some of the pairs, or all of them in another order.

        Args:
            index: Anything that indexes an array [P]: booleans, positions, a slice.
        """
        return LabelOverlap(*(column[index] for column in self))


def label_overlap(first: NDArray, second: NDArray, *, background: bool = False) -> LabelOverlap:
    """Counts the pixels that every pair of labels shares.

    Args:
        first: Labels of any shape and integer type.
        second: Labels of the same shape.
        background: Whether label 0 takes part like any other label.

    Returns:
        The pairs; memory grows with their number, not with the labels' values.
    """
    first_labels, first_areas = count_labels(first)
    second_labels, second_areas = count_labels(second)
    compared = np.ones(first.shape, bool) if background else (first != 0) & (second != 0)
    rows = np.searchsorted(first_labels, first[compared])
    columns = np.searchsorted(second_labels, second[compared])
    pairs, shared = np.unique(rows * max(1, len(second_labels)) + columns, return_counts=True)
    row, column = np.divmod(pairs, max(1, len(second_labels)))
    return LabelOverlap(
        first_labels[row], second_labels[column], shared, first_areas[row], second_areas[column]
    )


def match_greedily(overlap: LabelOverlap, minimum: float) -> dict[int, int]:
    """Matches labels one to one: the pair of the largest IoU first, then the largest of those left.

    Args:
        overlap: The pairs. Of equal IoU the one that comes first wins: as `label_overlap` returns them, the
            one of the lower first label, then of the lower second label.
        minimum: The least IoU of a match.

    Returns:
        First label -> second label, in the order of matching.
    """
    matches: dict[int, int] = {}
    taken: set[int] = set()
    iou = overlap.iou
    for index in np.argsort(-iou, kind="stable"):
        if iou[index] < minimum:
            break
        first, second = overlap.first[index].item(), overlap.second[index].item()
        if first not in matches and second not in taken:
            matches[first] = second
            taken.add(second)
    return matches


def count_labels(labels: NDArray) -> tuple[NDArray, NDArray[np.int64]]:
    """Returns the different labels of an image (0 included), ascending, and how many pixels each has."""
    if labels.dtype.kind in "bui" and labels.size and labels.min() >= 0 and labels.max() < _TABLE_SIZE:
        counts = np.bincount(labels.ravel().astype(np.intp, copy=False))
        present = np.flatnonzero(counts)
        return present, counts[present]
    return np.unique(labels, return_counts=True)


def present_labels(labels: NDArray) -> list[int]:
    """Lists the labels of an image in rising order, without the background 0."""
    return [label for label in count_labels(labels)[0].tolist() if label != 0]

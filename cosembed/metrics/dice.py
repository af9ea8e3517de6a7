"""Scores of still-image instance segmentation (Scharr et al. 2016, Leaf segmentation in plant phenotyping)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_dice(first: NDArray, second: NDArray) -> float:
    """Mean over the instances of `first` of their best Dice with an instance of `second` (Scharr et al. 2016, eq. 3).

    Args:
        first: Labels [H, W], 0 is background.
        second: Labels [H, W].

    Returns:
        0..1; 1 if both are empty, 0 if only one is.
    """
    _check(first, second)
    overlap = _overlap(first, second)
    first_area, second_area = overlap.sum(axis=1), overlap.sum(axis=0)
    first_present, second_present = (np.flatnonzero(area[1:]) + 1 for area in (first_area, second_area))
    if not len(first_present) or not len(second_present):
        return float(len(first_present) == len(second_present))
    both = overlap[np.ix_(first_present, second_present)]
    dice = 2 * both / (first_area[first_present][:, None] + second_area[second_present][None])
    return float(dice.max(axis=1).mean())


def symmetric_best_dice(prediction: NDArray, truth: NDArray) -> float:
    """The smaller of best Dice both ways (Scharr et al. 2016, eq. 4). Edge cases as `best_dice`."""
    return min(best_dice(prediction, truth), best_dice(truth, prediction))


def difference_in_count(prediction: NDArray, truth: NDArray) -> int:
    """Number of predicted minus number of true instances (Scharr et al. 2016); the paper reports its absolute value."""
    _check(prediction, truth)
    counts = [np.count_nonzero(np.unique(labels)) for labels in (prediction, truth)]
    return int(counts[0] - counts[1])


def _overlap(first: NDArray, second: NDArray) -> NDArray[np.int64]:
    first_labels, first_index = np.unique(first, return_inverse=True)
    second_labels, second_index = np.unique(second, return_inverse=True)
    table = np.zeros((len(first_labels) + 1, len(second_labels) + 1), np.int64)
    # Row and column 0 are the background, whether it occurs or not.
    rows = first_index.ravel() + int(first_labels[0] != 0)
    columns = second_index.ravel() + int(second_labels[0] != 0)
    np.add.at(table, (rows, columns), 1)
    return table


def _check(first: NDArray, second: NDArray) -> None:
    if first.shape != second.shape or first.size == 0:
        raise ValueError(f"label images must have one shape and at least one pixel. Received: {first.shape} and {second.shape}")

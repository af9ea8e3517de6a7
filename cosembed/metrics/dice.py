"""Scores the instances of still images (Scharr et al. 2016, Leaf segmentation in plant phenotyping)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cosembed.preprocessing.label_overlap import label_overlap, present_labels


def best_dice(first: NDArray, second: NDArray) -> float:
    """Averages the best Dice of every instance of `first` with one of `second` (Scharr et al. 2016).

    BD(A, B) = 1/M sum_i max_j 2 |A_i and B_j| / (|A_i| + |B_j|) over the M instances of A.

    Args:
        first: Labels [H, W], 0 is background.
        second: Labels [H, W].

    Returns:
        0..1; 1 if both are empty, 0 if only one is.

    Raises:
        ValueError: The shapes differ.
    """
    _check(first, second)
    labels, others = present_labels(first), present_labels(second)
    if not labels or not others:
        return float(len(labels) == len(others))
    pairs = label_overlap(first, second)
    best = np.zeros(len(labels))
    dice = 2 * pairs.shared / (pairs.first_area + pairs.second_area)
    np.maximum.at(best, np.searchsorted(labels, pairs.first), dice)
    return float(best.mean())


def symmetric_best_dice(prediction: NDArray, truth: NDArray) -> float:
    """Computes SBD, the smaller of best Dice both ways (Scharr et al. 2016).

    Args:
        prediction: Labels [H, W], 0 is background.
        truth: Labels [H, W].

    Returns:
        0..1; 1 if both are empty, 0 if only one is.

    Raises:
        ValueError: The shapes differ.
    """
    return min(best_dice(prediction, truth), best_dice(truth, prediction))


def foreground_dice(prediction: NDArray, truth: NDArray) -> float:
    """Computes FBD, the Dice of everything that is not background (Scharr et al. 2016).

    Args:
        prediction: Labels [H, W], 0 is background.
        truth: Labels [H, W].

    Returns:
        0..1; 1 if both are empty.

    Raises:
        ValueError: The shapes differ.
    """
    _check(prediction, truth)
    return best_dice(prediction != 0, truth != 0)


def difference_in_count(prediction: NDArray, truth: NDArray) -> int:
    """Computes DiC, the number of predicted minus that of true instances (Scharr et al. 2016).

    The paper reports its absolute value.

    Args:
        prediction: Labels [H, W], 0 is background.
        truth: Labels [H, W].

    Raises:
        ValueError: The shapes differ.
    """
    _check(prediction, truth)
    return len(present_labels(prediction)) - len(present_labels(truth))


def _check(first: NDArray, second: NDArray) -> None:
    if first.shape != second.shape or first.size == 0:
        raise ValueError(
            "label images must have one shape and at least one pixel. "
            f"Received: {first.shape} and {second.shape}"
        )

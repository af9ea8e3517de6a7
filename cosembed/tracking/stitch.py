"""Stitches the labels of overlapping frame pairs into a video by IoU (paper section 2.3; released code, step 9)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def match_labels(first: NDArray, second: NDArray, minimum: float) -> dict[int, int]:
    """Greedy one-to-one matching of two label images of the same frame, largest IoU first. Label 0 takes part.

    Args:
        first: [H, W], labels of the result so far.
        second: [H, W], labels of the new pair.
        minimum: Least IoU.

    Returns:
        Label of `second` -> label of `first`. Ties go to the lower labels.
    """
    pairs, overlap = np.unique(np.stack([first.ravel(), second.ravel()]), axis=1, return_counts=True)
    first_area, second_area = np.bincount(first.ravel()), np.bincount(second.ravel())
    union = first_area[pairs[0]] + second_area[pairs[1]] - overlap
    iou = overlap / union
    matches: dict[int, int] = {}
    taken: set[int] = set()
    for index in np.argsort(-iou, kind="stable"):
        old, new = int(pairs[0, index]), int(pairs[1, index])
        if iou[index] < minimum:
            break
        if old not in taken and new not in matches:
            matches[new] = old
            taken.add(old)
    return matches


def append_pair(last: NDArray, pair: NDArray, highest: int, minimum: float) -> tuple[NDArray, int]:
    """The labels of a pair's second frame in the result's numbering.

    Args:
        last: [H, W], the result's last frame, which is the pair's first.
        pair: [2, H, W], labels of the new pair.
        highest: The highest label used in the result.
        minimum: Least IoU of a match.

    Returns:
        Labels [H, W] of the new frame, and the highest label used now.
    """
    table = np.zeros(int(pair.max()) + 1, np.int64)
    matches = match_labels(last, pair[0], minimum)
    for new, old in matches.items():
        table[new] = old
    for label in np.unique(pair):
        if label != 0 and label not in matches:
            highest += 1
            table[label] = highest
    return table[pair[1]], highest

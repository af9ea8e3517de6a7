"""Stitches the labels of overlapping frame pairs into a video by IoU (paper section 2.3; released code, step 9)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from cosembed.preprocessing.label_overlap import label_overlap, match_greedily, present_labels


def stitch_pairs(pairs: Iterable[NDArray[np.int32]], minimum: float) -> Iterator[NDArray[np.int32]]:
    """The frames of a video, one label per instance, from the labels of its overlapping pairs.

    Both frames of the first pair start the video; of every later pair only the second frame is appended. A label never
    comes back after a frame without it.

    Args:
        pairs: [2, H, W] each, pair t holding frames t and t + 1; or one [1, H, W], for a video of one frame.
        minimum: Least IoU at which a label goes on.

    Yields:
        Labels [H, W]; 0 is background. They do not depend on how the labels of a pair are numbered.
    """
    last: NDArray[np.int32] | None = None
    highest = 0
    for pair in map(in_order_of_appearance, pairs):
        if last is None:
            yield from pair
            last, highest = pair[-1], int(pair.max())
        else:
            last, highest = append_pair(last, pair, highest, minimum)
            yield last


def in_order_of_appearance(pair: NDArray[np.int32]) -> NDArray[np.int32]:
    """Labels renumbered 1..n by their first pixel in frame, row, column; ties in later steps then have one outcome."""
    labels, first, inverse = np.unique(pair, return_index=True, return_inverse=True)
    order = np.argsort(first[labels != 0])
    table = np.zeros(len(labels), np.int32)
    table[np.flatnonzero(labels)[order]] = np.arange(1, len(order) + 1)
    return table[inverse].reshape(pair.shape)


def match_labels(first: NDArray, second: NDArray, minimum: float) -> dict[int, int]:
    """Greedy one-to-one matching of two label images of the same frame, largest IoU first.

    Label 0 takes part on both sides, as in the released code: background that becomes an instance, and an instance that
    becomes background, are matched like any other label.

    Args:
        first: [H, W], labels of the result so far.
        second: [H, W], labels of the new pair.
        minimum: Least IoU.

    Returns:
        Label of `second` -> label of `first`. Ties go to the lower labels.
    """
    overlap = label_overlap(first, second, background=True)
    return {new: old for old, new in match_greedily(overlap, minimum).items()}


def append_pair(
    last: NDArray[np.int32], pair: NDArray[np.int32], highest: int, minimum: float
) -> tuple[NDArray[np.int32], int]:
    """The pair's second frame in the video's numbering, and the highest label used now; `last` is the pair's first frame."""
    table = np.zeros(int(pair.max()) + 1, np.int32)
    matches = match_labels(last, pair[0], minimum)
    for new, old in matches.items():
        table[new] = old
    for label in present_labels(pair):
        if label not in matches:
            highest += 1
            table[label] = highest
    return table[pair[1]], highest

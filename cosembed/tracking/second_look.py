"""Separates what a pair of frames has joined, by a second look at the same frame (ours; part of step 9).

Every frame but the first and the last is clustered twice: with the frame before it and with the frame after.
The first look cannot tell daughters from each other, for in the frame before, their mother connects them; the
second one can. Likewise where cells touch. Steps are numbered as in `cosembed.tracking`. Knows label images
only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.preprocessing.label_overlap import label_overlap, match_greedily, present_labels

# An instance lies in a label, and instances fill it, from this share of their pixels on.
MOST = 0.5


def separate_joined(
    before: NDArray[np.int32],
    last: NDArray[np.int32],
    again: NDArray[np.int32],
    highest: int,
    minimum: float,
) -> tuple[NDArray[np.int32], int]:
    """Separates the labels of a frame in whose place the next pair shows several instances.

    A part goes on as the label of the frame before that it overlaps by IoU, one to one, the largest first:
    that is the label that was joined, or one that had ended there because it was joined. If the joined label
    does not go on in any part, the largest of the others keeps it; what is left is new.

    Args:
        before: int32 [H, W], the video's last frame but one.
        last: int32 [H, W], the video's last frame.
        again: int32 [H, W], the first frame of the pair that is to be appended: the same image as `last`.
        highest: The highest label that the video has used.
        minimum: The least IoU at which a label of the frame before goes on in a part.

    Returns:
        The last frame int32 [H, W], and the highest label that the video has used now.
    """
    parts, joined = _parts(last, again)
    if not joined:
        return last, highest
    overlap = label_overlap(before, parts)
    ended = ~np.isin(overlap.first, present_labels(last))
    own = overlap.first == np.array([0, *joined])[overlap.second]
    matches = match_greedily(overlap.pick(ended | own), minimum)
    names = {part: label for label, part in matches.items()}
    areas = np.bincount(parts.ravel())
    # The largest part first; of equals the lowest.
    for part in sorted(range(1, len(joined) + 1), key=lambda part: -areas[part]):
        label = joined[part - 1]
        if part in names:
            continue
        if label in names.values():
            highest += 1
            names[part] = highest
        else:
            names[part] = label
    table = np.array([0, *(names[part] for part in range(1, len(joined) + 1))], np.int32)
    return np.where(parts > 0, table[parts], last), highest


def _parts(last: NDArray[np.int32], again: NDArray[np.int32]) -> tuple[NDArray[np.int32], list[int]]:
    """Finds the parts of the labels that come apart.

    Returns:
        The parts int32 [H, W], from 1; 0 where nothing comes apart. And the label that each is a part of.
    """
    parts = np.zeros_like(last)
    joined: list[int] = []
    overlap = label_overlap(last, again)
    overlap = overlap.pick(overlap.shared > MOST * overlap.second_area)
    labels, counts = np.unique(overlap.first, return_counts=True)
    several = labels[counts > 1].tolist()
    boxes = ndimage.find_objects(last) if several else []
    for label in several:
        inside = overlap.pick(overlap.first == label)
        if inside.shared.sum() <= MOST * inside.first_area[0]:
            continue
        box = boxes[label - 1]
        region = last[box] == label
        shown = np.where(region, again[box], 0)
        shown[~np.isin(shown, inside.second)] = 0
        # What belongs to no instance goes to the nearest one.
        nearest = ndimage.distance_transform_edt(shown == 0, return_distances=False, return_indices=True)
        numbers = np.searchsorted(inside.second, shown[tuple(nearest)]) + len(joined) + 1
        parts[box][region] = numbers[region]
        joined += [label] * len(inside.second)
    return parts, joined

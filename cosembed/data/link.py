"""Consistent ids for masks that have none: labels of neighbouring frames are linked by overlap. Knows no files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIN_IOU = 0.1


def link_masks(masks: dict[int, NDArray[np.uint16]]) -> tuple[dict[int, NDArray[np.uint16]], list[tuple[int, int]]]:
    """Gives instances the same id in neighbouring frames.

    Labels of consecutive frames are matched one to one, largest IoU first, down to 0.1; the rest get new ids. Frames
    without an annotated neighbour cannot be linked and stand alone.

    Args:
        masks: Frame number -> labels uint16 [H, W], of the annotated frames.

    Returns:
        The relabelled masks, and the half-open ranges of frames within which ids are consistent.
    """
    linked: dict[int, NDArray[np.uint16]] = {}
    segments: list[tuple[int, int]] = []
    highest = 0
    for frame in sorted(masks):
        mask = masks[frame]
        before = linked.get(frame - 1)
        table = np.zeros(int(mask.max()) + 1, np.uint16)
        if before is not None:
            for old, new in _matches(before, mask):
                table[new] = old
            segments[-1] = (segments[-1][0], frame + 1)
        else:
            segments.append((frame, frame + 1))
        for label in np.unique(mask[mask > 0]):
            if table[label] == 0:
                highest += 1
                table[label] = highest
        linked[frame] = table[mask]
    return linked, segments


def _matches(first: NDArray[np.uint16], second: NDArray[np.uint16]) -> list[tuple[int, int]]:
    both = (first > 0) & (second > 0)
    pairs, counts = np.unique(np.stack([first[both], second[both]]), axis=1, return_counts=True)
    first_area, second_area = np.bincount(first.ravel()), np.bincount(second.ravel())
    iou = counts / (first_area[pairs[0]] + second_area[pairs[1]] - counts)
    matches: list[tuple[int, int]] = []
    for index in np.argsort(-iou, kind="stable"):
        old, new = int(pairs[0][index]), int(pairs[1][index])
        if iou[index] >= MIN_IOU and all(old != a and new != b for a, b in matches):
            matches.append((old, new))
    return matches

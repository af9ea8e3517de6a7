"""Consistent ids for masks that have none: labels of neighbouring frames are linked by overlap. Reads no files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cosembed.data.merge import overlaps, present_labels

MIN_IOU = 0.1


def link_masks(
    masks: dict[int, NDArray[np.uint16]],
) -> tuple[dict[int, NDArray[np.uint16]], list[tuple[int, int]]]:
    """Gives instances the same id in neighbouring frames.

    Labels of consecutive frames are matched one to one, largest IoU first, down to 0.1; the rest get new ids (so at a
    division one daughter keeps the mother's). Frames without an annotated neighbour cannot be linked and stand alone.

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
        table = np.zeros(int(mask.max()) + 1, np.uint16)
        if frame - 1 in linked:
            for old, new in _matches(linked[frame - 1], mask):
                table[new] = old
            segments[-1] = (segments[-1][0], frame + 1)
        else:
            segments.append((frame, frame + 1))
            highest = 0
        for label in present_labels(mask):
            if table[label] == 0:
                highest += 1
                table[label] = highest
        linked[frame] = table[mask]
    return linked, segments


def _matches(first: NDArray[np.uint16], second: NDArray[np.uint16]) -> list[tuple[int, int]]:
    firsts, seconds, counts = overlaps(first, second)
    iou = counts / (np.bincount(first.ravel())[firsts] + np.bincount(second.ravel())[seconds] - counts)
    matches: dict[int, int] = {}
    taken: set[int] = set()
    for index in np.argsort(-iou, kind="stable"):
        old, new = int(firsts[index]), int(seconds[index])
        if iou[index] >= MIN_IOU and old not in matches and new not in taken:
            matches[old] = new
            taken.add(new)
    return list(matches.items())

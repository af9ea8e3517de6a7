"""Gives consistent ids to masks that have none: labels of neighbouring frames are linked by overlap.

Reads no files.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cosembed.preprocessing.label_overlap import label_overlap, match_greedily, present_labels

MIN_IOU = 0.1


def link_masks(
    masks: dict[int, NDArray[np.uint16]],
) -> tuple[dict[int, NDArray[np.uint16]], list[tuple[int, int]]]:
    """Gives instances the same id in neighbouring frames.

    Labels of consecutive frames are matched one to one, largest IoU first, down to `MIN_IOU`; the rest get
    new ids (so at a division one daughter keeps the mother's). Frames without an annotated neighbour cannot
    be linked and stand alone.

    Args:
        masks: The annotated frames: frame number -> labels uint16 [H, W].

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
            overlap = label_overlap(linked[frame - 1], mask)
            for old, new in match_greedily(overlap, MIN_IOU).items():
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

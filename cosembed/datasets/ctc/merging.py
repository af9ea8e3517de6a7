"""Merges the two sources of truth of a frame: tracking markers (TRA) and segmentation masks (SEG).

Reads no files.

Source: the released preprocessing. A SEG label takes the id of the TRA label it shares most pixels with, and
overwrites the markers where it is set.
"""

from __future__ import annotations

import numpy as np
from absl import logging
from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.preprocessing.label_overlap import label_overlap, present_labels


def merge_markers_and_masks(
    markers: NDArray[np.uint16], segmentation: NDArray[np.uint16], source: str
) -> tuple[NDArray[np.uint16], bool]:
    """Merges the markers and the masks of one frame.

    The frame is completely segmented if every marker has a mask and every mask a marker. A mask without a
    marker has no identity: it is left out, with a warning.

    Args:
        markers: uint16 [H, W], TRA; ids are consistent over the video.
        segmentation: uint16 [H, W], SEG; ids are not.
        source: The SEG file, for messages.

    Returns:
        The merged labels uint16 [H, W], and whether the frame is completely segmented.

    Raises:
        DataError: Two masks share most pixels with the same marker.
    """
    overlap = label_overlap(segmentation, markers)
    chosen: dict[int, int] = {}
    for mask in present_labels(overlap.first):
        touching = overlap.pick(overlap.first == mask)
        marker = int(touching.second[np.argmax(touching.shared)])
        if marker in chosen:
            raise DataError(
                f"{source}: labels {chosen[marker]} and {mask} both cover marker {marker} of TRA; "
                "correct one of them"
            )
        chosen[marker] = mask
    alone = set(present_labels(segmentation)) - set(chosen.values())
    if alone:
        logging.warning("%s: label %d covers no marker of TRA and is left out", source, min(alone))
    table = np.zeros(int(segmentation.max()) + 1, np.uint16)
    for marker, mask in chosen.items():
        table[mask] = marker
    renamed = table[segmentation]
    complete = not alone and set(present_labels(markers)) == set(chosen)
    return np.where(renamed > 0, renamed, markers), complete

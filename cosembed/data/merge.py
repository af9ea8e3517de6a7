"""Truth of one frame from its two sources: tracking markers (TRA) and segmentation masks (SEG). Reads no files.

Source: the released preprocessing. A SEG label takes the id of the TRA label it shares most pixels with, and overwrites
the markers where it is set.
"""

from __future__ import annotations

import numpy as np
from absl import logging
from numpy.typing import NDArray

from cosembed.errors import DataError


def merge_frame(
    markers: NDArray[np.uint16], segmentation: NDArray[np.uint16], source: str
) -> tuple[NDArray[np.uint16], bool]:
    """Merges one frame.

    The frame is completely segmented if every marker has a mask and every mask a marker. A mask without a marker has no
    identity: it is left out, with a warning.

    Args:
        markers: uint16 [H, W], TRA; ids are consistent over the video.
        segmentation: uint16 [H, W], SEG; ids are not.
        source: The SEG file, for messages.

    Returns:
        The merged labels uint16 [H, W], and whether the frame is completely segmented.

    Raises:
        DataError: Two masks share most pixels with the same marker.
    """
    masks, touched, counts = overlaps(segmentation, markers)
    chosen: dict[int, int] = {}
    for mask in np.unique(masks):
        touching = masks == mask
        marker = int(touched[touching][np.argmax(counts[touching])])
        if marker in chosen:
            raise DataError(
                f"{source}: labels {chosen[marker]} and {mask} both cover marker {marker} of TRA; correct one of them"
            )
        chosen[marker] = int(mask)
    alone = set(present_labels(segmentation)) - set(chosen.values())
    if alone:
        logging.warning("%s: label %d covers no marker of TRA and is left out", source, min(alone))
    table = np.zeros(int(segmentation.max()) + 1, np.uint16)
    for marker, mask in chosen.items():
        table[mask] = marker
    renamed = table[segmentation]
    complete = not alone and set(present_labels(markers)) == set(chosen)
    return np.where(renamed > 0, renamed, markers), complete


def overlaps(
    first: NDArray[np.uint16], second: NDArray[np.uint16]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """All pairs of labels that share pixels: labels of the first, of the second image, and how many pixels, sorted."""
    both = (first > 0) & (second > 0)
    pairs, counts = np.unique(first[both].astype(np.uint32) << 16 | second[both], return_counts=True)
    return (pairs >> 16).astype(np.int64), (pairs & 0xFFFF).astype(np.int64), counts


def present_labels(labels: NDArray[np.uint16]) -> list[int]:
    """The labels in an image, without 0, in rising order."""
    return (np.flatnonzero(np.bincount(labels.ravel())[1:]) + 1).tolist()

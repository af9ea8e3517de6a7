"""Truth of one frame from its two sources: tracking markers (TRA) and segmentation masks (SEG). Knows no files.

Source: the released preprocessing. A SEG label takes the id of the TRA label it shares most pixels with, and overwrites
the markers where it is set.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import DataError


def merge_frame(markers: NDArray[np.uint16], segmentation: NDArray[np.uint16], source: str) -> tuple[NDArray[np.uint16], bool]:
    """Merges one frame.

    Args:
        markers: uint16 [H, W], TRA; ids are consistent over the video.
        segmentation: uint16 [H, W], SEG; ids are not.
        source: The SEG file, for messages.

    Returns:
        The merged labels uint16 [H, W], and whether every marker has a mask (the frame is completely segmented).

    Raises:
        DataError: A mask covers no marker, or two masks the same one.
    """
    pairs, counts = np.unique(np.stack([segmentation[segmentation > 0], markers[segmentation > 0]]), axis=1, return_counts=True)
    chosen: dict[int, int] = {}
    for mask in np.unique(pairs[0]):
        touching = (pairs[0] == mask) & (pairs[1] > 0)
        if not touching.any():
            raise DataError(f"{source}: label {mask} covers no marker of the TRA truth; remove it or add its marker")
        marker = int(pairs[1][touching][np.argmax(counts[touching])])
        if marker in chosen:
            raise DataError(
                f"{source}: labels {chosen[marker]} and {mask} both cover marker {marker} of TRA; correct one of them"
            )
        chosen[marker] = int(mask)
    table = np.zeros(int(segmentation.max()) + 1, np.uint16)
    for marker, mask in chosen.items():
        table[mask] = marker
    merged = np.where(segmentation > 0, table[segmentation], markers)
    return merged, set(np.unique(markers)) - {0} <= set(chosen)

"""Border clean-up, parents and consistency on whole videos that lie in memory: the oracle of `clean_up`."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.datasets.ctc.track_table import Track
from cosembed.preprocessing.label_overlap import label_overlap, present_labels
from cosembed.specs import TrackingSpec
from cosembed.tracking.lineage import UnbrokenNames, cut_tracks, disc, find_lives, inside


def plain_tracks(labels: NDArray[np.int32], spec: TrackingSpec) -> tuple[NDArray[np.int32], list[Track]]:
    """Cleans up a stitched video and finds its lineage, step by step (steps 10 to 12)."""
    labels = number_consecutively(erase_in_border(labels, spec.border))
    tracks = find_tracks(labels, spec.parent_dilation, spec.parent_frames, spec.parent_iou)
    return end_before_children(labels, tracks)


def erase_in_border(labels: NDArray[np.int32], border: tuple[int, int]) -> NDArray[np.int32]:
    """Erases labels that lie wholly inside the border, frame by frame (step 10).

    What follows an erased frame in the same track gets a fresh label. The released code goes backwards from
    the last frame. Going forwards gives the same parts of tracks in one pass, and also a fresh label to one
    that comes back after a frame without it, which stitching never makes.

    Args:
        labels: int32 [T, H, W]; 0 is background.
        border: Height and width (y, x) of the border at each side, in network pixels.

    Returns:
        int32 [T, H, W]; every label occurs in one unbroken range of frames.
    """
    inner = inside(border, labels.shape[1:])
    cleaned = np.zeros_like(labels)
    names = UnbrokenNames(int(labels.max()) + 1)
    for frame, image in enumerate(labels):
        table = np.zeros(int(image.max()) + 1, labels.dtype)
        for label, name in names.of(present_labels(image[inner])).items():
            table[label] = name
        cleaned[frame] = table[image]
    return cleaned


def number_consecutively(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Renumbers the labels [T, H, W] of a video 1..n and keeps their order (step 11)."""
    counts = np.bincount(labels.ravel())
    present = np.flatnonzero(counts[1:]) + 1
    table = np.zeros(len(counts), np.int32)
    table[present] = np.arange(1, len(present) + 1)
    return table[labels]


def find_tracks(labels: NDArray[np.int32], dilation: int, parent_frames: int, minimum: float) -> list[Track]:
    """Finds the first frame, the last frame and the parent of every label (step 11).

    The mask of a label's first frame is repeated over the frames before. The parent is the label whose volume
    in these frames has the highest IoU with that of the repeated mask.

    Args:
        labels: int32 [T, H, W], numbered 1..n; 0 is background.
        dilation: Odd diameter of the disc that dilates the mask first, in network pixels; 0 is off. The disc
            holds the pixels whose centre lies within half the diameter.
        parent_frames: How many frames before the first one are searched.
        minimum: The IoU that a parent must exceed; otherwise the parent is 0, as it is for labels of frame 0.

    Returns:
        The tracks by rising label.
    """
    element = disc(dilation)
    tracks = []
    for label, begin, end, parent in find_lives(map(present_labels, labels)):
        if begin > 0:
            mask = labels[begin] == label
            if element is not None:
                mask = ndimage.binary_dilation(mask, element)
            parent = _find_parent(labels[max(0, begin - parent_frames) : begin], mask, minimum)
        tracks.append(Track(label, begin, end, parent))
    return tracks


def end_before_children(
    labels: NDArray[np.int32], tracks: Sequence[Track]
) -> tuple[NDArray[np.int32], list[Track]]:
    """Cuts tracks so that none lives on once a child of it has begun (step 12).

    The earlier part keeps label and parent. The later part becomes a child of it with a new label, so that at
    a division the daughter that had kept the mother's label becomes a child. Other children that begin later
    move to it.

    Args:
        labels: int32 [T, H, W], every label in one unbroken range of frames.
        tracks: Their table, as `find_tracks` returns it.

    Returns:
        Labels int32 [T, H, W] and table, in which every parent ends before its children begin.
    """
    labels = labels.copy()
    table, cuts = cut_tracks(tracks)
    for cut in cuts:
        later = labels[cut.begin : cut.end + 1]
        later[later == cut.label] = cut.later
    return labels, table


def _find_parent(before: NDArray[np.int32], mask: NDArray[np.bool_], minimum: float) -> int:
    overlap = label_overlap(before, np.broadcast_to(mask, before.shape))
    if not len(overlap.first):
        return 0
    best = int(np.argmax(overlap.iou))
    return int(overlap.first[best]) if overlap.iou[best] > minimum else 0

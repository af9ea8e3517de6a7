"""Cleans the border of a stitched video and finds its lineage (paper section 3; steps 10 to 12).

Steps are numbered as in `cosembed.tracking`. Here they are done on whole videos of the network's size; their
rules are also used by `clean_up`, frame by frame. Knows label videos and track tables, not how the labels
were found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.datasets.ctc.track_table import Track
from cosembed.preprocessing.label_overlap import label_overlap, present_labels


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


class UnbrokenNames:
    """Gives labels a fresh name when they come back after a frame without them.

    Args:
        fresh: From this number on, names are fresh.
    """

    def __init__(self, fresh: int) -> None:
        self._fresh = fresh
        self._seen: set[int] = set()
        self._names: dict[int, int] = {}

    def of(self, visible: Iterable[int]) -> dict[int, int]:
        """Returns the names of the labels that the next frame shows."""
        before, self._names = self._names, {}
        for label in visible:
            if label in before:
                self._names[label] = before[label]
            elif label in self._seen:
                self._names[label] = self._fresh
                self._fresh += 1
            else:
                self._names[label] = label
        self._seen.update(self._names)
        return self._names


def inside(border: tuple[int, int], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Returns the rows and columns that a border (y, x) leaves of an image [H, W]."""
    (rows, columns), (height, width) = border, shape
    return slice(rows, max(rows, height - rows)), slice(columns, max(columns, width - columns))


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


def without_unlike_daughters(
    labels: NDArray[np.int32], tracks: Sequence[Track], likeness: float
) -> list[Track]:
    """Takes the parent from tracks that are too unlike what is left of it (ours; part of step 11).

    A cell divides into two that are about as large. A track that begins while its parent goes on would end
    it, so that a speck beside a cell cuts the cell's track in two.

    Args:
        labels: int32 [T, H, W].
        tracks: Their table, as `find_tracks` returns it.
        likeness: In the frame in which such a track begins, the smaller of its mask and its parent's must
            have at least this share of the larger one's pixels; 0 is off.

    Returns:
        The table, by rising label.
    """
    ends = {track.label: track.end for track in tracks}
    kept = []
    for track in tracks:
        if likeness and track.parent and ends[track.parent] >= track.begin:
            frame = labels[track.begin]
            smaller, larger = sorted(
                np.count_nonzero(frame == label) for label in (track.label, track.parent)
            )
            if smaller < likeness * larger:
                track = track._replace(parent=0)
        kept.append(track)
    return kept


def find_lives(frames: Iterable[Iterable[int]]) -> list[Track]:
    """Finds the first and the last frame of every label, given the labels of every frame.

    Returns:
        The tracks by rising label, without parents.
    """
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for frame, labels in enumerate(frames):
        for label in labels:
            first.setdefault(label, frame)
            last[label] = frame
    return [Track(label, begin, last[label], 0) for label, begin in sorted(first.items())]


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


class Cut(NamedTuple):
    """Tells that a label is called `later` from the frame `begin` to the frame `end`."""

    label: int
    begin: int
    end: int
    later: int


def cut_tracks(tracks: Sequence[Track]) -> tuple[list[Track], list[Cut]]:
    """Cuts the rows of a table as `end_before_children` does.

    Returns:
        The table, and what it means for the labels, one cut after the other.
    """
    table = {track.label: track for track in tracks}
    cuts: list[Cut] = []
    fresh = max(table, default=0) + 1
    while conflicts := [
        track for track in table.values() if track.parent and table[track.parent].end >= track.begin
    ]:
        child = min(conflicts, key=lambda track: (track.begin, track.label))
        parent = table[child.parent]
        cuts.append(Cut(parent.label, child.begin, parent.end, fresh))
        table[fresh] = Track(fresh, child.begin, parent.end, parent.label)
        table[parent.label] = parent._replace(end=child.begin - 1)
        for track in list(table.values()):
            if track.parent == parent.label and track.begin > child.begin:
                table[track.label] = track._replace(parent=fresh)
        fresh += 1
    return sorted(table.values()), cuts


def _find_parent(before: NDArray[np.int32], mask: NDArray[np.bool_], minimum: float) -> int:
    overlap = label_overlap(before, np.broadcast_to(mask, before.shape))
    if not len(overlap.first):
        return 0
    best = int(np.argmax(overlap.iou))
    return int(overlap.first[best]) if overlap.iou[best] > minimum else 0


def disc(diameter: int) -> NDArray[np.bool_] | None:
    """Returns the pixels whose centre lies within half a diameter, bool [d, d]; None if that is only one."""
    if diameter <= 1:
        return None
    radius = diameter // 2
    rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return rows**2 + columns**2 <= (diameter / 2) ** 2

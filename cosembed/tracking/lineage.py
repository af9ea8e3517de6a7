"""Parents and the rules of a lineage (paper section 3; released code, steps 10 to 12). Knows label videos and track tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.data.sequence import Track


def erase_in_border(labels: NDArray[np.int32], border: tuple[int, int]) -> None:
    """Erases labels that lie wholly inside the border, frame by frame from the last; changes `labels` in place.

    What follows such a frame in the same track gets a fresh label.

    Args:
        labels: [T, H, W].
        border: (y, x), network pixels.
    """
    if not any(border):
        return
    rows, columns = border
    height, width = labels.shape[1:]
    inner = (slice(rows, max(rows, height - rows)), slice(columns, max(columns, width - columns)))
    fresh = int(labels.max()) + 1
    for frame in reversed(range(len(labels))):
        for label in np.setdiff1d(labels[frame], np.append(labels[frame][inner], 0)):
            labels[frame][labels[frame] == label] = 0
            later = labels[frame + 1 :] == label
            if later.any():
                labels[frame + 1 :][later] = fresh
                fresh += 1


def renumber(labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Labels [T, H, W] renumbered 1..n in the order of their numbers."""
    present = np.flatnonzero(np.bincount(labels.ravel()))
    table = np.zeros(int(labels.max()) + 1, np.int32)
    table[present[present > 0]] = np.arange(1, np.count_nonzero(present) + 1)
    return table[labels]


def find_tracks(labels: NDArray[np.int32], dilation: int, parent_frames: int, minimum: float) -> list[Track]:
    """First and last frame and parent of every label.

    The mask of a label's first frame is repeated over the frames before; the parent is the label whose volume there has
    the highest IoU with it, if above `minimum`.

    Args:
        labels: [T, H, W], 1..n.
        dilation: Diameter of the disc that dilates the mask first; 0 is off.
        parent_frames: How many frames back.
        minimum: IoU to exceed.
    """
    presence = {frame: np.unique(image[image > 0]) for frame, image in enumerate(labels)}
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for frame, present in presence.items():
        for label in present.tolist():
            first.setdefault(label, frame)
            last[label] = frame
    disc = _disc(dilation)
    tracks = []
    for label, begin in sorted(first.items()):
        parent = 0
        if begin > 0:
            mask = labels[begin] == label
            if disc is not None:
                mask = ndimage.binary_dilation(mask, disc)
            parent = _best_overlap(labels[max(0, begin - parent_frames) : begin], mask, minimum)
        tracks.append(Track(label, begin, last[label], parent))
    return tracks


def end_before_children(labels: NDArray[np.int32], tracks: Sequence[Track]) -> list[Track]:
    """Cuts tracks so that none lives on once a child of it has begun; changes `labels` in place.

    The earlier part keeps label and parent; the later part becomes a child of it with a new label (so at a division the
    daughter that had kept the mother's label becomes a child), and children that begin later move to it.
    """
    table = {track.label: track for track in tracks}
    fresh = max(table, default=0) + 1
    while True:
        conflicts = [t for t in table.values() if t.parent and table[t.parent].end >= t.begin]
        if not conflicts:
            return sorted(table.values())
        child = min(conflicts, key=lambda track: (track.begin, track.label))
        parent = table[child.parent]
        present = np.flatnonzero((labels == parent.label).any(axis=(1, 2)))
        earlier, later = present[present < child.begin], present[present >= child.begin]
        labels[later] = np.where(labels[later] == parent.label, fresh, labels[later])
        for track in list(table.values()):
            if track.parent == parent.label and track.begin > later[0]:
                table[track.label] = track._replace(parent=fresh)
        table[parent.label] = parent._replace(end=int(earlier[-1]))
        table[fresh] = Track(fresh, int(later[0]), parent.end, parent.label)
        fresh += 1


def _best_overlap(before: NDArray[np.int32], mask: NDArray[np.bool_], minimum: float) -> int:
    overlap = np.bincount(before[:, mask].ravel())
    candidates = np.flatnonzero(overlap)
    candidates = candidates[candidates > 0]
    if not len(candidates):
        return 0
    volume = np.bincount(before.ravel(), minlength=len(overlap))[candidates]
    iou = overlap[candidates] / (volume + len(before) * np.count_nonzero(mask) - overlap[candidates])
    best = int(np.argmax(iou))
    return int(candidates[best]) if iou[best] > minimum else 0


def _disc(diameter: int) -> NDArray[np.bool_] | None:
    if diameter <= 1:
        return None
    radius = (diameter - 1) / 2
    rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return rows**2 + columns**2 <= (radius + 0.5) ** 2

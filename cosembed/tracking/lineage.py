"""Knows the rules of border and lineage (paper section 3; steps 10 to 12) that `clean_up` goes by.

Steps are numbered as in `cosembed.tracking`. Knows labels and track tables, not how the labels were found; no
video is gone through here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import Track


class UnbrokenNames:
    """Gives labels a fresh name when they come back after a frame without them.

    What follows a frame in which a label was erased in the same track gets a fresh one. The released code
    goes backwards from the last frame. Going forwards gives the same parts of tracks in one pass, and also a
    fresh label to one that comes back after a frame without it, which stitching never makes.

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


def without_unlike_daughters(
    tracks: Iterable[Track], area: Callable[[int, int], int], likeness: float
) -> list[Track]:
    """Takes the parent from tracks that are too unlike what is left of it (ours; part of step 11).

    A cell divides into two that are about as large. A track that begins while its parent goes on would end
    it, so that a speck beside a cell cuts the cell's track in two.

    Args:
        tracks: The table.
        area: Gives the pixels of a track in a frame, from the track and the frame.
        likeness: In the frame in which such a track begins, the smaller of its mask and its parent's must
            have at least this share of the larger one's pixels; 0 is off.

    Returns:
        The table, in the same order.
    """
    tracks = list(tracks)
    ends = {track.label: track.end for track in tracks}
    kept = []
    for track in tracks:
        if likeness and track.parent and ends[track.parent] >= track.begin:
            smaller, larger = sorted(area(label, track.begin) for label in (track.label, track.parent))
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


class Cut(NamedTuple):
    """Tells that a label is called `later` from the frame `begin` to the frame `end`."""

    label: int
    begin: int
    end: int
    later: int


def cut_tracks(tracks: Sequence[Track]) -> tuple[list[Track], list[Cut]]:
    """Cuts tracks so that none lives on once a child of it has begun (step 12).

    The earlier part keeps label and parent. The later part becomes a child of it with a new label, so that at
    a division the daughter that had kept the mother's label becomes a child. Other children that begin later
    move to it.

    Args:
        tracks: The table before, every track in one unbroken range of frames.

    Returns:
        The table, in which every parent ends before its children begin, and what it means for the labels,
        one cut after the other.
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


def disc(diameter: int) -> NDArray[np.bool_] | None:
    """Returns the pixels whose centre lies within half a diameter, bool [d, d]; None if that is only one."""
    if diameter <= 1:
        return None
    radius = diameter // 2
    rows, columns = np.ogrid[-radius : radius + 1, -radius : radius + 1]
    return rows**2 + columns**2 <= (diameter / 2) ** 2

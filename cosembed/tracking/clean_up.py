"""Cleans up the label maps of a video and finds its lineage (paper section 3; steps 10 to 12).

The label maps may not fit into memory together: they are of the network's size, packed, or in the follow-up
of the original size, in files. They are gone through once, forwards, and only as many are held as are
searched for a parent; none is changed here. What is found is which label of a map is which track.

1. In the follow-up, a track of fewer frames than the least length is erased if no parent is found for it.
   What was erased is no parent.
2. A label that lies wholly inside the border is erased in that frame.
3. A label that comes back after frames without it is a new track. The follow-up writes tracks with gaps as
   they are; the format of the challenge does not allow them.
4. Parents are found: the mask of a track's first frame is repeated over the frames before, and the parent is
   the track whose volume there has the highest IoU with it. Of a parent that goes on, a track is a daughter
   only if it is as large as the spec asks for. Mothers end before their daughters begin.

Steps are numbered as in `cosembed.tracking`. Knows masks and track tables, not how they were made.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.datasets.ctc.track_table import Track
from cosembed.files.progress import with_progress
from cosembed.preprocessing.label_overlap import present_labels
from cosembed.specs import TrackingSpec
from cosembed.tracking.label_maps import FrameTables, LabelFrames
from cosembed.tracking.lineage import (
    UnbrokenNames,
    cut_tracks,
    disc,
    find_lives,
    inside,
    without_unlike_daughters,
)


class CleanTracks(NamedTuple):
    """Holds the tracks of a video that was cleaned up.

    Attributes:
        tracks: The table, by rising label.
        labels: For every frame, track -> the label that it has in the mask; labels that are not there are
            erased.
    """

    tracks: list[Track]
    labels: FrameTables


class _Frame(NamedTuple):
    """Holds a mask and what its labels are called: after short tracks are erased, and after the border is."""

    mask: NDArray
    areas: dict[int, int]
    kept: dict[int, int]
    names: dict[int, int]


def clean_up(masks: LabelFrames, areas: FrameTables, spec: TrackingSpec) -> CleanTracks:
    """Cleans up the masks of a video and finds its lineage.

    Args:
        masks: The masks, of the network's or of the original size.
        areas: For every frame, label -> its pixels.
        spec: Tracking values; border and dilation in pixels of the masks.

    Returns:
        Tracks and labels; every track is seen in all frames from its first to its last.
    """
    short = _short_labels(areas, spec.minimum_length)
    names = UnbrokenNames(max((max(frame, default=0) for frame in areas), default=0) + 1)
    before: deque[_Frame] = deque(maxlen=spec.parent_frames)
    found: dict[int, Track] = {}
    labels = FrameTables()
    erased: set[int] = set()
    for index, present in enumerate(with_progress(areas, len(areas), "cleaning up")):
        mask = masks[index]
        search = _ParentSearch(mask, before, spec)
        for label in present:
            if short.get(label) == index and not search.parent(label, [frame.kept for frame in before]):
                erased.add(label)
        kept = {label: label for label in present if label not in erased}
        visible = [label for label in present_labels(mask[inside(spec.border, mask.shape)]) if label in kept]
        current = names.of(visible)
        for label, name in current.items():
            if name in found:
                found[name] = found[name]._replace(end=index)
            else:
                parent = search.parent(label, [frame.names for frame in before])
                found[name] = Track(name, index, index, parent)
        before.append(_Frame(mask, present, kept, dict(current)))
        labels.append({name: label for label, name in current.items()})

    def area(name: int, index: int) -> int:
        return areas[index][labels[index][name]]

    tracks = without_unlike_daughters(found.values(), area, spec.daughter_likeness)
    return _numbered({track.label: track for track in tracks}, labels)


def _short_labels(areas: FrameTables, minimum: int) -> dict[int, int]:
    """Finds the labels of fewer frames than the least length, and their first frames.

    In a video shorter than the least length, only the labels that are not seen all the time are short.
    """
    least = min(minimum, len(areas))
    return {track.label: track.begin for track in find_lives(areas) if track.end - track.begin + 1 < least}


class _ParentSearch:
    """Searches the parents of the labels of one frame in those before.

    Args:
        mask: The frame's labels [H, W].
        before: The frames before.
        spec: Dilation, and the least IoU.
    """

    def __init__(self, mask: NDArray, before: Sequence[_Frame], spec: TrackingSpec) -> None:
        self._mask = mask
        self._before = before
        self._element = disc(spec.parent_dilation)
        self._minimum = spec.parent_iou
        self._boxes: list[tuple[slice, slice] | None] | None = None

    def parent(self, label: int, names: Sequence[Mapping[int, int]]) -> int:
        """Finds the name whose volume has the highest IoU with the label's mask, repeated in every frame.

        Args:
            label: A label of the frame.
            names: For every frame before, label -> name, of the labels that may be parents.

        Returns:
            The name, of equals the lowest; 0 if none exceeds the least IoU.
        """
        if not names:
            return 0
        box, mask = self._dilated(label)
        shared: Counter[int] = Counter()
        volumes: Counter[int] = Counter()
        for frame, known in zip(self._before, names, strict=True):
            there, counts = np.unique(frame.mask[box][mask], return_counts=True)
            for other, count in zip(there.tolist(), counts.tolist(), strict=True):
                if other in known:
                    shared[known[other]] += count
            for other, name in known.items():
                volumes[name] += frame.areas[other]
        own = len(names) * int(np.count_nonzero(mask))
        iou = {name: count / (volumes[name] + own - count) for name, count in shared.items()}
        best = min(iou, key=lambda name: (-iou[name], name), default=0)
        return best if best and iou[best] > self._minimum else 0

    def _dilated(self, label: int) -> tuple[tuple[slice, slice], NDArray[np.bool_]]:
        """Returns the box around a label's dilated mask, and the mask inside it."""
        if self._boxes is None:
            self._boxes = ndimage.find_objects(self._mask)
        box = self._boxes[label - 1]
        assert box is not None
        if self._element is None:
            return box, self._mask[box] == label
        reach = len(self._element) // 2
        rows, columns = (slice(max(0, side.start - reach), side.stop + reach) for side in box)
        wider = rows, columns
        return wider, ndimage.binary_dilation(self._mask[wider] == label, self._element)


def _numbered(found: Mapping[int, Track], labels: FrameTables) -> CleanTracks:
    """Numbers tracks 1..n and cuts them before their children."""
    numbers = {name: number for number, name in enumerate(sorted(found), start=1)} | {0: 0}
    tracks, cuts = cut_tracks(
        [
            track._replace(label=numbers[name], parent=numbers[track.parent])
            for name, track in sorted(found.items())
        ]
    )
    numbered = FrameTables({numbers[name]: label for name, label in frame.items()} for frame in labels)
    for cut in cuts:
        numbered.rename(*cut)
    return CleanTracks(tracks, numbered)

"""Links the cells of a video's frames into tracks with divisions. Knows labels, not how they were made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from cosembed.baselines.values import BaselineValues
from cosembed.datasets.ctc.track_table import Track
from cosembed.preprocessing.label_overlap import label_overlap


class MeasuredFrame(NamedTuple):
    """Holds what linking needs of one frame, whose labels are 1 to N without gaps.

    Attributes:
        centres: [N, 2], the cells' centres of mass (y, x) in pixels.
        areas: [N], in pixels.
        iou: [M, N], with the M cells of the frame before; [0, N] in the first frame.
    """

    centres: NDArray[np.float64]
    areas: NDArray[np.int64]
    iou: NDArray[np.float64]


@dataclass
class _Growing:
    """Holds a track while it grows: its first frame, its parent's index and its label in every frame."""

    begin: int
    parent: int | None
    cells: list[int]

    @property
    def end(self) -> int:
        """Returns the last frame."""
        return self.begin + len(self.cells) - 1


def measure_frames(labels: Iterable[NDArray[np.integer]]) -> list[MeasuredFrame]:
    """Measures the cells of every frame.

    Args:
        labels: Frames [H, W] of labels 1 to N without gaps; 0 is background.
    """
    measured: list[MeasuredFrame] = []
    before: NDArray[np.integer] | None = None
    for frame in labels:
        areas = np.bincount(frame.ravel())[1:]
        centres = np.reshape(ndimage.center_of_mass(frame > 0, frame, np.arange(1, len(areas) + 1)), (-1, 2))
        iou = np.zeros((len(measured[-1].areas) if measured else 0, len(areas)))
        if before is not None:
            pairs = label_overlap(before, frame)
            iou[pairs.first - 1, pairs.second - 1] = pairs.iou
        measured.append(MeasuredFrame(centres, areas, iou))
        before = frame
    return measured


def link_cells(
    frames: Sequence[MeasuredFrame], values: BaselineValues
) -> tuple[list[NDArray[np.uint16]], list[Track]]:
    """Links the cells of neighbouring frames, finds divisions, and drops short tracks.

    Of all ways to link two frames one to one, the one of the largest sum of IoU and nearness counts, where
    nearness falls from 1 for equal centres to 0 at `values.reach`. A cell that stays without a link is the
    daughter of the nearest cell before it if that one's other daughter is about as large and both together
    are not much larger than their mother.

    Args:
        frames: What `measure_frames` finds.
        values: How to do it.

    Returns:
        For every frame, the track of every label, uint16 [N + 1], 0 where it was dropped; and the tracks.
    """
    tracks: list[_Growing] = []
    owners = np.zeros(0, int)
    for index, frame in enumerate(frames):
        links = _assign(frames[index - 1], frame, values) if index else {}
        parents = _divide(frames[index - 1], frame, links, values) if index else {}
        divided = set(parents.values())
        now = np.zeros(len(frame.areas), int)
        for cell in range(len(frame.areas)):
            mother = links.get(cell)
            if mother is not None and mother not in divided:
                now[cell] = owners[mother]
                tracks[now[cell]].cells.append(cell)
                continue
            mother = parents.get(cell, mother)
            now[cell] = len(tracks)
            parent = None if mother is None else int(owners[mother])
            tracks.append(_Growing(index, parent, [cell]))
        owners = now
    return _number(_without_short(tracks, len(frames), values.shortest), frames)


def _assign(before: MeasuredFrame, after: MeasuredFrame, values: BaselineValues) -> dict[int, int]:
    """Gives for every linked cell of a frame the one of the frame before."""
    nearness = np.clip(1 - cdist(before.centres, after.centres) / values.reach, 0, None)
    gain = after.iou + nearness
    old, new = linear_sum_assignment(gain, maximize=True)
    return {int(b): int(a) for a, b in zip(old, new, strict=True) if gain[a, b] > 0}


def _divide(
    before: MeasuredFrame, after: MeasuredFrame, links: dict[int, int], values: BaselineValues
) -> dict[int, int]:
    """Gives for every daughter of a frame, both of each division, its mother in the frame before."""
    daughters = {mother: cell for cell, mother in links.items()}
    free = [cell for cell in range(len(after.areas)) if cell not in links]
    if not free or not daughters:
        return {}
    distances = cdist(before.centres, after.centres[free])
    parents: dict[int, int] = {}
    for flat in np.argsort(distances, axis=None, kind="stable"):
        mother, position = map(int, np.unravel_index(flat, distances.shape))
        if distances[mother, position] > values.division:
            break
        second, first = free[position], daughters.get(mother)
        if first is None or first in parents or second in parents:
            continue
        smaller, larger = sorted((after.areas[first], after.areas[second]))
        if smaller >= values.likeness * larger and smaller + larger <= 1.5 * before.areas[mother]:
            parents[first] = parents[second] = mother
    return parents


def _without_short(tracks: Sequence[_Growing], length: int, shortest: int) -> list[_Growing]:
    """Drops short tracks that begin and end within the video and have no daughters; they are mostly false.

    A mother that is left with one daughter goes on in it.
    """
    families: dict[int, list[int]] = {index: [] for index in range(len(tracks))}
    for index, track in enumerate(tracks):
        if track.parent is not None:
            families[track.parent].append(index)
    gone: set[int] = set()
    # Daughters come after their mothers, so that every track's daughters are settled before it.
    for index in reversed(range(len(tracks))):
        track = tracks[index]
        daughters = [daughter for daughter in families[index] if daughter not in gone]
        if len(daughters) == 1:
            (only,) = daughters
            track.cells += tracks[only].cells
            gone.add(only)
            daughters = families[only]
            for daughter in daughters:
                tracks[daughter].parent = index
        families[index] = daughters
        inside = track.begin > 0 and track.end < length - 1
        if inside and not daughters and len(track.cells) < shortest:
            gone.add(index)
    kept = [index for index in range(len(tracks)) if index not in gone]
    place = {index: position for position, index in enumerate(kept)}
    for index in kept:
        mother = tracks[index].parent
        tracks[index].parent = None if mother is None else place[mother]
    return [tracks[index] for index in kept]


def _number(
    tracks: Sequence[_Growing], frames: Sequence[MeasuredFrame]
) -> tuple[list[NDArray[np.uint16]], list[Track]]:
    """Makes the tables from labels to tracks, which are numbered from 1, and the track table."""
    tables = [np.zeros(len(frame.areas) + 1, np.uint16) for frame in frames]
    for number, track in enumerate(tracks, start=1):
        for index, cell in enumerate(track.cells, start=track.begin):
            tables[index][cell + 1] = number
    rows = [
        Track(number, track.begin, track.end, 0 if track.parent is None else track.parent + 1)
        for number, track in enumerate(tracks, start=1)
    ]
    return tables, rows

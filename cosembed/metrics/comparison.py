"""Compares the tracks of a result with those of the truth, marker by marker.

Every measure of tracks is computed from what stands here: which mask covers which marker, and whether it
covers others besides. This module knows track tables; it knows no file, no image and no measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import Track

Integers = NDArray[np.int64]


class Runs(NamedTuple):
    """Holds the longest stretches in which one result track follows one true track without a gap.

    Attributes:
        row: int64 [R], rows of the truth, ascending; those of one row in the order of time.
        track: int64 [R], rows of the result.
        length: int64 [R], in frames.
    """

    row: Integers
    track: Integers
    length: Integers


class TrackColumns:
    """Holds a track table by columns, in rising order of the labels.

    A row stands for a track, and a vertex for a track in one of its frames. Vertices are numbered row after
    row, each row's in the order of time.

    Attributes:
        label, begin, end: int64 [N].
        parent: int64 [N], the row of the parent; -1 for none.
        length: int64 [N], in frames.
        first: int64 [N], the first vertex of every row.
        daughters: int64 [N], how many tracks name the row as their parent.
    """

    def __init__(self, tracks: Iterable[Track]) -> None:
        table = np.array(sorted(tracks), np.int64).reshape(-1, 4)
        self.label, self.begin, self.end, parents = table.T
        self.parent = np.where(parents > 0, np.searchsorted(self.label, parents), -1)
        self.length = self.end - self.begin + 1
        self.first = np.cumsum(self.length) - self.length
        self.daughters = np.bincount(self.parent[self.parent >= 0], minlength=len(table))

    def rows(self, labels: Sequence[int]) -> Integers:
        """Finds the rows of labels that the table lists."""
        return np.searchsorted(self.label, labels)

    def vertices(self, rows: Integers, frames: Integers | int) -> Integers:
        """Finds the vertices of rows in frames in which they exist."""
        return self.first[rows] + frames - self.begin[rows]

    @cached_property
    def row(self) -> Integers:
        """Returns the row of every vertex, [V]."""
        return np.repeat(np.arange(len(self.label)), self.length)

    @cached_property
    def frame(self) -> Integers:
        """Returns the frame of every vertex, [V]."""
        return np.arange(len(self.row)) - self.first[self.row] + self.begin[self.row]

    @cached_property
    def by_birth(self) -> list[int]:
        """Returns all rows, earlier tracks first: a parent comes before its daughters."""
        return np.argsort(self.begin, kind="stable").tolist()

    @cached_property
    def founder(self) -> Integers:
        """Returns the row that every row descends from and that has no parent itself, [N]."""
        founder = np.arange(len(self.label))
        for row in self.by_birth:
            if self.parent[row] >= 0:
                founder[row] = founder[self.parent[row]]
        return founder


@dataclass(frozen=True)
class Comparison:
    """Holds the tracks of truth and result, and the mask that covers each marker.

    Attributes:
        truth: The true tracks; their vertices are the markers.
        result: The tracks of the result; their vertices are the masks.
        covering: int64 [markers], the row of the result whose mask covers the marker; -1 for none.
        shared: bool [markers], whether that mask covers other markers, too.
    """

    truth: TrackColumns
    result: TrackColumns
    covering: Integers
    shared: NDArray[np.bool_]

    @cached_property
    def own(self) -> Integers:
        """Returns the row of the result whose mask covers a marker and no other one, [markers]; -1: none."""
        return np.where(self.shared, -1, self.covering)

    @cached_property
    def covers(self) -> Integers:
        """Returns how many markers each mask covers, [masks]."""
        at = np.flatnonzero(self.covering >= 0)
        masks = self.result.vertices(self.covering[at], self.truth.frame[at])
        return np.bincount(masks, minlength=len(self.result.row))

    @cached_property
    def runs(self) -> Runs:
        """Finds the stretches in which true tracks are followed."""
        own, row = self.own, self.truth.row
        starts = np.flatnonzero((np.diff(own, prepend=-2) != 0) | (np.diff(row, prepend=-1) != 0))
        lengths = np.diff(starts, append=len(own))
        followed = own[starts] >= 0
        starts = starts[followed]
        return Runs(row[starts], own[starts], lengths[followed])

    @cached_property
    def interrupted(self) -> Integers:
        """Returns the rows of the truth that are followed again after frames without, once for each time."""
        followed = self.own >= 0
        row, frame = self.truth.row[followed], self.truth.frame[followed]
        return row[1:][(np.diff(row) == 0) & (np.diff(frame) > 1)]

    def follows(self, track: int, rows: Integers, frames: Integers) -> NDArray[np.bool_]:
        """Tells whether a result track has a mask of its own for true tracks.

        Args:
            track: The row of the result.
            rows: int64 [R], rows of the truth.
            frames: int64 [R], the frame looked at for each; where a track does not exist, nothing follows it.
        """
        alive = (self.truth.begin[rows] <= frames) & (frames <= self.truth.end[rows])
        follows = np.zeros(len(rows), bool)
        follows[alive] = self.own[self.truth.vertices(rows[alive], frames[alive])] == track
        return follows


def compare_tracks(
    true_tracks: Iterable[Track],
    tracks: Iterable[Track],
    matches: Iterable[tuple[int, Sequence[int], Sequence[int]]],
) -> Comparison:
    """Compares two track tables whose tracks are present in all of their frames.

    Args:
        true_tracks: The truth.
        tracks: The result.
        matches: Frame, labels of markers, and for each the label of the mask that covers it.

    Returns:
        The comparison.
    """
    truth, result = TrackColumns(true_tracks), TrackColumns(tracks)
    covering = np.full(len(truth.row), -1)
    shared = np.zeros(len(truth.row), bool)
    for frame, labels, masks in matches:
        markers = truth.vertices(truth.rows(labels), frame)
        covering[markers] = result.rows(masks)
        _, which, times = np.unique(covering[markers], return_inverse=True, return_counts=True)
        shared[markers] = times[which] > 1
    return Comparison(truth, result, covering, shared)

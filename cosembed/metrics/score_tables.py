"""Lists what became of every true cell, and what is wrong in every frame, for tables. Knows no files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from cosembed.metrics.biology import complete_tracks, find_divisions
from cosembed.metrics.comparison import Comparison, Integers
from cosembed.metrics.links import complete_lineages, link_errors
from cosembed.metrics.measures import BC_TOLERANCES


class SegFrame(NamedTuple):
    """Holds how many masks the SEG truth of a frame has, and the sum of their IoU."""

    objects: int
    iou: float


class CellRow(NamedTuple):
    """Says what became of a true track; the names are those of the table's columns.

    Attributes:
        label, begin, end, parent: Its line in man_track.txt.
        lineage: The label of the track that it descends from and that has no parent.
        markers: Its frames.
        missed: Frames in which no mask covers it.
        shared: Frames in which the mask that covers it covers others, too.
        result: The label of the result track that follows it longest without a gap; None if none does.
        followed: For how long that is, as a share of its frames.
        pieces: How many stretches it is followed in.
        interruptions: How many times it is lost and found again.
        complete: 1 if a result track is with it from its first to its last frame, and no longer; else 0.
        daughters: How many there are.
        tolerance: The least number of frames i at which its division counts as found, up to 3; None if it
            does not divide, or if the division is not found.
        lineage_complete: 1 if the whole lineage is without an error; else 0.
    """

    label: int
    begin: int
    end: int
    parent: int
    lineage: int
    markers: int
    missed: int
    shared: int
    result: int | None
    followed: float
    pieces: int
    interruptions: int
    complete: int
    daughters: int
    tolerance: int | None
    lineage_complete: int


class FrameRow(NamedTuple):
    """Counts the errors of a frame; the names are those of the table's columns.

    Links count in the frame that they lead to. None stands where there is no truth.

    Attributes:
        frame: Its number.
        markers, masks: How many the truth and the result have.
        NS, FN, FP: Further markers in masks that cover several; missed markers; false masks.
        ED, EA, EC: Links to delete, to add, and of the wrong kind.
        seg_objects: Masks of the SEG truth.
        SEG: Their mean IoU; None if there is no such mask.
    """

    frame: int
    markers: int | None
    masks: int | None
    NS: int | None
    FN: int | None
    FP: int | None
    ED: int | None
    EA: int | None
    EC: int | None
    seg_objects: int | None
    SEG: float | None


def cell_rows(comparison: Comparison) -> list[CellRow]:
    """Lists the true tracks in the order of their labels."""
    truth, runs = comparison.truth, comparison.runs
    size = len(truth.label)
    tolerances: dict[int, int] = {}
    for tolerance in reversed(BC_TOLERANCES):
        tolerances |= dict.fromkeys(find_divisions(comparison, tolerance), tolerance)
    longest = np.zeros(size, np.int64)
    np.maximum.at(longest, runs.row, runs.length)
    result: list[int | None] = [None] * size
    for row, track, length in zip(*(column.tolist() for column in runs), strict=True):
        if length == longest[row] and result[row] is None:
            result[row] = int(comparison.result.label[track])
    parents = np.where(truth.parent >= 0, truth.label[truth.parent], 0)
    columns = (
        *(truth.label, truth.begin, truth.end, parents, truth.label[truth.founder], truth.length),
        np.bincount(truth.row[comparison.covering < 0], minlength=size),
        np.bincount(truth.row[comparison.shared], minlength=size),
        result,
        longest / truth.length,
        np.bincount(runs.row, minlength=size),
        np.bincount(comparison.interrupted, minlength=size),
        complete_tracks(comparison)[1].astype(int),
        truth.daughters,
        [tolerances.get(row) for row in range(size)],
        complete_lineages(comparison)[1].astype(int),
    )
    listed = (column.tolist() if isinstance(column, np.ndarray) else column for column in columns)
    return [CellRow(*values) for values in zip(*listed, strict=True)]


def frame_rows(
    comparison: Comparison | None, frames: Iterable[int], seg_frames: Mapping[int, SegFrame]
) -> list[FrameRow]:
    """Lists the frames that have truth.

    Args:
        comparison: The tracks, if there is TRA truth.
        frames: The numbers of the frames with TRA truth.
        seg_frames: Number -> SEG, of the frames with SEG truth.

    Returns:
        The rows in the order of the frames.
    """
    tracked: dict[int, Sequence[int]] = {}
    if comparison is not None:
        truth, result, covers = comparison.truth, comparison.result, comparison.covers
        errors = link_errors(comparison)
        counted = (
            truth.frame,
            result.frame,
            np.repeat(result.frame, np.maximum(covers - 1, 0)),
            truth.frame[comparison.covering < 0],
            result.frame[covers == 0],
            *(errors.false, errors.missing, errors.wrong_kind),
        )
        numbers = list(frames)
        columns = [_count(column, numbers) for column in counted]
        tracked = dict(zip(numbers, zip(*columns, strict=True), strict=True))
    rows = []
    for number in sorted({*tracked, *seg_frames}):
        seg = seg_frames.get(number)
        mean = seg.iou / seg.objects if seg and seg.objects else None
        counts = tracked.get(number, (None,) * 8)
        rows.append(FrameRow._make([number, *counts, seg.objects if seg else None, mean]))
    return rows


def as_csv(rows: Sequence[CellRow] | Sequence[FrameRow], columns: Sequence[str]) -> str:
    """Writes rows as CSV with a heading; what is None stays empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _count(frames: Integers, numbers: Sequence[int]) -> list[int]:
    """Counts how often each number is among the frames."""
    found = dict(zip(*(values.tolist() for values in np.unique(frames, return_counts=True)), strict=True))
    return [found.get(number, 0) for number in numbers]

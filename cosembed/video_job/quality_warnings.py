"""Says what should make a person doubt the tracks of a video without truth.

Knows numbers only; every doubt is one sentence.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from itertools import pairwise

from cosembed.datasets.ctc.track_table import Track
from cosembed.files.wording import counted
from cosembed.images.array_frames import VideoFrames
from cosembed.images.frame_files import name_files
from cosembed.images.frames import Frames
from cosembed.images.survey import Survey

# From these on a person is told; none of them changes a result.
SIZE_RATIO = 1.5
SATURATED = 0.02
GREY_VALUES = 16
SHORT_FRAMES, SHORT_SHARE = 3, 0.4
JUMP_SHARE, JUMP_CELLS = 0.3, 3
# The annotated videos of the Cell Tracking Challenge have a median of at least a quarter of the frames, and a
# division of a cell at most every 65 frames, after which its daughters are seldom lost at once.
MEDIAN_SHARE, MEDIAN_FRAMES = 0.2, 25
FRAMES_PER_DIVISION, FEW_DIVISIONS = 50, 3
LOST_FRAMES, LOST_SHARE = 5, 0.3
LISTED = 5


def warnings_about_files(frames: VideoFrames) -> Iterator[str]:
    """Says which files of a folder are no part of the video, and which frames stand for others.

    Args:
        frames: The video, every frame of which was read once.
    """
    if isinstance(frames, Frames) and frames.left_out:
        yield f"Left out of the video, being neither TIFF nor PNG: {name_files(frames.left_out)}."
    if frames.held:
        plural = len(frames.held) > 1
        yield (
            f"Frame{'s' * plural} {', '.join(map(str, frames.held))} {'are' if plural else 'is'} missing or "
            "blank: the frame before stands there, so these masks were not observed."
        )


def warnings_about_input(shape: tuple[int, int], trained: tuple[int, int], survey: Survey) -> Iterator[str]:
    """Says what differs from the training images, or is lost in the pixels.

    Args:
        shape: Height and width of the frames.
        trained: Height and width of the images that the network was trained on.
        survey: What the pixels are like.
    """
    seen, known = (f"{width} x {height}" for height, width in (shape, trained))
    zoom = (trained[0] * trained[1] / (shape[0] * shape[1])) ** 0.5
    if not 1 / SIZE_RATIO <= zoom <= SIZE_RATIO:
        size = f"{zoom:.1f} times as large" if zoom > 1 else f"{1 / zoom:.1f} times smaller"
        yield (
            f"Frames are {seen} pixels, those of the training were {known}, and all are fitted to the same "
            f"network: at equal magnification cells look {size} to it. Cut or scale the video, or train on "
            "images like these."
        )
    stretched = shape[0] * trained[1] / (shape[1] * trained[0])
    if not 1 / SIZE_RATIO <= stretched <= SIZE_RATIO:
        yield (
            f"Frames of {seen} pixels have another shape than those of the training ({known}): "
            "cells are distorted."
        )
    if survey.saturated > SATURATED:
        yield (
            f"Up to {survey.saturated:.0%} of a frame's pixels are at the highest possible value: "
            "details in them are lost."
        )
    if survey.grey_values < GREY_VALUES:
        yield (
            f"A frame holds only {counted(survey.grey_values, 'grey value')}; "
            "was it exported from a display, or compressed?"
        )


def warnings_about_tracks(counts: Sequence[int], tracks: Sequence[Track], first: int = 0) -> Iterator[str]:
    """Says what a tracked video rarely shows if the network suits it.

    Args:
        counts: Number of cells in every frame.
        tracks: The track table.
        first: The number of the first frame.
    """
    empty = [frame for frame, count in enumerate(counts, first) if count == 0]
    if len(empty) == len(counts):
        yield "No cell was found in any frame: the network does not suit these images."
        return
    if empty:
        yield f"No cell was found in {len(empty)} of {counted(len(counts), 'frame')} ({_few(empty)})."
    short = sum(track.end - track.begin < SHORT_FRAMES for track in tracks) / len(tracks)
    if len(counts) > 3 * SHORT_FRAMES and short > SHORT_SHARE:
        yield (
            f"{short:.0%} of the tracks last at most {SHORT_FRAMES} frames: "
            "the network may not suit these images, or cells move too far from frame to frame."
        )
    median = statistics.median(track.end - track.begin + 1 for track in tracks)
    if median < min(MEDIAN_SHARE * len(counts), MEDIAN_FRAMES):
        yield (
            f"Half of the tracks last at most {median:.0f} of {counted(len(counts), 'frame')}: "
            "cells are lost and found again under other labels."
        )
    yield from _warnings_about_divisions(counts, tracks, first + len(counts) - 1)
    jumps = [
        frame
        for frame, (before, after) in enumerate(pairwise(counts), first + 1)
        if abs(after - before) > max(JUMP_CELLS, JUMP_SHARE * before)
    ]
    if jumps:
        yield (
            f"The number of cells changes abruptly in {counted(len(jumps), 'frame')} ({_few(jumps)}): "
            "look at them in the movie."
        )


def _warnings_about_divisions(counts: Sequence[int], tracks: Sequence[Track], last: int) -> Iterator[str]:
    """Says what divisions rarely are like; `last` is the number of the last frame."""
    daughters: dict[int, list[Track]] = {}
    for track in tracks:
        if track.parent:
            daughters.setdefault(track.parent, []).append(track)
    divisions = [family for family in daughters.values() if len(family) > 1]
    if len(divisions) < FEW_DIVISIONS:
        return
    cycle = sum(counts) / len(divisions)
    if cycle < FRAMES_PER_DIVISION:
        yield (
            f"{len(divisions)} divisions were found: a cell would divide every {cycle:.0f} frames. If that "
            "is too often for these cells, most of them are errors of tracking."
        )
    lost = sum(
        any(track.end - track.begin < LOST_FRAMES and track.end < last for track in family)
        for family in divisions
    )
    if lost > LOST_SHARE * len(divisions):
        yield (
            f"After {lost} of {len(divisions)} divisions a daughter is lost within {LOST_FRAMES} frames: "
            "these are probably no divisions."
        )


def _few(frames: Sequence[int]) -> str:
    return ", ".join(map(str, frames[:LISTED])) + (", ..." if len(frames) > LISTED else "")

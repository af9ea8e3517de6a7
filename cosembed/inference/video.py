"""Turns a video into tracks: inference, tracking and writing, with the time of each stage.

This is the only module that knows both the network side and the tracking side at test time; it holds no
method of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.files.progress import with_progress
from cosembed.files.writing import atomic_folder
from cosembed.images.array_frames import VideoFrames
from cosembed.inference.pieces import Plan, in_pieces, plan_pieces
from cosembed.inference.stepper import FrameStepper, prepare_frames
from cosembed.inference.stopwatch import Stopwatch
from cosembed.inference.tiled import PieceResults, compute_pieces, join_pieces
from cosembed.preprocessing.geometry import Grid, frame_grid, shape_of_test
from cosembed.specs import CellsSpec
from cosembed.tracking import TrackingResult, track_embeddings
from cosembed.tracking.regions import Images
from cosembed.tracking.writer import MaskFolder, MaskStore, RestoredTracks, restore_resolution, write_tables

WHOLE = slice(None), slice(None)


@dataclass(frozen=True)
class TrackedFrames:
    """A video tracked at network resolution, not written yet.

    Attributes:
        result: Label maps and tracks.
        grid: Where network pixels lie in the original images.
        image_shape: Height and width of the original images.
        seconds: Wall time per stage.
        samples: Frame index -> embedding float32 [h, w, D] of the frames asked for, for pictures; with tiles,
            every so many pixels of the whole frame.
        checks: The same for a part of the frame, at every pixel of it.
        checked: The rows and columns of this part, the whole frame without tiles.
        warnings: What was left out, a sentence each.
    """

    result: TrackingResult
    grid: Grid
    image_shape: tuple[int, int]
    seconds: dict[str, float]
    samples: dict[int, NDArray[np.float32]]
    checks: dict[int, NDArray[np.float32]]
    checked: tuple[slice, slice] = WHOLE
    warnings: list[str] = field(default_factory=list)

    def checked_labels(self) -> dict[int, NDArray[np.uint16]]:
        """Returns the labels that belong to `checks`: frame index -> uint16 [h, w]."""
        return {index: self.result.maps[index][self.checked] for index in self.checks}


@dataclass(frozen=True)
class WrittenVideo:
    """What happened, for logs and reports.

    Attributes:
        frames: Number of frames.
        tracks: Number of tracks written.
        seconds: Wall time per stage.
        samples: As in `TrackedFrames`.
        warnings: As in `TrackedFrames`.
    """

    frames: int
    tracks: int
    seconds: dict[str, float]
    samples: dict[int, NDArray[np.float32]]
    warnings: list[str]


def track_frames(
    stepper: FrameStepper,
    frames: VideoFrames,
    spec: CellsSpec,
    sample_frames: Sequence[int] = (),
    workers: int | None = None,
) -> TrackedFrames:
    """Runs the network over a video and tracks its embeddings.

    Args:
        stepper: Runs the trained network of `spec`, normalising.
        frames: The video, read frame by frame.
        spec: Preprocessing and tracking values.
        sample_frames: Indices of the frames whose embeddings are kept for pictures.
        workers: As in `track_embeddings`.

    Raises:
        DataError: A frame cannot be read or used.
    """
    if in_pieces(spec):
        plan = plan_pieces(len(frames), frames.shape, spec)
        found = compute_pieces(stepper, frames, spec, plan, plan.pieces, sample_frames, workers)
        return join_tracked(found, frames, spec, plan)
    stopwatch = Stopwatch()
    samples: dict[int, NDArray[np.float32]] = {}

    def embeddings() -> Iterator[NDArray[np.float32]]:
        source = stepper(prepare_frames(frames, spec))
        for index, embedding in enumerate(stopwatch.timed("network", source)):
            if index in sample_frames:
                samples[index] = embedding
            yield embedding

    result = track_embeddings(with_progress(embeddings(), len(frames), "tracking"), spec.tracking, workers)
    seconds = stopwatch.stages("clustering and tracking")
    grid = frame_grid(frames.shape, spec.preprocessing, shape_of_test(frames.shape, spec))
    return TrackedFrames(result, grid, frames.shape, seconds, samples, samples)


def join_tracked(found: PieceResults, frames: VideoFrames, spec: CellsSpec, plan: Plan) -> TrackedFrames:
    """Makes a tracked video of what its pieces gave; otherwise as `join_pieces`."""
    joined = join_pieces(found, frames, spec, plan)
    samples = joined.samples
    return TrackedFrames(
        joined.result,
        frame_grid(frames.shape, spec.preprocessing, plan.shape),
        frames.shape,
        joined.seconds,
        samples.pictures(),
        samples.checks(),
        samples.checked,
        joined.warnings,
    )


def write_tracked(tracked: TrackedFrames, spec: CellsSpec, output: Path) -> WrittenVideo:
    """Writes masks, res_track.txt, tracks.csv and lineages.csv to `output`, complete or not at all.

    Args:
        tracked: What `track_frames` found.
        spec: Upsampling values.
        output: The result folder; it must not exist.

    Raises:
        OutputError: `output` exists.
    """
    begin, count = time.perf_counter(), len(tracked.result.maps)
    with atomic_folder(output) as folder:
        masks = MaskFolder(folder, count)
        restored = restore_frames(tracked, spec, masks)
        write_tables(folder, restored, range(count))
    seconds = tracked.seconds | {"upsampling and writing": round(time.perf_counter() - begin, 2)}
    return WrittenVideo(count, len(restored.tracks), seconds, tracked.samples, tracked.warnings)


def restore_frames(
    tracked: TrackedFrames,
    spec: CellsSpec,
    masks: MaskStore,
    images: Images | None = None,
    *,
    with_shapes: bool = True,
) -> RestoredTracks:
    """Brings a tracked video to the size of its frames; otherwise as `restore_resolution`.

    Args:
        tracked: What `track_frames` found.
        spec: Upsampling values.
        masks: Receives the mask uint16 [H, W] of every frame.
        images: The frames, for the mean intensity of cells.
        with_shapes: Whether shapes are measured.
    """
    grid, shape = tracked.grid, tracked.image_shape
    return restore_resolution(
        tracked.result, grid, shape, spec.upsampling, masks, images, with_shapes=with_shapes
    )


def track_video(
    stepper: FrameStepper,
    frames: VideoFrames,
    spec: CellsSpec,
    output: Path,
    sample_frames: Sequence[int] = (),
) -> WrittenVideo:
    """Tracks a video and writes the result: `track_frames`, then `write_tracked`."""
    return write_tracked(track_frames(stepper, frames, spec, sample_frames), spec, output)

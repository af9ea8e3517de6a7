"""From a trained network and a video to tracks, with the time of each stage; and from there to a result
folder.

The only module that knows both the network side and the tracking side at test time; it holds no method of its
own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.files.progress import with_progress
from cosembed.images.frame_sequence import FrameSequence
from cosembed.inference.stepper import FrameStepper, prepare_frames
from cosembed.models import StackedHourglass
from cosembed.preprocessing.geometry import frame_grid
from cosembed.specs import CellsSpec
from cosembed.tracking import TrackingResult, track_embeddings, write_result
from cosembed.tracking.writer import MaskStore, RestoredTracks, restore_resolution


@dataclass(frozen=True)
class NetworkTracks:
    """A tracked video at network resolution.

    Attributes:
        result: Labels and tracks.
        seconds: Stage -> wall time.
        samples: Frame index -> embedding float32 [N, N, D] of the frames asked for.
    """

    result: TrackingResult
    seconds: dict[str, float]
    samples: dict[int, NDArray[np.float32]]


@dataclass(frozen=True)
class TrackingOutcome:
    """What happened while a video was tracked into a folder, for logs and reports.

    Attributes:
        frames: Number of frames.
        tracks: Number of tracks written.
        seconds: Stage -> wall time.
        samples: Frame index -> embedding float32 [N, N, D] of the frames asked for.
    """

    frames: int
    tracks: int
    seconds: dict[str, float]
    samples: dict[int, NDArray[np.float32]]


def track_video(
    model: StackedHourglass,
    frames: FrameSequence,
    spec: CellsSpec,
    output: Path,
    sample_frames: Sequence[int] = (),
) -> TrackingOutcome:
    """Tracks a video and writes masks, res_track.txt and tracks.csv to a folder, complete or not at all.

    Args:
        model: The trained network of `spec`.
        frames: The video, read frame by frame.
        spec: Preprocessing, tracking and upsampling values.
        output: The result folder; must not exist.
        sample_frames: Frames whose embeddings are kept for pictures.

    Raises:
        DataError: A frame cannot be read or used.
        OutputError: `output` exists.
    """
    tracked = track_frames(FrameStepper(model), frames, spec, sample_frames)
    begin = time.perf_counter()
    grid = frame_grid(frames.shape, spec.preprocessing, spec.network.image_size)
    tracks = write_result(output, tracked.result, grid, frames.shape, spec.upsampling)
    seconds = tracked.seconds | {"upsampling and writing": round(time.perf_counter() - begin, 2)}
    return TrackingOutcome(len(frames), len(tracks), seconds, tracked.samples)


def track_frames(
    stepper: FrameStepper, frames: FrameSequence, spec: CellsSpec, sample_frames: Sequence[int] = ()
) -> NetworkTracks:
    """Tracks a video at network resolution; writes nothing.

    Args:
        stepper: Of the trained network of `spec`, normalising.
        frames: The video, read frame by frame.
        spec: Preprocessing and tracking values.
        sample_frames: Frames whose embeddings are kept for pictures.

    Raises:
        DataError: A frame cannot be read or used.
    """
    stopwatch = _Stopwatch()
    samples: dict[int, NDArray[np.float32]] = {}

    def embeddings() -> Iterator[NDArray[np.float32]]:
        source = stepper(prepare_frames(frames, spec))
        for index, embedding in enumerate(stopwatch.timed("network", source)):
            if index in sample_frames:
                samples[index] = embedding
            yield embedding

    begin = time.perf_counter()
    result = track_embeddings(with_progress(embeddings(), len(frames), "tracking"), spec.tracking)
    network = stopwatch.seconds["network"]
    seconds = {
        "network": round(network, 2),
        "clustering and tracking": round(time.perf_counter() - begin - network, 2),
    }
    return NetworkTracks(result, seconds, samples)


def restore_masks(
    tracked: NetworkTracks, image_shape: tuple[int, int], spec: CellsSpec, masks: MaskStore
) -> RestoredTracks:
    """Brings tracks to the original resolution.

    Args:
        tracked: Tracks at network resolution.
        image_shape: Height and width of the original images.
        spec: Preprocessing and upsampling values.
        masks: Receives a mask uint16 [H, W] per frame.
    """
    grid = frame_grid(image_shape, spec.preprocessing, spec.network.image_size)
    return restore_resolution(tracked.result, grid, image_shape, spec.upsampling, masks)


class _Stopwatch:
    """Adds up the time spent inside generators."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def timed(self, stage: str, items: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        self.seconds[stage] = 0.0
        begin = time.perf_counter()
        for item in items:
            self.seconds[stage] += time.perf_counter() - begin
            yield item
            begin = time.perf_counter()

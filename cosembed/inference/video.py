"""From a trained network and a video to a result folder: inference, tracking, writing, with the time of each stage.

The only module that knows both the network side and the tracking side at test time; it holds no method of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.files.progress import with_progress
from cosembed.images.frames import Frames
from cosembed.inference.stepper import embed_frames, prepare_frames
from cosembed.models import StackedHourglass
from cosembed.preprocessing.geometry import frame_grid
from cosembed.specs import CellsSpec
from cosembed.tracking import track_embeddings, write_result


@dataclass(frozen=True)
class TrackedVideo:
    """What happened, for logs and reports.

    Attributes:
        frames: Number of frames.
        tracks: Number of tracks written.
        seconds: Wall time per stage.
        samples: Frame number -> embedding float32 [N, N, D] of the frames asked for.
    """

    frames: int
    tracks: int
    seconds: dict[str, float]
    samples: dict[int, NDArray[np.float32]]


def track_video(
    model: StackedHourglass,
    frames: Frames,
    spec: CellsSpec,
    output: Path,
    sample_frames: Sequence[int] = (),
) -> TrackedVideo:
    """Tracks a video and writes masks, res_track.txt and tracks.csv to `output`, complete or not at all.

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
    stopwatch = _Stopwatch()
    samples: dict[int, NDArray[np.float32]] = {}

    def embeddings() -> Iterator[NDArray[np.float32]]:
        source = embed_frames(model, prepare_frames(frames, spec))
        for index, embedding in enumerate(stopwatch.timed("network", source)):
            if index in sample_frames:
                samples[index] = embedding
            yield embedding

    begin = time.perf_counter()
    result = track_embeddings(with_progress(embeddings(), len(frames), "tracking"), spec.tracking)
    tracked = time.perf_counter()
    grid = frame_grid(frames.shape, spec.preprocessing, spec.network.image_size)
    tracks = write_result(output, result, grid, frames.shape, spec.upsampling)
    network = stopwatch.seconds["network"]
    seconds = {
        "network": round(network, 2),
        "clustering and tracking": round(tracked - begin - network, 2),
        "upsampling and writing": round(time.perf_counter() - tracked, 2),
    }
    return TrackedVideo(len(frames), len(tracks), seconds, samples)


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

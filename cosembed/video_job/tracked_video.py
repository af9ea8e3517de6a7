"""Tracks a video from Python: arrays or a path in, labels and tracks out, nothing written unless asked.

Knows no flags and sets up no logging. The work is that of `cosembed track`, step by step.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import Track
from cosembed.errors import InputError
from cosembed.files.progress import progress as progress_shown
from cosembed.files.writing import atomic_folder
from cosembed.images.array_frames import ArrayFrames
from cosembed.images.frame_sequence import FrameSequence
from cosembed.images.frames import Frames, open_frames
from cosembed.inference.video import restore_masks
from cosembed.specs import CellsSpec
from cosembed.tracking.writer import MaskFolder, RestoredTracks, TableRow, write_tables
from cosembed.training.devices import describe_device
from cosembed.video_job.job import CheckedTracks, add_report, check_and_track, describe_job
from cosembed.video_job.network import TrackingNetwork


@dataclass(frozen=True, repr=False)
class TrackedVideo:
    """A video with its cells. Made by `track`.

    Attributes:
        labels: uint16 [T, H, W] at the resolution of the frames; 0 is background, a cell keeps its label.
            Read-only.
        tracks: (label, begin, end, parent) of every track; frames are counted from 0, the end is included,
            parent 0 is none.
        warnings: Sentences about the frames that make the tracks doubtful; also in the report.
    """

    labels: NDArray[np.uint16]
    tracks: list[Track]
    warnings: list[str]
    _frames: FrameSequence = field(repr=False)
    _spec: CellsSpec
    _facts: list[tuple[str, str]]
    _checked: CheckedTracks
    _restored: RestoredTracks
    _seconds: dict[str, float]

    def __repr__(self) -> str:
        count, height, width = self.labels.shape
        return f"<TrackedVideo: {len(self.tracks)} tracks in {count} frames of {width} x {height} pixels>"

    def table(self) -> list[TableRow]:
        """Returns the rows of tracks.csv, one for every cell in every frame, by label and frame.

        Returns:
            (label, parent, frame, y, x, area): frames counted from 0, centroid and area in pixels.
            `pandas.DataFrame(video.table())` has the names of the columns.
        """
        return self._restored.table()

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes what `cosembed track` writes, complete or not at all.

        That is maskNNN.tif, res_track.txt, tracks.csv, report.html, and pictures/ with a movie. The frames
        are read again for the pictures.

        Args:
            folder: The folder to write; must not exist, or be empty.

        Raises:
            DataError: A frame can no longer be read.
            OutputError: The folder holds something already.
            OSError: It cannot be written.
        """
        with atomic_folder(Path(folder)) as partial:
            masks = MaskFolder(partial, len(self.labels))
            for frame, mask in enumerate(self.labels):
                masks[frame] = mask
            write_tables(partial, self._restored)
            add_report(partial, self._frames, self._spec, self._checked, self._facts, self._seconds)


def track(
    frames: Any,
    network: TrackingNetwork,
    *,
    channel: int | None = None,
    values: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> TrackedVideo:
    """Segments and tracks the cells of a video.

    Args:
        frames: An array [T, H, W] or [T, H, W, C] of integers or floats; anything that slices like one, such
            as dask and Zarr arrays, which are read frame by frame and three times; or the path of a folder of
            TIFF or PNG frames, or of a multi-page TIFF.
        network: Made by `load_network`; it may track any number of videos.
        channel: The one channel to track, counted from 1; needed if frames have more than the network reads.
        values: Laid over the values of the network, as `--set` does: `{"tracking.min_points": 60}`.
        progress: Whether a bar says how far it is, on a terminal and in a notebook.

    Returns:
        Labels and tracks; nothing is written.

    Raises:
        DataError: An array of the wrong axes or dtype, no frame, a frame that cannot be read, holds NaN or
            infinity, or is of one value everywhere.
        InputError: Frames of another number of channels, too little memory, or no network of `load_network`.
        SpecError: An unknown key or an unfit value in `values`.

    >>> import cosembed
    >>> frames = cosembed.simulate_video(frames=3, size=64, cells=3, difficulty=0, seed=1).frames
    >>> frames.shape, frames.dtype
    ((3, 64, 64), dtype('uint16'))
    >>> network = cosembed.load_network("runs/demo/test_02")
    >>> video = cosembed.track(frames, network, progress=False)
    >>> video.labels.shape, video.labels.dtype
    ((3, 64, 64), dtype('uint16'))
    >>> len(video.tracks) == len({row.label for row in video.table()})
    True
    >>> video.save("my_frames_RES")
    >>> cosembed.track(frames[0], network)
    Traceback (most recent call last):
        ...
    cosembed.errors.DataError: frames: has 2 axes, of the sizes (64, 64); give an array with the axes ...
    """
    if not isinstance(network, TrackingNetwork):
        raise InputError(
            f"network: is of type {type(network).__name__}; load one first, "
            "network = cosembed.load_network(...)"
        )
    video, name = _open(frames, channel)
    spec = network.spec_with(values or {})
    facts = describe_job(video, name, network.description, spec, describe_device(), masks_in_memory=True)
    with progress_shown(progress):
        checked = check_and_track(network.stepper, video, spec)
        begin = time.perf_counter()
        labels = np.zeros((len(video), *video.shape), np.uint16)
        restored = restore_masks(checked.tracked, video.shape, spec, labels)
    labels.flags.writeable = False
    seconds = checked.seconds | {"upsampling": round(time.perf_counter() - begin, 2)}
    tracks, warnings = restored.tracks, checked.warnings
    return TrackedVideo(labels, tracks, warnings, video, spec, facts, checked, restored, seconds)


def _open(frames: Any, channel: int | None) -> tuple[FrameSequence, str]:
    """Opens a video and says what to call it."""
    is_path = isinstance(frames, str | os.PathLike)
    video: Frames | ArrayFrames = open_frames(Path(frames)) if is_path else ArrayFrames(frames)
    name = str(frames) if is_path else "an array"
    if channel is None:
        return video, name
    return video.only_channel(channel), f"{name}, channel {channel}"

"""Puts in order all that happens to a person's own video, from the check of its frames to the report.

Knows no flags and prints nothing; the command `cosembed track` and the function `cosembed.track` both go
through here. Only the order of the steps is decided here; each is a module of its own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed import specs
from cosembed.datasets.ctc.mask_files import mask_files
from cosembed.datasets.ctc.track_table import Track
from cosembed.errors import OutputError
from cosembed.exchange.geff_writing import write_geff
from cosembed.exchange.result_folder import ResultFolder
from cosembed.files.progress import is_progress_shown, progress_shown, with_progress
from cosembed.files.wording import counted
from cosembed.files.writing import atomic_folder
from cosembed.images.array_frames import VideoFrames
from cosembed.images.calibration import UNKNOWN, Calibration, given_by_person
from cosembed.images.frame_files import FrameChoice, Gaps, Order
from cosembed.images.survey import survey_frames
from cosembed.inference.networks import Network, load_network
from cosembed.inference.pieces import plan_pieces
from cosembed.inference.tiled import PieceResults
from cosembed.inference.video import TrackedFrames, join_tracked, restore_frames, track_frames
from cosembed.processes.memory import available_memory
from cosembed.specs import CellsSpec
from cosembed.tracking import CellRow
from cosembed.tracking.writer import MaskFolder, RestoredTracks, write_tables
from cosembed.training.run_folder import describe_versions, environment
from cosembed.video_job import memory
from cosembed.video_job.cell_size import doubts_about_cell_size
from cosembed.video_job.fitness import doubts_about_fitness, measure_fitness
from cosembed.video_job.planning import plan_job
from cosembed.video_job.quality_warnings import warnings_about_files, warnings_about_input
from cosembed.video_job.record import Fingerprint, Record, fingerprint, write_record
from cosembed.video_job.source import Source, open_video
from cosembed.video_job.video_report import write_video_report

SAMPLES = 4
# The tracks as a graph, if it is asked for.
GEFF = "tracks.geff"
# Given what the pieces of a video must have been made from (fingerprints `frames` and `network`, and the spec
# as YAML, `values`), gives what they gave.
ReadPieces = Callable[[Mapping[str, str]], PieceResults]


class TrackedVideo:
    """Holds a tracked video. `track` makes it; nothing is written until `save` is called.

    Attributes:
        warnings: What makes input and network doubtful, a sentence each; once it is saved, also what makes
            the tracks doubtful.
        seconds: Stage -> wall time so far.
        findings: Names and values that the tracks give, once it is saved: cells, tracks and divisions.
    """

    def __init__(
        self,
        frames: VideoFrames,
        spec: CellsSpec,
        tracked: TrackedFrames,
        record: Record,
    ) -> None:
        """Not for users: call `track`."""
        self.warnings = record.warnings
        self.seconds = record.seconds
        self.findings: list[tuple[str, str]] = []
        self._frames = frames
        self._spec = spec
        self._tracked = tracked
        self._record = record
        self._shows_progress = is_progress_shown()

    def __repr__(self) -> str:
        (height, width), count = self._frames.shape, len(self._frames)
        return f"<TrackedVideo of {counted(count, 'frame')} of {width} x {height} pixels>"

    @property
    def labels(self) -> NDArray[np.uint16]:
        """The cells as label images, uint16 [T, H, W] of the frames' size; 0 is background. Read-only.

        The first index counts from 0, whatever the frames' numbers.
        """
        return self._restored[0]

    @property
    def tracks(self) -> list[Track]:
        """The track table: (label, begin, end, parent): end included, parent 0 for none.

        Frames have the numbers of their files' names; those of an array or a stack count from 0.
        """
        return self._restored[1].tracks

    def table(self) -> list[CellRow]:
        """Lists the rows of tracks.csv: (label, parent, frame, y, x, area), in pixels of the frames.

        Frames are numbered as in `tracks`.
        """
        return self._restored[1].rows()

    def save(self, folder: str | os.PathLike[str], *, geff: bool = False) -> None:
        """Writes what `cosembed track` writes, complete or not at all: masks, tables, report and pictures.

        Args:
            folder: The result folder; it must not exist, or be empty.
            geff: Whether it also holds the tracks as GEFF, `tracks.geff`.

        Raises:
            DataError: A frame, read again for the pictures, has become unreadable.
            InputError: The package geff is not installed.
            OutputError: The folder holds something, or cannot be written.
        """
        output = Path(folder)
        name = output.resolve().name
        with _errors_told(output), atomic_folder(output) as partial:
            self._write_tracks(partial, geff)
            with progress_shown(self._shows_progress):
                written = write_video_report(partial, name, self._frames)
        self.seconds, self.findings, self.warnings = written

    def save_tracks(self, folder: str | os.PathLike[str], *, geff: bool = False) -> None:
        """Writes masks, tables, and what a report is made of later, complete or not at all.

        Args:
            folder: The result folder; it must not exist, or be empty.
            geff: As for `save`.

        Raises:
            InputError: The package geff is not installed.
            OutputError: The folder holds something, or cannot be written.
        """
        output = Path(folder)
        with _errors_told(output), atomic_folder(output) as partial:
            self._write_tracks(partial, geff)

    def _write_tracks(self, folder: Path, geff: bool) -> None:
        """Writes masks and tables, a frame at a time, and the record of their making."""
        begin = time.perf_counter()
        with progress_shown(self._shows_progress):
            masks = MaskFolder(folder, len(self._frames), self._first)
            restored = restore_frames(self._tracked, self._spec, masks, self._frames)
            restored = restored.numbered_from(self._first)
            calibration = self._record.calibration
            write_tables(folder, restored, self._frames.numbers, calibration)
            if geff:
                result = ResultFolder(mask_files(folder, "mask"), restored)
                write_geff(result, folder / GEFF, calibration)
        writing = round(time.perf_counter() - begin, 2)
        self.seconds = self._record.seconds | {"upsampling and writing": writing}
        samples = self._tracked.samples
        write_record(
            folder,
            replace(self._record, seconds=self.seconds),
            specs.dump(self._spec),
            {self._frames.numbers[index]: embedding for index, embedding in samples.items()},
        )

    @cached_property
    def _restored(self) -> tuple[NDArray[np.uint16], RestoredTracks]:
        """The labels and tracks of the frames' size, which are made when they are first asked for."""
        count, (height, width) = len(self._frames), self._frames.shape
        memory.check({"masks": 2 * count * height * width}, available_memory())
        labels = np.zeros((count, height, width), np.uint16)
        with progress_shown(self._shows_progress):
            restored = restore_frames(self._tracked, self._spec, labels, with_shapes=False)
        labels.flags.writeable = False
        return labels, restored.numbered_from(self._first)

    @property
    def _first(self) -> int:
        """The number of the first frame, which files and tables count from."""
        return self._frames.numbers[0]


def track(
    frames: Any,
    network: Network | str | os.PathLike[str],
    *,
    settings: Mapping[str, Any] | None = None,
    channel: int | None = None,
    pattern: str = "",
    order: Order = "number",
    gaps: Gaps = "refuse",
    pixel_size: float | None = None,
    frame_interval: float | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> TrackedVideo:
    """Segments and tracks the cells of a video.

    Args:
        frames: An array [T, H, W] or [T, H, W, C] of whole or real numbers, anything that slices like one (of
            dask or zarr, say, which is read one frame at a time), or the path of a folder of TIFF or PNG
            frames, of a multi-page TIFF, an OME-Zarr image, an ND2 or a CZI file.
        network: What `load_network` returns, or what it is given. Loading it once serves many videos.
        settings: Values that take the place of the network's own, for example `{"tracking.min_points": 60}`;
            those of preprocessing, tracking, upsampling and inference, and `network.image_size`, can be
            chosen.
        channel: The channel to track, counted from 1; needed if frames have several.
        pattern: For a folder: the frames' file name with `{frame}` in place of the number and `*` for
            anything, for example `t{frame}_ch00.tif`; other files are left out.
        order: For a folder: `number` goes by the numbers in the names, `name` takes the files one after the
            other by name, numbered from 0.
        gaps: What becomes of a missing or blank frame: `refuse` raises an error, `hold` puts the frame before
            in its place.
        pixel_size: Side of a pixel in micrometres; None: what the files state, if they do.
        frame_interval: Time between two frames in minutes; None: what the files state, if they do.
        workers: How many threads cluster frame pairs while the network computes the next frames; 0: none;
            None: as many as there are cores. The tracks are the same.
        progress: Whether progress is shown, on a terminal or in a notebook.

    Returns:
        The tracked video; nothing is written unless its `save` is called.

    Raises:
        DataError: The frames have another rank or type, hold NaN or infinity, or cannot be read.
        CheckpointError: There is no such network, or it is damaged.
        SpecError: A setting is unknown, out of range, or cannot be chosen.
        InputError: The network reads another number of channels, the memory does not suffice, or the choice
            of frames does not suit them.

    Example:
        >>> import cosembed
        >>> images = cosembed.simulate_video(frames=3, size=64, cells=3, difficulty=0, seed=1).images
        >>> images.shape, images.dtype
        ((3, 64, 64), dtype('uint16'))
        >>> network = cosembed.load_network("runs/demo/test_02")
        >>> video = cosembed.track(images, network, progress=False)
        >>> video.labels.shape, video.labels.dtype
        ((3, 64, 64), dtype('uint16'))
        >>> len(video.tracks) == len({row.label for row in video.table()})
        True
        >>> video.save("my_frames_RES")
        >>> cosembed.track(images[0], network)
        Traceback (most recent call last):
            ...
        cosembed.errors.DataError: frames: has the shape (64, 64); give [T, H, W], ...
    """
    given = given_by_person(pixel_size, frame_interval)
    video, source = open_video(frames, given, channel, FrameChoice(pattern, order, gaps))
    name = str(source or "frames")
    if source is None and channel is not None:
        name += f", channel {channel}"
    if not isinstance(network, Network):
        network = load_network(network)
    with progress_shown(progress):
        plan = plan_job(video.frames, name, network, settings or {}, video.calibration)
        return run_job(*plan, source, workers, video.calibration, video.doubts)


def run_job(
    frames: VideoFrames,
    network: Network,
    spec: CellsSpec,
    facts: list[tuple[str, str]],
    source: Source | None = None,
    workers: int | None = None,
    calibration: Calibration = UNKNOWN,
    doubts: Sequence[str] = (),
    read_pieces: ReadPieces | None = None,
) -> TrackedVideo:
    """Checks every frame, then tracks the video.

    Args:
        frames: The video.
        network: The trained network.
        spec: The values that it is used with.
        facts: What the report says was done.
        source: The files of the video, for the record of the result; None for an array.
        workers: As in `track`.
        calibration: What a pixel and a frame are.
        doubts: What the report warns of beside what is found here.
        read_pieces: Gives what the pieces of the video gave, where they were computed before.

    Raises:
        DataError: A frame cannot be read or used.
    """
    begin = time.perf_counter()
    seen = Fingerprint()
    survey = survey_frames(seen.passing(with_progress(frames, len(frames), "reading")))
    seen.add(np.asarray(frames.numbers))
    reading = round(time.perf_counter() - begin, 2)
    warnings = [*doubts, *warnings_about_files(frames)]
    trained, chosen = network.spec.network.image_size, spec.network.image_size
    if chosen != trained:
        warnings.append(
            f"network.image_size={chosen}: the network was trained at {trained}, so that cells look "
            f"{chosen / trained:.2g} times as large to it, and tracking.min_points, in network pixels, "
            "may have to follow."
        )
    # At a scale of their own, frames of any size show cells alike.
    alike = frames.shape if spec.inference.scale else spec.dataset.image_shape
    warnings += warnings_about_input(frames.shape, alike, survey)
    weights = network_fingerprint(network)
    if read_pieces is None:
        tracked = track_frames(network.stepper, frames, spec, sample_frames(len(frames)), workers)
    else:
        pieces = read_pieces({"frames": str(seen), "network": weights, "values": specs.dump(spec)})
        plan = plan_pieces(len(frames), frames.shape, spec)
        tracked = join_tracked(pieces, frames, spec, plan)
    warnings += tracked.warnings
    warnings += doubts_about_cell_size(
        tracked.result.maps, network.card, network.spec if spec.inference.tiled else None
    )
    fitness = measure_fitness(tracked.checks, tracked.checked_labels())
    warnings += doubts_about_fitness(fitness)
    record = Record(
        str(seen),
        weights,
        source,
        [*facts, ("Versions", describe_versions(environment()["versions"]))],
        warnings,
        {"reading": reading} | tracked.seconds,
        calibration,
    )
    return TrackedVideo(frames, spec, tracked, record)


def sample_frames(count: int) -> list[int]:
    """Chooses of so many frames those whose embeddings are looked at."""
    chosen: list[int] = np.unique(np.linspace(0, count - 1, SAMPLES).round().astype(int)).tolist()
    return chosen


def network_fingerprint(network: Network) -> str:
    """Sums up a network's weights in one text."""
    return fingerprint(network.model.get_weights())


@contextmanager
def _errors_told(output: Path) -> Iterator[None]:
    """Turns the system's errors into a sentence that says what to do."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{error.filename or output}: cannot be written ({error.strerror}); free space on the disk, "
            "or choose a folder that can be written"
        ) from error

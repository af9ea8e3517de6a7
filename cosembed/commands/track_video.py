"""Tracks one video for `cosembed track`, says what is done, and continues what was interrupted.

Knows no flags, and no other video; a worker of a cluster calls it, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosembed.files.wording import counted

if TYPE_CHECKING:
    from cosembed.images.array_frames import VideoFrames
    from cosembed.images.calibration import Calibration
    from cosembed.inference.networks import Network
    from cosembed.specs import CellsSpec
    from cosembed.video_job.choice import Choice
    from cosembed.video_job.job import ReadPieces
    from cosembed.video_job.source import CalibratedVideo, Source

# What a result takes on the disk: report and pictures, and the compressed masks.
PICTURES, PIXELS_PER_BYTE = 4 * 10**6, 16


@dataclass(frozen=True)
class NetworkChoice:
    """Says which network tracks, and how.

    Attributes:
        path: A trained run, a checkpoint of it, or a network of the authors.
        dataset: For a network of the authors: the data set whose values are used; else empty.
        deterministic: Whether every run must give the same bits.
        require_gpu: Whether to stop where TensorFlow has no GPU.
    """

    path: str
    dataset: str
    deterministic: bool
    require_gpu: bool


@dataclass(frozen=True)
class VideoTask:
    """Says which video is tracked, with what, and where the result goes.

    Attributes:
        source: The files of the video.
        output: The result folder.
        network: The network.
        settings: Values that take the place of the network's own.
        workers: How many threads cluster while the network goes on; None: as many as there are cores.
        calibration: What a person says of pixels and frames.
        geff: Whether the result also holds the tracks as GEFF.
        keep_complete: Whether a complete result of the same video, network and values is kept, and not
            refused.
        choice: What a first look at the video has said already; None: each run looks for itself.
    """

    source: Source
    output: Path
    network: NetworkChoice
    settings: Mapping[str, Any]
    workers: int | None
    calibration: Calibration
    geff: bool = False
    keep_complete: bool = False
    choice: Choice | None = None


def track_video(task: VideoTask, read_pieces: ReadPieces | None = None) -> None:
    """Checks the input, then tracks it frame by frame, and prints what is done.

    Args:
        task: The video.
        read_pieces: As in `run_job`, where the pieces of the video were computed before.

    Raises:
        InputError: Unusable frames, no network, or an output folder that holds something else than an
            unfinished result of the same video, network and values.
        OutputError: Another run writes to the output folder.
        OSError: The output folder cannot be written.
    """
    from cosembed.files.writing import finish_moving, reserved_folder
    from cosembed.requirements import import_optional
    from cosembed.video_job.record import is_complete, lacks_report

    # The frames are found in order before TensorFlow is imported, which takes seconds.
    video = task.source.open_calibrated(task.calibration)
    if task.geff:
        import_optional("geff", "GEFF files", "exchange")
    frames, output = video.frames, task.output
    finish_moving(output)
    if task.keep_complete and is_complete(output):
        _check_same(task, video, *plan_task(task, video)[:2])
        print(f"{output}: complete, kept")
        return
    if lacks_report(output):
        _check_same(task, video, *plan_task(task, video)[:2])
        print(f"{output}: masks and tables are complete; report and pictures are made", flush=True)
        _report(output, frames)
        return
    height, width = frames.shape
    with reserved_folder(output, PICTURES + len(frames) * height * width // PIXELS_PER_BYTE):
        _track(task, video, *plan_task(task, video), read_pieces)
    _report(output, frames)


@lru_cache(maxsize=1)
def _load(choice: NetworkChoice) -> Network:
    """Loads a network; a process that tracks several videos with it loads it once."""
    from cosembed.requirements import check_tensorflow

    check_tensorflow()
    from cosembed.inference.networks import load_network
    from cosembed.training.devices import make_deterministic

    if choice.deterministic:
        make_deterministic()
    return load_network(choice.path, choice.dataset or None, require_gpu=choice.require_gpu)


def look_first(task: VideoTask, video: CalibratedVideo) -> VideoTask:
    """Loads the network, looks at the video's first frames, and returns a task that says what was seen."""
    network = _load(task.network)
    from cosembed.video_job import planning

    choice = planning.look_first(video.frames, str(task.source), network, task.settings)
    return replace(task, choice=choice)


def plan_task(
    task: VideoTask, video: CalibratedVideo, *, quiet: bool = False
) -> tuple[Network, CellsSpec, list[tuple[str, str]]]:
    """Loads the network and says what will be done, unless it is to be quiet."""
    network = _load(task.network)
    from cosembed.video_job.planning import plan_job

    name, settings = str(task.source), task.settings
    _, _, spec, facts = plan_job(video.frames, name, network, settings, video.calibration, task.choice)
    for title, fact in [] if quiet else facts:
        print(f"{title}: {fact}", flush=True)
    return network, spec, facts


def _track(
    task: VideoTask,
    video: CalibratedVideo,
    network: Network,
    spec: CellsSpec,
    facts: list[tuple[str, str]],
    read_pieces: ReadPieces | None,
) -> None:
    """Tracks frames into an output folder that is reserved; the report comes when masks are safe."""
    from cosembed.video_job.job import run_job

    frames, calibration, doubts = video
    tracked = run_job(
        frames, network, spec, facts, task.source, task.workers, calibration, doubts, read_pieces
    )
    _print_warnings(tracked.warnings)
    tracked.save_tracks(task.output, geff=task.geff)


def _check_same(task: VideoTask, video: CalibratedVideo, network: Network, spec: CellsSpec) -> None:
    """Raises `OutputError` unless the masks that are there were made from the same."""
    from cosembed import specs
    from cosembed.video_job.finishing import check_same
    from cosembed.video_job.job import network_fingerprint

    frames, calibration, _ = video
    check_same(task.output, frames, network_fingerprint(network), specs.dump(spec), calibration)


def _report(output: Path, frames: VideoFrames) -> None:
    """Makes the report of complete masks."""
    from cosembed.video_job.finishing import make_report
    from cosembed.video_job.record import read_record

    record = read_record(output)
    told = record.warnings if record else []
    try:
        written = make_report(output, frames)
    except KeyboardInterrupt as interrupt:
        raise KeyboardInterrupt(
            f"masks and tables are complete in {output}; the same command makes report and pictures"
        ) from interrupt
    for title, finding in written.facts:
        print(f"{title}: {finding}")
    _print_warnings([warning for warning in written.warnings if warning not in told])
    print(f"Time: {', '.join(f'{stage} {spent:.1f} s' for stage, spent in written.seconds.items())}")
    print(f"{output}: {counted(len(frames), 'frame')} tracked; open {output / 'report.html'} in a browser")


def _print_warnings(warnings: Sequence[str]) -> None:
    for warning in warnings:
        print(f"warning: {warning}", flush=True)

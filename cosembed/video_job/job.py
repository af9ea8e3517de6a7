"""Everything that happens to a person's own video: what will be done, the check of every frame, tracking, report.

Knows no flags. Only the order of the steps is decided here; each is a module of its own.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from absl import logging

from cosembed import specs
from cosembed.clustering import describe_clustering
from cosembed.errors import InputError
from cosembed.files.progress import with_progress
from cosembed.images.frames import Frames
from cosembed.images.survey import survey_frames
from cosembed.inference.video import track_video
from cosembed.models import StackedHourglass
from cosembed.specs import CellsSpec
from cosembed.training.run_folder import describe_versions, environment
from cosembed.video_job import memory
from cosembed.video_job.quality_warnings import warnings_about_input
from cosembed.video_job.video_report import write_video_report

SAMPLES = 4


def describe_job(
    frames: Frames, name: str, network: str, spec: CellsSpec, device: str
) -> list[tuple[str, str]]:
    """What will be done, before it is.

    Args:
        frames: The video, of one channel if one was chosen.
        name: What to call the video.
        network: What to call the network.
        spec: Of the network.
        device: That computes.

    Returns:
        Facts and their names, for the screen and the report.

    Raises:
        InputError: The network reads another number of channels, or the memory does not suffice.
    """
    wanted, (height, width) = spec.network.channels, frames.shape
    if frames.channels != wanted:
        remedy = (
            "choose one with --channel, counted from 1"
            if wanted == 1
            else "give frames of as many, without --channel"
        )
        if len(frames) == 1 and wanted == 1 and frames.paths[0].suffix.lower() != ".png":
            remedy += "; if they are time points, save the TIFF with the axes TYX"
        raise InputError(f"{name}: has {frames.channels} channels, the network reads {wanted}; {remedy}")
    needed = memory.check(memory.estimate(len(frames), frames.shape, spec), memory.available())
    size = spec.network.image_size
    return [
        (
            "Video",
            f"{name}, {len(frames)} frame{'s' * (len(frames) > 1)} of {width} x {height} pixels, {frames.dtype}",
        ),
        ("Network", f"{network}, {size} x {size} pixels"),
        ("Clustering", describe_clustering(spec.tracking)),
        ("Memory", needed),
        ("Device", device),
    ]


def run_job(
    model: StackedHourglass, frames: Frames, spec: CellsSpec, output: Path, facts: list[tuple[str, str]]
) -> dict[str, float]:
    """Checks every frame, tracks the video, and adds the report; masks are kept if only the report fails.

    Args:
        model: The trained network.
        frames: The video.
        spec: Of the network.
        output: The result folder; must not exist.
        facts: For the report.

    Returns:
        Wall time per stage.

    Raises:
        DataError: A frame cannot be read or used; nothing has been written.
        OutputError: `output` exists.
    """
    begin = time.perf_counter()
    survey = survey_frames(with_progress(frames, len(frames), "reading"))
    reading = {"reading": round(time.perf_counter() - begin, 2)}
    doubts = list(warnings_about_input(frames.shape, spec.dataset.image_shape, survey))
    for doubt in doubts:
        logging.warning("warning: %s", doubt)
    samples = np.unique(np.linspace(0, len(frames) - 1, SAMPLES).round().astype(int)).tolist()
    tracked = track_video(model, frames, spec, output, samples)
    logging.info("%s: masks and tables are complete; pictures and report follow", output)
    facts = [*facts, ("Versions", describe_versions(environment()["versions"]))]
    seconds = reading | tracked.seconds
    return write_video_report(output, frames, tracked.samples, facts, doubts, seconds, specs.dump(spec))

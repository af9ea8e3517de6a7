"""Decides the order of what happens to a person's own video: what will be done, the check of every frame,
tracking, report.

Knows no flags; each step is a module of its own. The command writes masks to a folder as they are made,
`track` keeps them in memory; all else is the same.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from absl import logging

from cosembed import specs
from cosembed.clustering import describe_clustering
from cosembed.errors import InputError
from cosembed.files.progress import with_progress
from cosembed.files.writing import atomic_folder
from cosembed.images.frame_sequence import FrameSequence
from cosembed.images.frames import Frames
from cosembed.images.survey import survey_frames
from cosembed.inference.stepper import FrameStepper
from cosembed.inference.video import NetworkTracks, restore_masks, track_frames
from cosembed.models import StackedHourglass
from cosembed.reporting.video_report import write_video_report
from cosembed.specs import CellsSpec
from cosembed.tracking.writer import MaskFolder, write_tables
from cosembed.training.run_folder import describe_versions, environment
from cosembed.video_job import memory
from cosembed.video_job.quality_warnings import warnings_about_input

SAMPLES = 4


def describe_job(
    frames: FrameSequence,
    name: str,
    network: str,
    spec: CellsSpec,
    device: str,
    *,
    masks_in_memory: bool = False,
) -> list[tuple[str, str]]:
    """Says what will be done, before it is.

    Args:
        frames: The video, of one channel if one was chosen.
        name: What to call the video.
        network: What to call the network.
        spec: Of the network.
        device: That computes.
        masks_in_memory: The masks at the original resolution are kept in memory.

    Returns:
        Facts and their names, for the screen and the report.

    Raises:
        InputError: The network reads another number of channels, or the memory does not suffice.
    """
    wanted, (height, width) = spec.network.channels, frames.shape
    if frames.channels != wanted:
        remedy = (
            "choose one with --channel (in Python channel=), counted from 1"
            if wanted == 1
            else "give frames of as many, without --channel (in Python channel=)"
        )
        stack = isinstance(frames, Frames) and frames.paths[0].suffix.lower() != ".png"
        if len(frames) == 1 and wanted == 1 and stack:
            remedy += "; if they are time points, save the TIFF with the axes TYX"
        raise InputError(f"{name}: has {frames.channels} channels, the network reads {wanted}; {remedy}")
    parts = memory.estimate(len(frames), frames.shape, spec)
    if masks_in_memory:
        parts["masks"] = len(frames) * height * width * np.dtype(np.uint16).itemsize
    needed = memory.check(parts, memory.available())
    size = spec.network.image_size
    return [
        (
            "Video",
            f"{name}, {len(frames)} frame{'s' * (len(frames) > 1)} of {width} x {height} pixels, "
            f"{frames.dtype}",
        ),
        ("Network", f"{network}, {size} x {size} pixels"),
        ("Clustering", describe_clustering(spec.tracking)),
        ("Memory", needed),
        ("Device", device),
    ]


@dataclass(frozen=True)
class CheckedTracks:
    """A video whose frames were checked and tracked, at network resolution.

    Attributes:
        tracked: Labels and tracks, with samples of the embeddings.
        warnings: Sentences about the input that make the tracks doubtful.
        seconds: Stage -> wall time.
    """

    tracked: NetworkTracks
    warnings: list[str]
    seconds: dict[str, float]


def check_and_track(stepper: FrameStepper, frames: FrameSequence, spec: CellsSpec) -> CheckedTracks:
    """Reads every frame once, so that a bad one is found before hours of work, then tracks the video.

    Args:
        stepper: Of the trained network.
        frames: The video.
        spec: Of the network.

    Raises:
        DataError: A frame cannot be read or used.
    """
    begin = time.perf_counter()
    survey = survey_frames(with_progress(frames, len(frames), "reading"))
    reading = {"reading": round(time.perf_counter() - begin, 2)}
    warnings = list(warnings_about_input(frames.shape, spec.dataset.image_shape, survey))
    for warning in warnings:
        logging.warning("warning: %s", warning)
    samples = np.unique(np.linspace(0, len(frames) - 1, SAMPLES).round().astype(int)).tolist()
    tracked = track_frames(stepper, frames, spec, samples)
    return CheckedTracks(tracked, warnings, reading | tracked.seconds)


def run_job(
    model: StackedHourglass,
    frames: FrameSequence,
    spec: CellsSpec,
    output: Path,
    facts: list[tuple[str, str]],
) -> dict[str, float]:
    """Checks every frame, tracks the video, and adds the report; masks are kept if only the report fails.

    Args:
        model: The trained network.
        frames: The video.
        spec: Of the network.
        output: The result folder; must not exist.
        facts: For the report.

    Returns:
        Stage -> wall time.

    Raises:
        DataError: A frame cannot be read or used; nothing has been written.
        OutputError: `output` exists.
    """
    checked = check_and_track(FrameStepper(model), frames, spec)
    begin = time.perf_counter()
    with atomic_folder(output) as folder:
        masks = MaskFolder(folder, len(frames))
        write_tables(folder, restore_masks(checked.tracked, frames.shape, spec, masks))
    logging.info("%s: masks and tables are complete; pictures and report follow", output)
    seconds = checked.seconds | {"upsampling and writing": round(time.perf_counter() - begin, 2)}
    return add_report(output, frames, spec, checked, facts, seconds)


def add_report(
    output: Path,
    frames: FrameSequence,
    spec: CellsSpec,
    checked: CheckedTracks,
    facts: list[tuple[str, str]],
    seconds: dict[str, float],
) -> dict[str, float]:
    """Adds pictures and report to a folder of masks and tables; returns the time of all stages."""
    facts = [*facts, ("Versions", describe_versions(environment()["versions"]))]
    samples, warnings = checked.tracked.samples, checked.warnings
    return write_video_report(output, frames, samples, facts, warnings, seconds, specs.dump(spec))

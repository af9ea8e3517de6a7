"""Checks that a network can track a video, and says what will be done before it is. Tracks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cosembed import specs
from cosembed.clustering import describe_clustering
from cosembed.errors import InputError, SpecError
from cosembed.files.wording import counted
from cosembed.images.array_frames import VideoFrames
from cosembed.images.calibration import UNKNOWN, Calibration
from cosembed.images.frames import Frames
from cosembed.inference.networks import Network
from cosembed.inference.pieces import describe_pieces, in_pieces
from cosembed.processes.memory import available_memory
from cosembed.specs import CellsSpec
from cosembed.video_job import memory
from cosembed.video_job.choice import Choice
from cosembed.video_job.first_look import choose_scale

# What can be chosen anew for a trained network; all else was decided when it was trained.
CHANGEABLE = ("preprocessing", "tracking", "upsampling", "inference", "network.image_size")


def plan_job(
    frames: VideoFrames,
    name: str,
    network: Network,
    settings: Mapping[str, Any],
    calibration: Calibration = UNKNOWN,
    choice: Choice | None = None,
) -> tuple[VideoFrames, Network, CellsSpec, list[tuple[str, str]]]:
    """Checks that the network can track the video, and says what will be done before it is.

    Args:
        frames: The video, of one channel if one was chosen.
        name: What to call the video.
        network: The trained network.
        settings: Values that take the place of the network's own.
        calibration: What a pixel and a frame are.
        choice: What a first look at the video has said already; None: look now (`look_first`).

    Returns:
        What `run_job` takes: the video, the network, its values, and facts with their names for the screen
        and the report.

    Raises:
        DataError: Frames that were looked at cannot be used.
        InputError: The network reads another number of channels, or the memory does not suffice.
        SpecError: A setting is unknown, out of range, or was decided when the network was trained.
    """
    chosen = look_first(frames, name, network, settings) if choice is None else choice
    spec = specs.override(_with_settings(network.spec, settings), chosen.settings)
    height, width = frames.shape
    needed = memory.check(memory.estimate(len(frames), frames.shape, spec), available_memory())
    size = spec.network.image_size
    video = f"{name}, {counted(len(frames), 'frame')} of {width} x {height} pixels, {frames.dtype}"
    facts = [
        ("Video", video),
        *calibration.facts(),
        ("Network", f"{network.description}, {size} x {size} pixels"),
        *([("First look", chosen.reason)] if chosen.reason else []),
        *([("Tiles", describe_pieces(len(frames), frames.shape, spec))] if in_pieces(spec) else []),
        ("Clustering", describe_clustering(spec.tracking)),
        ("Memory", needed),
        ("Device", network.device),
    ]
    return frames, network, spec, facts


def look_first(frames: VideoFrames, name: str, network: Network, settings: Mapping[str, Any]) -> Choice:
    """Decides how a video is brought to the network, unless settings say it; otherwise as `plan_job`."""
    spec = _with_settings(network.spec, settings)
    wanted = spec.network.channels
    if frames.channels != wanted:
        raise InputError(f"{name}: {_channel_fault(frames, wanted)}")
    if any(key.startswith("inference.") for key in settings):
        return Choice({}, "")
    return choose_scale(frames, network, spec)


def _with_settings(spec: CellsSpec, settings: Mapping[str, Any]) -> CellsSpec:
    for key in settings:
        if key not in CHANGEABLE and key.split(".")[0] not in CHANGEABLE:
            raise SpecError(
                f"{key}: was decided when the network was trained; choose values of {', '.join(CHANGEABLE)}"
            )
    return specs.override(spec, settings)


def _channel_fault(frames: VideoFrames, wanted: int) -> str:
    remedy = "choose one by its number, counted from 1 (--channel)"
    if wanted > 1:
        remedy = "give frames of as many, and choose none"
    elif len(frames) == 1 and not (isinstance(frames, Frames) and frames.paths[0].suffix.lower() == ".png"):
        # A PNG with several channels is a colour picture.
        remedy += "; if they are time points, save the TIFF with the axes TYX, or give an array [T, H, W]"
    return f"has {counted(frames.channels, 'channel')}, the network reads {wanted}; {remedy}"

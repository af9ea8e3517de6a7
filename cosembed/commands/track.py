"""Segments and tracks the cells of a video with a trained network.

    cosembed track --network=DIC-C2DH-HeLa --input=my_video --output=my_video_RES
    cosembed track --network=runs/ctc_dic_hela/test_02 --input=my_video --output=my_video_RES
    cosembed track --network=IMPORTED --dataset=DIC-C2DH-HeLa --input=01 --output=01_RES
    cosembed track --network=runs/ctc_dic_hela/test_02 --input='plate/*' --output=plate_RES

The first form uses a network that comes with it (cosembed networks), the second one that you trained. The
third uses a network of the authors (cosembed import-network) with their values for that data set. The
last one tracks several videos, each into a folder of its own name below the output; one that fails is named
at the end, and the others are complete. With --scheduler, the workers of a Dask cluster track them.

A network that sees images in tiles runs on many machines without a scheduler: --shard=1/8 to --shard=8/8,
then cosembed merge. Tiles are shared out, and windows of time (inference.window) where there are any; without
them, the state of a tile is carried on from the video's first frame.

The input is a folder of TIFF or PNG frames, a multi-page TIFF, an OME-Zarr image, or an ND2 or CZI file. The
output is a result folder of the Cell Tracking Challenge, with maskNNN.tif and res_track.txt; beside them lie
tracks.csv (a row for each cell and frame), lineages.csv (a row for each cell), report.html, and pictures/.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from absl import flags

from cosembed.commands import command_line, video_flags
from cosembed.errors import InputError


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""

    def text(name: str, help_text: str) -> None:
        flags.DEFINE_string(name, "", help_text, flag_values=flag_values)

    text(
        "network",
        "Name of a network (cosembed networks), folder of a trained run, or a network of the authors.",
    )
    text("checkpoint", "Another name of --network.")
    text("dataset", "For a network of the authors: the data set whose values are used.")
    flags.DEFINE_multi_string(
        "input",
        [],
        "Folder of TIFF or PNG frames, multi-page TIFF, OME-Zarr, ND2, CZI; repeatable, or 'plate/*'.",
        flag_values=flag_values,
    )
    video_flags.define_flags(flag_values)
    video_flags.define_calibration(flag_values)
    text("output", "Folder to write; it must not exist yet, or be empty. That of several videos may exist.")
    text("scale", "Network pixels per original pixel: tiles; whole: no tiles; default: by a first look.")
    flags.DEFINE_bool("geff", False, "Also write the tracks as GEFF: tracks.geff.", flag_values=flag_values)
    text("scheduler", "Workers of a Dask cluster track: local:N processes, or tcp://host:port.")
    text(
        "shard",
        "i/n: compute a part of the tiles (and windows of time) only; cosembed merge joins all n.",
    )
    flags.DEFINE_multi_string(
        "set",
        [],
        "key=value in place of the network's, for example tracking.min_points=60; repeatable.",
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "workers",
        None,
        "Threads that cluster while the network goes on; default: as many as cores. 0: none.",
        lower_bound=0,
        flag_values=flag_values,
    )
    flags.DEFINE_bool(
        "deterministic", False, "The same bits on every run; may be slower.", flag_values=flag_values
    )
    flags.DEFINE_bool("require_gpu", False, "Stop if TensorFlow has no GPU.", flag_values=flag_values)


def main(flag_values: flags.FlagValues) -> None:
    """Checks the flags, then tracks one video or several.

    Raises:
        InputError: A missing flag, unusable frames, no network, an output folder that holds something else
            than an unfinished result of the same video, network and values; or some of several videos failed.
        OutputError: Another run writes to the output folder.
        OSError: The output folder cannot be written.
    """
    from cosembed import specs
    from cosembed.commands.plate import find_videos, is_pattern, track_videos
    from cosembed.commands.track_shards import track_on_cluster, track_shard
    from cosembed.commands.track_video import NetworkChoice, VideoTask, track_video
    from cosembed.networks.catalogue import network_folder
    from cosembed.processes.cluster import check_scheduler
    from cosembed.video_job.shard import parse_shard

    network_path = _network_path(flag_values)
    command_line.require(flag_values, "input", "output")
    known = specs.dataset_names("cells")
    if flag_values.dataset and flag_values.dataset not in known:
        raise InputError(f"--dataset: unknown data set '{flag_values.dataset}'; known: {', '.join(known)}")
    settings = specs.parse_assignments(flag_values.set) | _scale(flag_values)
    calibration = video_flags.calibration(flag_values)
    if not all(flag_values.input):
        raise InputError("--input= is empty; see --help")
    inputs, output, scheduler = flag_values.input, Path(flag_values.output), flag_values.scheduler
    several = len(inputs) > 1 or is_pattern(inputs[0])
    shard = parse_shard(flag_values.shard) if flag_values.shard else None
    if shard is not None and (several or scheduler):
        raise InputError("--shard: is for one video, and without --scheduler; leave one of them out")
    videos = {output / name: path for name, path in find_videos(inputs).items()}
    if not several:
        videos = {output: inputs[0]}
    if scheduler:
        check_scheduler(scheduler)
        # The workers may have been started in another folder.
        if network_folder(network_path) is None:
            network_path = str(Path(network_path).absolute())
        videos = {place.absolute(): str(Path(path).absolute()) for place, path in videos.items()}
    network = NetworkChoice(
        network_path, flag_values.dataset, flag_values.deterministic, flag_values.require_gpu
    )
    tasks = [
        VideoTask(
            video_flags.source(flag_values, path),
            place,
            network,
            settings,
            flag_values.workers,
            calibration,
            flag_values.geff,
            several,
        )
        for place, path in videos.items()
    ]
    if shard is not None:
        track_shard(tasks[0], shard)
    elif several:
        track_videos(tasks, scheduler)
    elif scheduler:
        if not track_on_cluster(tasks[0], scheduler):
            track_videos(tasks, scheduler)
    else:
        track_video(tasks[0])


def _scale(flag_values: flags.FlagValues) -> dict[str, Any]:
    """Reads --scale as a value of the spec."""
    text = flag_values.scale
    if not text:
        return {}
    try:
        scale = 0.0 if text == "whole" else float(text)
    except ValueError:
        scale = math.nan
    if text != "whole" and not 0 < scale < math.inf:
        raise InputError(f"--scale={text}: give a number above 0, or whole")
    return {"inference.scale": scale}


def _network_path(flag_values: flags.FlagValues) -> str:
    """Reads --network, or --checkpoint, its other name."""
    network, checkpoint = flag_values.network, flag_values.checkpoint
    if network and checkpoint and network != checkpoint:
        raise InputError("--checkpoint: is another name of --network; give one of them")
    if not network and not checkpoint:
        raise InputError("--network is missing; see --help")
    return str(network or checkpoint)

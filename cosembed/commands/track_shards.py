"""Tracks one video in shards: computes one of them, joins them all, or has a cluster compute them.

Knows no flags. What a merge must know about the video is kept in every shard, what a first look at it has
said included: a merge does not look again, and refuses shards that have seen something else.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosembed.commands.track_video import NetworkChoice, VideoTask, look_first, plan_task, track_video
from cosembed.errors import DataError
from cosembed.files.wording import counted

if TYPE_CHECKING:
    from cosembed.video_job.shard import Shard

# So many missing shards are named.
LISTED = 20


def track_shard(task: VideoTask, shard: Shard) -> None:
    """Computes one shard of a video into a file beside the result folder, complete or not at all.

    Raises:
        InputError: Unusable frames, no network, nothing to share out, or a file that is in the way.
        OSError: The file cannot be written.
    """
    from cosembed.video_job.shards import compute_shard

    video = task.source.open_calibrated(task.calibration)
    task = task if task.choice else look_first(task, video)
    network, spec, _ = plan_task(task, video)
    file = shard.file(task.output)
    computed = compute_shard(video.frames, network, spec, shard, task.output, _as_mapping(task), task.workers)
    print(f"{file}: complete{'' if computed else ', kept'}", flush=True)


def merge_shards(output: Path) -> None:
    """Makes a result folder of the shards beside it.

    Raises:
        InputError: Shards are missing, damaged or made from different things; or as `track_video`.
        OSError: The output folder cannot be written.
    """
    from cosembed.video_job.shard import Shard, find_shards
    from cosembed.video_job.shards import join_shards, read_task

    shards = find_shards(output)
    total = shards[0].total
    task = _from_mapping(shards[0].file(output), read_task(shards[0].file(output)), output)
    missing = [Shard(number, total) for number in range(1, total + 1) if Shard(number, total) not in shards]
    if missing:
        numbers = ", ".join(str(shard.number) for shard in missing[:LISTED])
        numbers += ", ..." if len(missing) > LISTED else ""
        raise DataError(
            f"{output}: {counted(len(missing), 'shard')} of {total} missing: {numbers}; make "
            f"{'it' if len(missing) == 1 else 'the first'} with: {_command(task, missing[0])}"
        )
    track_video(task, partial(join_shards, output, shards))


def track_on_cluster(task: VideoTask, scheduler: str) -> bool:
    """Tracks a video whose pieces the workers of a cluster compute, one shard each.

    Args:
        task: The video, with absolute paths.
        scheduler: As of `processes.cluster.connected`.

    Returns:
        False, with nothing done, if the video is not computed in pieces.

    Raises:
        InputError: A shard failed, or as `track_video`.
    """
    from cosembed.files.writing import refuse_existing
    from cosembed.inference.pieces import in_pieces, plan_pieces
    from cosembed.processes.cluster import Task, connected
    from cosembed.video_job.record import lacks_report
    from cosembed.video_job.shard import Shard
    from cosembed.video_job.shards import join_shards

    video = task.source.open_calibrated(task.calibration)
    # One look for all shards and for their merge.
    task = look_first(task, video)
    _, spec, _ = plan_task(task, video, quiet=True)
    if not in_pieces(spec) or lacks_report(task.output):
        return False
    refuse_existing(task.output)
    pieces = len(plan_pieces(len(video.frames), video.frames.shape, spec).pieces)
    with connected(scheduler) as cluster:
        total = min(cluster.workers, pieces)
        shards = [Shard(number, total) for number in range(1, total + 1)]
        for outcome in cluster.run([Task(f"shard {shard}", track_shard, (task, shard)) for shard in shards]):
            if outcome.error is not None:
                raise outcome.error
            print(f"{outcome.name}: done", flush=True)
    track_video(task, partial(join_shards, task.output, shards))
    for shard in shards:
        shard.file(task.output).unlink()
    return True


def _as_mapping(task: VideoTask) -> dict[str, Any]:
    """Gives what a merge needs in plain values."""
    from cosembed.networks.catalogue import network_folder

    path = task.network.path
    if network_folder(path) is None:
        path = str(Path(path).absolute())
    source = replace(task.source, path=str(Path(task.source.path).absolute()))
    assert task.choice is not None
    return {
        "source": source.as_mapping(),
        "network": asdict(replace(task.network, path=path)),
        "settings": dict(task.settings),
        "calibration": task.calibration._asdict(),
        "geff": task.geff,
        "choice": task.choice.as_mapping(),
    }


def _from_mapping(file: Path, values: Mapping[str, Any], output: Path) -> VideoTask:
    from cosembed.images.calibration import Calibration
    from cosembed.video_job.choice import Choice
    from cosembed.video_job.source import Source

    try:
        source, network = Source.from_mapping(values["source"]), NetworkChoice(**values["network"])
        calibration, settings = Calibration(**values["calibration"]), dict(values["settings"])
        choice = Choice.from_mapping(values["choice"])
        return VideoTask(source, output, network, settings, None, calibration, values["geff"], choice=choice)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{file}: does not say what made it; remove it, and make this shard again") from error


def _command(task: VideoTask, shard: Shard) -> str:
    """Writes the command that makes a shard."""
    source, network = task.source, task.network
    words: list[str] = [f"--network={network.path}", f"--input={source.path}", f"--output={task.output}"]
    chosen: Sequence[tuple[str, Any]] = (
        ("dataset", network.dataset),
        ("channel", source.channel),
        ("pattern", source.choice.pattern),
        ("order", "" if source.choice.order == "number" else source.choice.order),
        ("gaps", "" if source.choice.gaps == "refuse" else source.choice.gaps),
        ("pixel_size", task.calibration.pixel_size),
        ("frame_interval", task.calibration.frame_interval),
    )
    words += [f"--{name}={value}" for name, value in chosen if value not in ("", None)]
    words += [f"--set={key}={value}" for key, value in task.settings.items()]
    words += ["--deterministic"] if network.deterministic else []
    words += ["--geff"] if task.geff else []
    return shlex.join(["cosembed", "track", *words, f"--shard={shard}"])

"""Shares the pieces of one video among runs that know nothing of each other, and checks what they made.

A run makes one shard of n: a file beside the result folder, complete or not at all. Knows no flags and
prints nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cosembed import specs
from cosembed.errors import DataError, InputError, OutputError
from cosembed.files.wording import counted
from cosembed.images.array_frames import VideoFrames
from cosembed.inference.networks import Network
from cosembed.inference.piece_files import read_pieces, read_record, write_pieces
from cosembed.inference.pieces import in_pieces, plan_pieces
from cosembed.inference.tiled import PieceResults, compute_pieces
from cosembed.specs import CellsSpec
from cosembed.video_job.job import network_fingerprint, sample_frames
from cosembed.video_job.record import fingerprint_frames
from cosembed.video_job.shard import Shard


def compute_shard(
    frames: VideoFrames,
    network: Network,
    spec: CellsSpec,
    shard: Shard,
    output: Path,
    task: Mapping[str, Any],
    workers: int | None = None,
) -> bool:
    """Computes a shard of a video and writes its file.

    Args:
        frames: The video.
        network: The trained network.
        spec: The values that it is used with.
        shard: Which part of the video's pieces.
        output: The result folder of the whole video, which is not touched.
        task: What a later merge needs to know, in plain values.
        workers: As in `cosembed.track`.

    Returns:
        Whether it was computed; a complete file made from the same is kept.

    Raises:
        DataError: A frame cannot be read or used, or a file that is there is damaged.
        InputError: The video is not computed in pieces, or there are fewer pieces than shards.
        OutputError: The shard is there, made from something else.
    """
    plan = plan_pieces(len(frames), frames.shape, spec)
    pieces = plan.pieces
    if not in_pieces(spec):
        raise InputError(
            "--shard: the network sees the whole image, and its state is carried on through the video, so "
            "that there is nothing to share out; run without it"
        )
    if shard.total > len(pieces):
        raise InputError(
            f"--shard={shard}: the video has {counted(len(pieces), 'piece')} (tiles, times windows of time "
            f"if there are any); choose n up to {len(pieces)}"
        )
    made_from = {
        "frames": fingerprint_frames(frames),
        "network": network_fingerprint(network),
        "values": specs.dump(spec),
    }
    file = shard.file(output)
    if file.exists():
        refuse_others(file, made_from)
        return False
    begin, end = (len(pieces) * part // shard.total for part in (shard.number - 1, shard.number))
    chosen = sample_frames(len(frames))
    found = compute_pieces(network.stepper, frames, spec, plan, pieces[begin:end], chosen, workers)
    write_pieces(file, {**made_from, "task": dict(task)}, found)
    return True


def read_task(file: Path) -> Mapping[str, Any]:
    """Reads what a shard says for a later merge.

    Raises:
        DataError: The file is damaged.
    """
    task = read_record(file).get("task")
    if not isinstance(task, dict):
        raise DataError(f"{file}: does not say what made it; remove it, and make this shard again")
    return task


def join_shards(output: Path, shards: Sequence[Shard], made_from: Mapping[str, str]) -> PieceResults:
    """Reads all shards, after a check that they were made from the same.

    Args:
        output: The result folder.
        shards: All shards of the video.
        made_from: Fingerprints of frames and network, and the spec as YAML.

    Raises:
        DataError: A file is damaged.
        OutputError: A shard was made from something else.
    """
    found = PieceResults()
    for shard in shards:
        file = shard.file(output)
        refuse_others(file, made_from)
        found.add(read_pieces(file))
    return found


def refuse_others(file: Path, made_from: Mapping[str, str]) -> None:
    """Raises `OutputError` if a shard was made from another video, another network or other values."""
    record = read_record(file)
    names = {"frames": "another video", "network": "another network", "values": "other values"}
    different = [name for key, name in names.items() if record.get(key) != made_from[key]]
    if different:
        looked = record.get("task", {}).get("choice", {}).get("reason")
        hint = " (a first look chose some of them; give --scale to all shards)" if looked else ""
        raise OutputError(
            f"{file}: was made with {' and '.join(different)}; remove it and make this shard again{hint}, or "
            "choose another output folder"
        )

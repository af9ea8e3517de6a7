"""Segments and tracks the cells of a video with a trained network.

    cosembed track --network=DIC-C2DH-HeLa --input=my_video --output=my_video_RES
    cosembed track --network=runs/ctc_dic_hela/test_02 --input=my_video --output=my_video_RES
    cosembed track --network=IMPORTED --dataset=DIC-C2DH-HeLa --input=01 --output=01_RES

The first form uses a network that comes with it (cosembed networks), the second one that you trained. The
third uses a network of the authors (cosembed import-network) with their values for that data set.

The input is a folder of TIFF or PNG frames, or one multi-page TIFF. The output is a result folder of the Cell
Tracking Challenge, with maskNNN.tif and res_track.txt; beside them lie tracks.csv (label, parent, frame, y,
x, area), report.html, and pictures/ (overlay.gif, lineage.png, embeddings.png).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.wording import counted

if TYPE_CHECKING:
    from cosembed.images.frames import Frames

# What a result takes on the disk: report and pictures, and the compressed masks.
PICTURES, PIXELS_PER_BYTE = 4 * 10**6, 16


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
    text("input", "Folder of TIFF or PNG frames, or one multi-page TIFF.")
    flags.DEFINE_integer(
        "channel",
        None,
        "The channel to track, counted from 1; needed if frames have several.",
        flag_values=flag_values,
    )
    text("pattern", "The frames' file name, {frame} for the number and * for anything: t{frame}_ch00.tif.")
    flags.DEFINE_enum(
        "order",
        "number",
        ["number", "name"],
        "Frames by the numbers in their names, or one after the other by name, numbered from 0.",
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "gaps",
        "refuse",
        ["refuse", "hold"],
        "What becomes of a missing or blank frame: hold uses the frame before.",
        flag_values=flag_values,
    )
    text("output", "Folder to write; it must not exist yet, or be empty.")
    flags.DEFINE_multi_string(
        "set",
        [],
        "key=value in place of the network's, for example tracking.min_points=60; repeatable.",
        flag_values=flag_values,
    )
    flags.DEFINE_bool(
        "deterministic", False, "The same bits on every run; may be slower.", flag_values=flag_values
    )
    flags.DEFINE_bool("require_gpu", False, "Stop if TensorFlow has no GPU.", flag_values=flag_values)


def main(flag_values: flags.FlagValues) -> None:
    """Checks the input, then tracks it frame by frame.

    Raises:
        InputError: A missing flag, unusable frames, no network, or an output folder that exists.
        OutputError: Another run writes to the output folder.
        OSError: The output folder cannot be written.
    """
    from cosembed import specs
    from cosembed.files.writing import reserved_folder
    from cosembed.images.frame_files import FrameChoice
    from cosembed.images.frames import open_frames

    network_path = _network_path(flag_values)
    command_line.require(flag_values, "input", "output")
    known = specs.dataset_names("cells")
    if flag_values.dataset and flag_values.dataset not in known:
        raise InputError(f"--dataset: unknown data set '{flag_values.dataset}'; known: {', '.join(known)}")
    settings = specs.parse_assignments(flag_values.set)
    # The frames are found in order before TensorFlow is imported, which takes seconds.
    choice = FrameChoice(flag_values.pattern, flag_values.order, flag_values.gaps)
    frames = open_frames(Path(flag_values.input), choice)
    name = flag_values.input
    if flag_values.channel is not None:
        frames, name = frames.only_channel(flag_values.channel), f"{name}, channel {flag_values.channel}"
    output = Path(flag_values.output)
    height, width = frames.shape
    with reserved_folder(output, PICTURES + len(frames) * height * width // PIXELS_PER_BYTE):
        _track(flag_values, network_path, settings, frames, name, output)


def _track(
    flag_values: flags.FlagValues,
    network_path: str,
    settings: Mapping[str, Any],
    frames: Frames,
    name: str,
    output: Path,
) -> None:
    """Tracks frames that were found into an output folder that is reserved."""
    from cosembed.requirements import check_tensorflow

    check_tensorflow()
    from cosembed.inference.networks import load_network
    from cosembed.training.devices import make_deterministic
    from cosembed.video_job.job import plan_job, run_job

    if flag_values.deterministic:
        make_deterministic()
    network = load_network(network_path, flag_values.dataset or None, require_gpu=flag_values.require_gpu)
    job = plan_job(frames, name, network, settings)
    for title, fact in job[-1]:
        print(f"{title}: {fact}", flush=True)
    video = run_job(*job)
    told = list(video.warnings)
    _print_warnings(told)
    # Hours of tracking are not lost to a report that fails.
    video.save(output, keep_masks=True)
    for title, finding in video.findings:
        print(f"{title}: {finding}")
    _print_warnings([warning for warning in video.warnings if warning not in told])
    print(f"Time: {', '.join(f'{stage} {spent:.1f} s' for stage, spent in video.seconds.items())}")
    print(f"{output}: {counted(len(frames), 'frame')} tracked; open {output / 'report.html'} in a browser")


def _print_warnings(warnings: Sequence[str]) -> None:
    for warning in warnings:
        print(f"warning: {warning}", flush=True)


def _network_path(flag_values: flags.FlagValues) -> str:
    """Reads --network, or --checkpoint, its other name."""
    network, checkpoint = flag_values.network, flag_values.checkpoint
    if network and checkpoint and network != checkpoint:
        raise InputError("--checkpoint: is another name of --network; give one of them")
    if not network and not checkpoint:
        raise InputError("--network is missing; see --help")
    return str(network or checkpoint)

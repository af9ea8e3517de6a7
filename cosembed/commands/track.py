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
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import flags

from cosembed.commands import command_line, video_flags
from cosembed.errors import InputError
from cosembed.files.wording import counted

if TYPE_CHECKING:
    from cosembed.images.frames import Frames
    from cosembed.inference.networks import Network
    from cosembed.specs import CellsSpec
    from cosembed.video_job.source import Source

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
    video_flags.define_flags(flag_values)
    text("output", "Folder to write; it must not exist yet, or be empty.")
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
    """Checks the input, then tracks it frame by frame.

    Raises:
        InputError: A missing flag, unusable frames, no network, or an output folder that holds something
            else than an unfinished result of the same video, network and values.
        OutputError: Another run writes to the output folder.
        OSError: The output folder cannot be written.
    """
    from cosembed import specs
    from cosembed.files.writing import finish_moving, reserved_folder
    from cosembed.video_job.record import lacks_report

    network_path = _network_path(flag_values)
    command_line.require(flag_values, "input", "output")
    known = specs.dataset_names("cells")
    if flag_values.dataset and flag_values.dataset not in known:
        raise InputError(f"--dataset: unknown data set '{flag_values.dataset}'; known: {', '.join(known)}")
    settings = specs.parse_assignments(flag_values.set)
    # The frames are found in order before TensorFlow is imported, which takes seconds.
    source = video_flags.source(flag_values, flag_values.input)
    frames = source.open()
    output = Path(flag_values.output)
    job = partial(_plan, flag_values, network_path, settings, frames, str(source))
    finish_moving(output)
    if lacks_report(output):
        _resume(output, *job())
        return
    height, width = frames.shape
    with reserved_folder(output, PICTURES + len(frames) * height * width // PIXELS_PER_BYTE):
        _track(output, source, flag_values.workers, *job())
    _report(output, frames)


def _plan(
    flag_values: flags.FlagValues,
    network_path: str,
    settings: Mapping[str, Any],
    frames: Frames,
    name: str,
) -> tuple[Frames, Network, CellsSpec, list[tuple[str, str]]]:
    """Loads the network and says what will be done."""
    from cosembed.requirements import check_tensorflow

    check_tensorflow()
    from cosembed.inference.networks import load_network
    from cosembed.training.devices import make_deterministic
    from cosembed.video_job.job import plan_job

    if flag_values.deterministic:
        make_deterministic()
    network = load_network(network_path, flag_values.dataset or None, require_gpu=flag_values.require_gpu)
    _, _, spec, facts = plan_job(frames, name, network, settings)
    for title, fact in facts:
        print(f"{title}: {fact}", flush=True)
    return frames, network, spec, facts


def _track(
    output: Path,
    source: Source,
    workers: int | None,
    frames: Frames,
    network: Network,
    spec: CellsSpec,
    facts: list[tuple[str, str]],
) -> None:
    """Tracks frames into an output folder that is reserved; the report comes when masks are safe."""
    from cosembed.video_job.job import run_job

    video = run_job(frames, network, spec, facts, source, workers)
    _print_warnings(video.warnings)
    video.save_tracks(output)


def _resume(
    output: Path, frames: Frames, network: Network, spec: CellsSpec, facts: list[tuple[str, str]]
) -> None:
    """Makes the report of masks that were complete when an earlier run ended."""
    from cosembed import specs
    from cosembed.video_job.finishing import check_same
    from cosembed.video_job.job import network_fingerprint

    check_same(output, frames, network_fingerprint(network), specs.dump(spec))
    print(f"{output}: masks and tables are complete; report and pictures are made", flush=True)
    _report(output, frames)


def _report(output: Path, frames: Frames) -> None:
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


def _network_path(flag_values: flags.FlagValues) -> str:
    """Reads --network, or --checkpoint, its other name."""
    network, checkpoint = flag_values.network, flag_values.checkpoint
    if network and checkpoint and network != checkpoint:
        raise InputError("--checkpoint: is another name of --network; give one of them")
    if not network and not checkpoint:
        raise InputError("--network is missing; see --help")
    return str(network or checkpoint)

"""Simulates a labelled video of cells, or labelled plants, in the layout of the public data sets.

    cosembed simulate --output=data/simulated --frames=40 --size=192 --seed=1
    cosembed simulate --output=data/phase --look=phase --seed=1
    cosembed simulate --kind=leaves --output=data/plants --frames=40 --size=256 --seed=1

Writes OUTPUT/01 (frames) and OUTPUT/01_GT (complete truth) as the Cell Tracking Challenge has them, or
OUTPUT/A1 as CVPPP has it. The same flags give the same files.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.wording import counted


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string("output", "", "Folder to write to.", flag_values=flag_values)
    flags.DEFINE_string(
        "kind",
        "cells",
        "What to simulate: cells (a video) or leaves (plants seen from above).",
        flag_values=flag_values,
    )
    flags.DEFINE_string("video", "01", "Name of the video; cells only.", flag_values=flag_values)
    flags.DEFINE_integer("frames", 40, "Number of frames; of plants for leaves.", flag_values=flag_values)
    flags.DEFINE_integer("size", 192, "Side of the square image, in pixels.", flag_values=flag_values)
    flags.DEFINE_integer("cells", 20, "How many cells live at a time; cells only.", flag_values=flag_values)
    flags.DEFINE_float(
        "difficulty",
        1.0,
        "0 easy, 1 default, 2 hard: noise, contrast, uneven light; cells only.",
        flag_values=flag_values,
    )
    flags.DEFINE_string(
        "look",
        "standard",
        "standard, nuclei (fluorescence), phase (contrast) or dic; cells only.",
        flag_values=flag_values,
    )
    flags.DEFINE_integer("seed", 1, "The same seed gives the same files.", flag_values=flag_values)


def main(flag_values: flags.FlagValues) -> None:
    """Simulates and writes the video, or the plants."""
    from cosembed.simulation import simulate_video, write_video
    from cosembed.simulation.leaves import write_plants
    from cosembed.simulation.video import touching_share

    command_line.require(flag_values, "output")
    if flag_values.kind not in ("cells", "leaves"):
        raise InputError(f"--kind={flag_values.kind}: is unknown; choose cells or leaves")
    if flag_values.kind == "leaves":
        write_plants(Path(flag_values.output), flag_values.frames, flag_values.size, flag_values.seed)
        print(f"{Path(flag_values.output) / 'A1'}: {flag_values.frames} plants")
        return
    video = simulate_video(
        flag_values.frames,
        flag_values.size,
        flag_values.cells,
        flag_values.difficulty,
        flag_values.seed,
        flag_values.look,
    )
    write_video(Path(flag_values.output), flag_values.video, video)
    divided = sum(track.parent > 0 for track in video.tracks)
    folder, share = Path(flag_values.output) / flag_values.video, touching_share(video.labels)
    print(
        f"{folder}: {counted(flag_values.frames, 'frame')}, {counted(len(video.tracks), 'track')}, "
        f"{counted(divided, 'daughter')}, "
        f"{share:.0%} touching"
    )

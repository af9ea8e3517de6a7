"""Simulates a labelled video of cells, plants, or beating hearts in the layout of the public data sets.

    cosembed simulate --output=data/simulated --frames=40 --size=192 --seed=1
    cosembed simulate --output=data/phase --look=phase --seed=1
    cosembed simulate --kind=leaves --output=data/plants --frames=40 --size=256 --seed=1
    cosembed simulate --kind=hearts --output=data/hearts --patients=30 --frames=20 --size=96 --seed=1

Writes OUTPUT/01 (frames) and OUTPUT/01_GT (complete truth) as the Cell Tracking Challenge has them, OUTPUT/A1
as CVPPP has it, or OUTPUT/patient001 and so on as ACDC has them. The same flags give the same files.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.wording import counted

# Whatever is simulated has --output, --kind, --frames, --size and --seed; this kind also has these.
OWN_FLAGS: dict[str, set[str]] = {
    "cells": {"video", "cells", "difficulty", "look"},
    "leaves": set(),
    "hearts": {"patients", "difficulty"},
}


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string("output", "", "Folder to write to.", flag_values=flag_values)
    flags.DEFINE_string(
        "kind",
        "cells",
        "cells (a video), leaves (plants seen from above) or hearts (cine MR).",
        flag_values=flag_values,
    )
    flags.DEFINE_string("video", "01", "Name of the video; cells only.", flag_values=flag_values)
    flags.DEFINE_integer(
        "frames", 40, "Number of frames; of plants for leaves, of a beat for hearts.", flag_values=flag_values
    )
    flags.DEFINE_integer("patients", 30, "Number of patients; hearts only.", flag_values=flag_values)
    flags.DEFINE_integer("size", 192, "Side of the square image, in pixels.", flag_values=flag_values)
    flags.DEFINE_integer("cells", 20, "How many cells live at a time; cells only.", flag_values=flag_values)
    flags.DEFINE_float(
        "difficulty",
        1.0,
        "0 easy, 1 default, 2 hard: noise, contrast, light of cells, breathing of hearts.",
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
    """Simulates and writes the video, the plants or the hearts."""
    command_line.require(flag_values, "output")
    kinds = {"cells": _write_cells, "leaves": _write_leaves, "hearts": _write_hearts}
    if flag_values.kind not in kinds:
        raise InputError(f"--kind={flag_values.kind}: is unknown; choose cells, leaves or hearts")
    for name in sorted(set.union(*OWN_FLAGS.values()) - OWN_FLAGS[flag_values.kind]):
        if flag_values[name].present:
            raise InputError(
                f"--{name}={flag_values[name].value}: is not for {flag_values.kind}; leave it out"
            )
    print(kinds[flag_values.kind](Path(flag_values.output), flag_values))


def _write_cells(output: Path, flag_values: flags.FlagValues) -> str:
    from cosembed.simulation import simulate_video, write_video
    from cosembed.simulation.video import touching_share

    video = simulate_video(
        flag_values.frames,
        flag_values.size,
        flag_values.cells,
        flag_values.difficulty,
        flag_values.seed,
        flag_values.look,
    )
    write_video(output, flag_values.video, video)
    divided = sum(track.parent > 0 for track in video.tracks)
    return (
        f"{output / flag_values.video}: {counted(flag_values.frames, 'frame')}, "
        f"{counted(len(video.tracks), 'track')}, {counted(divided, 'daughter')}, "
        f"{touching_share(video.labels):.0%} touching"
    )


def _write_leaves(output: Path, flag_values: flags.FlagValues) -> str:
    from cosembed.simulation.leaves import write_plants

    write_plants(output, flag_values.frames, flag_values.size, flag_values.seed)
    return f"{output / 'A1'}: {flag_values.frames} plants"


def _write_hearts(output: Path, flag_values: flags.FlagValues) -> str:
    from cosembed.simulation.hearts import write_hearts

    write_hearts(
        output,
        flag_values.patients,
        flag_values.frames,
        flag_values.size,
        flag_values.seed,
        flag_values.difficulty,
    )
    patients, frames = counted(flag_values.patients, "patient"), counted(flag_values.frames, "frame")
    return f"{output}: {patients}, {frames} each"

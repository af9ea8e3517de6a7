"""Checks a Cell Tracking Challenge folder, or a GEFF graph, and lists every fault with its file.

    cosembed validate --result_dir=01_RES --overlays=pictures
    cosembed validate --ground_truth_dir=01_GT --frames_dir=01
    cosembed validate --result_dir=01_RES/tracks.geff

The exit status is 2 if there is a fault; lines with "warning:" do not make a folder invalid. --overlays
writes a coloured picture of every mask, over its frame if --frames_dir is given: 16-bit labels look black in
most viewers. --connected_components cures masks of SEG that only tell cells from background: it writes a
truth folder in which every connected part has a label of its own; cells that touch become one.
"""

from __future__ import annotations

import sys
from pathlib import Path

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.wording import counted


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string(
        "result_dir", "", "Folder of maskNNN.tif and res_track.txt, or a GEFF.", flag_values=flag_values
    )
    flags.DEFINE_string("ground_truth_dir", "", "Folder with TRA, SEG, or both.", flag_values=flag_values)
    flags.DEFINE_string("frames_dir", "", "The frames that belong to them.", flag_values=flag_values)
    flags.DEFINE_string(
        "overlays", "", "Folder to write coloured pictures to; it must not exist.", flag_values=flag_values
    )
    flags.DEFINE_string(
        "connected_components",
        "",
        "Truth folder to write, with masks of SEG whose connected parts are labelled; it must not exist.",
        flag_values=flag_values,
    )


def main(flag_values: flags.FlagValues) -> None:
    """Prints faults to stderr, one a line."""
    from cosembed.datasets.ctc.mask_files import mask_files
    from cosembed.datasets.ctc.splitting import split_masks
    from cosembed.datasets.ctc.validation import check_frames, check_result, check_truth
    from cosembed.exchange.geff_checking import check_geff
    from cosembed.exchange.geff_reading import is_geff
    from cosembed.files.writing import refuse_existing
    from cosembed.reporting.mask_pictures import write_mask_pictures

    if not flag_values.result_dir and not flag_values.ground_truth_dir:
        raise InputError("give --result_dir, --ground_truth_dir, or both; see --help")
    if flag_values.overlays:
        refuse_existing(Path(flag_values.overlays))
    if flag_values.connected_components:
        command_line.require(flag_values, "ground_truth_dir")
        output = Path(flag_values.connected_components)
        refuse_existing(output)
        written = split_masks(Path(flag_values.ground_truth_dir), output)
        print(f"{output}: {written} masks written, a label for every connected part; check them in its place")
        return
    frames_dir = Path(flag_values.frames_dir) if flag_values.frames_dir else None
    faults = check_frames(frames_dir) if frames_dir is not None else []
    masks: list[tuple[int, Path]] = []
    is_graph = bool(flag_values.result_dir) and is_geff(Path(flag_values.result_dir))
    if is_graph:
        if flag_values.overlays:
            raise InputError("--overlays: is for masks; make some of the GEFF first, with cosembed convert")
        faults += check_geff(Path(flag_values.result_dir))
    elif flag_values.result_dir:
        folder = Path(flag_values.result_dir)
        faults += check_result(folder, frames_dir=frames_dir)
        masks += mask_files(folder, "mask").items()
    if flag_values.ground_truth_dir:
        folder = Path(flag_values.ground_truth_dir)
        faults += check_truth(folder, frames_dir)
        masks += [
            *mask_files(folder / "TRA", "man_track").items(),
            *mask_files(folder / "SEG", "man_seg").items(),
        ]
    # Frames that cannot be opened are a fault of each folder that is compared with them.
    for fault in dict.fromkeys(faults):
        print(fault, file=sys.stderr)
    if flag_values.overlays:
        write_mask_pictures(Path(flag_values.overlays), masks, frames_dir)
    if any(not fault.warning for fault in faults):
        sys.exit(2)
    named = flag_values.result_dir or flag_values.ground_truth_dir
    print(f"{named}: valid" if is_graph else f"{named}: valid, {counted(len(masks), 'mask')}")

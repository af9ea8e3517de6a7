"""Checks Cell Tracking Challenge folders and lists every fault with its file; exit status 2 if there is one.

    cosembed validate --result_dir=01_RES --overlays=pictures
    cosembed validate --ground_truth_dir=01_GT --frames_dir=01

--overlays writes a coloured picture of every mask, over its frame if --frames_dir is given: 16-bit labels
look black in most viewers. Lines with "warning:" do not make a folder invalid.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
from absl import flags
from numpy.typing import NDArray

from cosembed.datasets.ctc.mask_files import mask_files, read_labels
from cosembed.datasets.ctc.validation import check_frames, check_result, check_truth
from cosembed.errors import DataError, InputError
from cosembed.files.writing import atomic_folder, atomic_write_bytes, refuse_existing
from cosembed.images.frames import Frames, open_frames
from cosembed.reporting.overlays import colour_labels, encode_png, overlay


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string("result_dir", "", "Folder of maskNNN.tif and res_track.txt.", flag_values=flag_values)
    flags.DEFINE_string("ground_truth_dir", "", "Folder with TRA, SEG, or both.", flag_values=flag_values)
    flags.DEFINE_string("frames_dir", "", "The frames that belong to them.", flag_values=flag_values)
    flags.DEFINE_string(
        "overlays", "", "Folder to write coloured pictures to; it must not exist.", flag_values=flag_values
    )


def main(flag_values: flags.FlagValues) -> None:
    """Prints faults to stderr, one a line."""
    if not flag_values.result_dir and not flag_values.ground_truth_dir:
        raise InputError("give --result_dir, --ground_truth_dir, or both; see --help")
    if flag_values.overlays:
        refuse_existing(Path(flag_values.overlays))
    frames_dir = Path(flag_values.frames_dir) if flag_values.frames_dir else None
    faults = check_frames(frames_dir) if frames_dir is not None else []
    masks: list[tuple[int, Path]] = []
    if flag_values.result_dir:
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
        _write_overlays(Path(flag_values.overlays), masks, frames_dir)
    if any(not fault.warning for fault in faults):
        sys.exit(2)
    print(f"{flag_values.result_dir or flag_values.ground_truth_dir}: valid, {len(masks)} masks")


def _write_overlays(folder: Path, masks: Iterable[tuple[int, Path]], frames_dir: Path | None) -> None:
    """Masks that cannot be read are among the faults and left out."""
    frames = _open(frames_dir) if frames_dir is not None else None
    with atomic_folder(folder) as pictures:
        for number, path in masks:
            try:
                labels = read_labels(path)
            except DataError:
                continue
            atomic_write_bytes(pictures / f"{path.stem}.png", encode_png(_picture(labels, number, frames)))


def _open(frames_dir: Path) -> Frames | None:
    try:
        return open_frames(frames_dir)
    except DataError:
        return None


def _picture(labels: NDArray[np.uint16], number: int, frames: Frames | None) -> NDArray[np.uint8]:
    """Labels over their frame, or on black where that is not there, cannot be read, or has another size."""
    if frames is not None and number in frames.numbers and labels.shape == frames.shape:
        with suppress(DataError):
            return overlay(frames[frames.numbers.index(number)], labels)
    return colour_labels(labels)

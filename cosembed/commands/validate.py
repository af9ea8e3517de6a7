"""Checks a Cell Tracking Challenge folder and lists every fault with its file.

    cosembed validate --result_dir=01_RES --overlays=pictures
    cosembed validate --ground_truth_dir=01_GT --frames_dir=01

--overlays writes a coloured picture of every mask, over its frame if --frames_dir is given: 16-bit labels
look black in most viewers. The exit status is 2 if there is a fault; lines with "warning:" do not make a
folder invalid.
"""

from __future__ import annotations

import sys
from pathlib import Path

from absl import flags

from cosembed.errors import InputError

FLAGS = flags.FlagValues()

flags.DEFINE_string("result_dir", "", "Folder of maskNNN.tif and res_track.txt.", FLAGS)
flags.DEFINE_string("ground_truth_dir", "", "Folder with TRA, SEG, or both.", FLAGS)
flags.DEFINE_string("frames_dir", "", "The frames that belong to them.", FLAGS)
flags.DEFINE_string("overlays", "", "Folder to write coloured pictures to; it must not exist.", FLAGS)


def main() -> None:
    """Prints faults to stderr, one a line."""
    from cosembed.datasets.ctc.mask_files import mask_files
    from cosembed.datasets.ctc.validation import check_frames, check_result, check_truth
    from cosembed.files.writing import refuse_existing
    from cosembed.reporting.mask_pictures import write_mask_pictures

    if not FLAGS.result_dir and not FLAGS.ground_truth_dir:
        raise InputError("give --result_dir, --ground_truth_dir, or both; see --help")
    if FLAGS.overlays:
        refuse_existing(Path(FLAGS.overlays))
    frames_dir = Path(FLAGS.frames_dir) if FLAGS.frames_dir else None
    faults = check_frames(frames_dir) if frames_dir is not None else []
    masks: list[tuple[int, Path]] = []
    if FLAGS.result_dir:
        folder = Path(FLAGS.result_dir)
        faults += check_result(folder, frames_dir=frames_dir)
        masks += mask_files(folder, "mask").items()
    if FLAGS.ground_truth_dir:
        folder = Path(FLAGS.ground_truth_dir)
        faults += check_truth(folder, frames_dir)
        masks += [
            *mask_files(folder / "TRA", "man_track").items(),
            *mask_files(folder / "SEG", "man_seg").items(),
        ]
    # Frames that cannot be opened are a fault of each folder that is compared with them.
    for fault in dict.fromkeys(faults):
        print(fault, file=sys.stderr)
    if FLAGS.overlays:
        write_mask_pictures(Path(FLAGS.overlays), masks, frames_dir)
    if any(not fault.warning for fault in faults):
        sys.exit(2)
    print(f"{FLAGS.result_dir or FLAGS.ground_truth_dir}: valid, {len(masks)} masks")

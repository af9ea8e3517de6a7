"""Checks a Cell Tracking Challenge folder and lists every fault with its file; exit status 2 if there is one.

    python -m cosembed.validate --result_dir=01_RES --overlays=pictures
    python -m cosembed.validate --ground_truth_dir=01_GT --frames_dir=01

--overlays writes a coloured picture of every mask: 16-bit labels look black in most viewers.
"""

from __future__ import annotations

import sys
from pathlib import Path

from absl import flags

from cosembed import cli
from cosembed.data.ctc import read_labels
from cosembed.data.validation import check_result, check_truth, mask_files
from cosembed.errors import InputError
from cosembed.files import atomic_folder, atomic_write_bytes
from cosembed.reporting.overlays import colour_labels, encode_png

FLAGS = flags.FLAGS

flags.DEFINE_string("result_dir", "", "Folder of maskNNN.tif and res_track.txt.")
flags.DEFINE_string("ground_truth_dir", "", "Folder with TRA, SEG, or both.")
flags.DEFINE_string("frames_dir", "", "The frames that belong to --ground_truth_dir.")
flags.DEFINE_string("overlays", "", "Folder to write coloured pictures to; it must not exist.")


def main() -> None:
    """Prints faults to stderr, one a line."""
    if bool(FLAGS.result_dir) == bool(FLAGS.ground_truth_dir):
        raise InputError("give either --result_dir or --ground_truth_dir; see --help")
    if FLAGS.result_dir:
        folder = Path(FLAGS.result_dir)
        faults, masks = check_result(folder), mask_files(folder, "mask")
    else:
        folder = Path(FLAGS.ground_truth_dir)
        faults = check_truth(folder, Path(FLAGS.frames_dir) if FLAGS.frames_dir else None)
        masks = mask_files(folder / "TRA", "man_track") or mask_files(folder / "SEG", "man_seg")
    for fault in faults:
        print(fault, file=sys.stderr)
    if FLAGS.overlays:
        with atomic_folder(Path(FLAGS.overlays)) as pictures:
            for path in masks.values():
                atomic_write_bytes(pictures / f"{path.stem}.png", encode_png(colour_labels(read_labels(path))))
    if any(not fault.warning for fault in faults):
        sys.exit(2)
    print(f"{folder}: valid, {len(masks)} masks")


if __name__ == "__main__":
    cli.run(main)

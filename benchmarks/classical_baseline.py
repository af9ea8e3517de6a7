"""Tracks a video with the classical baseline, for a comparison by hand.

    python -m benchmarks.classical_baseline --input=data/simulated/01 --output=01_RES

The output is a result folder in the Cell Tracking Challenge's layout.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed.baselines.cells import write_baseline
from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.images.frames import open_frames

FLAGS = flags.FLAGS

flags.DEFINE_string("input", "", "Folder of TIFF or PNG frames, or one multi-page TIFF.")
flags.DEFINE_string("output", "", "Folder to write; it must not exist yet.")


def main() -> None:
    """Runs the baseline on a video.

    Raises:
        InputError: A flag is missing, or a frame or the output folder cannot be used.
    """
    for name in ("input", "output"):
        if not getattr(FLAGS, name):
            raise InputError(f"--{name} is missing; see --help")
    write_baseline(open_frames(Path(FLAGS.input)), Path(FLAGS.output))


if __name__ == "__main__":
    command_line.run(main)

"""Simulates a labelled video of cells in the Cell Tracking Challenge's layout, or labelled plants in that of CVPPP A1.

    python -m cosembed.simulate --output=data/simulated --frames=40 --size=192 --seed=1
    python -m cosembed.simulate --kind=leaves --output=data/plants --frames=40 --size=256 --seed=1

Writes OUTPUT/01 (frames) and OUTPUT/01_GT (complete truth), or OUTPUT/A1. The same flags give the same files.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed import cli
from cosembed.errors import InputError
from cosembed.simulation import simulate_video, write_video
from cosembed.simulation.leaves import write_plants
from cosembed.simulation.video import touching_share

FLAGS = flags.FLAGS

flags.DEFINE_string("output", "", "Folder to write to.")
flags.DEFINE_string("kind", "cells", "What to simulate: cells (a video) or leaves (plants seen from above).")
flags.DEFINE_string("video", "01", "Name of the video; cells only.")
flags.DEFINE_integer("frames", 40, "Number of frames; of plants for leaves.")
flags.DEFINE_integer("size", 192, "Side of the square image, in pixels.")
flags.DEFINE_integer("cells", 20, "How many cells live at a time; cells only.")
flags.DEFINE_float("difficulty", 1.0, "0 easy, 1 default, 2 hard: noise, contrast, uneven light; cells only.")
flags.DEFINE_integer("seed", 1, "The same seed gives the same files.")


def main() -> None:
    """Simulates and writes the video, or the plants."""
    if not FLAGS.output:
        raise InputError("--output is missing; see --help")
    if FLAGS.kind not in ("cells", "leaves"):
        raise InputError(f"--kind={FLAGS.kind}: is unknown; choose cells or leaves")
    if FLAGS.kind == "leaves":
        write_plants(Path(FLAGS.output), FLAGS.frames, FLAGS.size, FLAGS.seed)
        print(f"{Path(FLAGS.output) / 'A1'}: {FLAGS.frames} plants")
        return
    video = simulate_video(FLAGS.frames, FLAGS.size, FLAGS.cells, FLAGS.difficulty, FLAGS.seed)
    write_video(Path(FLAGS.output), FLAGS.video, video)
    divided = sum(track.parent > 0 for track in video.tracks)
    folder, share = Path(FLAGS.output) / FLAGS.video, touching_share(video.labels)
    print(
        f"{folder}: {FLAGS.frames} frames, {len(video.tracks)} tracks, {divided} daughters, {share:.0%} touching"
    )


if __name__ == "__main__":
    cli.run(main)

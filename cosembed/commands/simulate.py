"""Simulates a labelled video of cells, or labelled plants, in the layout of the public data sets.

    cosembed simulate --output=data/simulated --frames=40 --size=192 --seed=1
    cosembed simulate --kind=leaves --output=data/plants --frames=40 --size=256 --seed=1

Writes OUTPUT/01 (frames) and OUTPUT/01_GT (complete truth) as the Cell Tracking Challenge does, or OUTPUT/A1
as CVPPP. The same flags give the same files.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import InputError

FLAGS = flags.FlagValues()

flags.DEFINE_string("output", "", "Folder to write to.", FLAGS)
flags.DEFINE_string(
    "kind", "cells", "What to simulate: cells (a video) or leaves (plants seen from above).", FLAGS
)
flags.DEFINE_string("video", "01", "Name of the video; cells only.", FLAGS)
flags.DEFINE_integer("frames", 40, "Number of frames; of plants for leaves.", flag_values=FLAGS)
flags.DEFINE_integer("size", 192, "Side of the square image, in pixels.", flag_values=FLAGS)
flags.DEFINE_integer("cells", 20, "How many cells live at a time; cells only.", flag_values=FLAGS)
flags.DEFINE_float(
    "difficulty",
    1.0,
    "0 easy, 1 default, 2 hard: noise, contrast, uneven light; cells only.",
    flag_values=FLAGS,
)
flags.DEFINE_integer("seed", 1, "The same seed gives the same files.", flag_values=FLAGS)


def main() -> None:
    """Simulates and writes the video, or the plants."""
    from cosembed.simulation import simulate_video, write_video
    from cosembed.simulation.leaves import write_plants
    from cosembed.simulation.video import touching_share

    command_line.require(FLAGS, "output")
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
        f"{folder}: {FLAGS.frames} frames, {len(video.tracks)} tracks, {divided} daughters, "
        f"{share:.0%} touching"
    )

"""Tracks a video with the classical baseline, its values tuned on annotated frames.

    python -m benchmarks.classical_baseline --input=data/Fluo-N2DH-SIM+/01 --frames=45:65 \
        --tune_on=data/Fluo-N2DH-SIM+/01 --tune_frames=0:45 --output=01_RES

The output is a result folder in the Cell Tracking Challenge's layout; the values that were found are beside
it, in 01_RES.json, and --values takes such a file. Without both, the baseline's defaults are used.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

from absl import flags

from benchmarks.video_ranges import video_range
from cosembed.baselines.cells import write_baseline
from cosembed.baselines.record import read_tuned, write_tuned
from cosembed.baselines.tuning import TunedBaseline
from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.writing import refuse_existing
from cosembed.specs.dataclass_mapping import to_mapping
from cosembed.study.tasks.cells_baseline import tune_on
from cosembed.study.tasks.cells_files import frames_of

FLAGS = flags.FLAGS

flags.DEFINE_string("input", "", "Folder of TIFF or PNG frames, or one multi-page TIFF.")
flags.DEFINE_string("frames", "", "Frames to track, begin:end; all, if empty.")
flags.DEFINE_string("output", "", "Folder to write; it must not exist yet.")
flags.DEFINE_string("tune_on", "", "Annotated video DATA/01 to tune the values on; its truth is DATA/01_GT.")
flags.DEFINE_string("tune_frames", "", "Frames of it to tune on, begin:end; all, if empty.")
flags.DEFINE_string("values", "", "File of values that an earlier call found.")


def main() -> None:
    """Tunes the baseline, if asked to, and runs it on a video.

    Raises:
        InputError: A flag is missing, or a frame, the truth or the output folder cannot be used.
    """
    for name in ("input", "output"):
        if not getattr(FLAGS, name):
            raise InputError(f"--{name} is missing; see --help")
    if FLAGS.tune_on and FLAGS.values:
        raise InputError("--tune_on and --values: both give the values; leave one out")
    output = Path(FLAGS.output)
    refuse_existing(output)
    frames = frames_of(video_range(Path(FLAGS.input), FLAGS.frames, "frames"))
    tuned = read_tuned(Path(FLAGS.values)) if FLAGS.values else tune(FLAGS.tune_on, FLAGS.tune_frames)
    write_baseline(frames, output, tuned.values if tuned else None)
    if tuned:
        write_tuned(output.with_name(f"{output.name}.json"), tuned)
        print(json.dumps(to_mapping(tuned), indent=1))


def tune(video: str, text: str) -> TunedBaseline | None:
    """Tunes on the frames of an annotated video; None if no video is given. Says how long it took.

    Raises:
        InputError: The frames or their truth cannot be used.
    """
    if not video:
        return None
    frames = video_range(Path(video), text, "tune_frames")
    begun = time.process_time()
    tuned = tune_on((frames,))
    print(f"tuned in {time.process_time() - begun:.0f} s of processor time")
    return tuned


if __name__ == "__main__":
    command_line.run(main)

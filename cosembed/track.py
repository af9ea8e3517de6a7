"""Segments and tracks a video with a trained network; writes a Cell Tracking Challenge result folder.

    python -m cosembed.track --checkpoint=runs/ctc_dic_hela/test_02 --input=my_video --output=my_video_RES

The input is a folder of TIFF or PNG frames, or one multi-page TIFF. The output holds maskNNN.tif, res_track.txt and
tracks.csv (label, parent, frame, y, x, area).
"""

from __future__ import annotations

from pathlib import Path

from absl import flags, logging

from cosembed import cli, specs
from cosembed.data.frames import open_frames
from cosembed.errors import InputError
from cosembed.files import refuse_existing
from cosembed.requirements import check_tensorflow

FLAGS = flags.FLAGS

flags.DEFINE_string("checkpoint", "", "Folder of a trained run, or one checkpoint file of it.")
flags.DEFINE_string("input", "", "Folder of TIFF or PNG frames, or one multi-page TIFF.")
flags.DEFINE_string("output", "", "Folder to write; it must not exist yet.")
flags.DEFINE_multi_string("set", [], "key=value laid over the run's spec, for example tracking.min_points=60; repeatable.")
flags.DEFINE_bool("require_gpu", False, "Stop if TensorFlow sees no GPU.")


def main() -> None:
    """Checks the input, then tracks it frame by frame.

    Raises:
        InputError: A missing flag, unusable frames, no checkpoint, or an output folder that exists.
    """
    for name in ("checkpoint", "input", "output"):
        if not getattr(FLAGS, name):
            raise InputError(f"--{name} is missing; see --help")
    logging.set_verbosity(logging.INFO)
    frames = open_frames(Path(FLAGS.input))
    output = Path(FLAGS.output)
    refuse_existing(output)
    # TensorFlow is imported only once the input has been found in order.
    check_tensorflow()
    from cosembed.pipeline import track_video
    from cosembed.training.checkpoints import load_network
    from cosembed.training.devices import describe_device

    device = describe_device(FLAGS.require_gpu)
    model, spec, step = load_network(Path(FLAGS.checkpoint))
    logging.info("%s trained for %d steps; device: %s", spec.dataset.name, step, device)
    tracked = track_video(model, frames, specs.override(spec, FLAGS.set), output)
    times = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in tracked.seconds.items())
    print(f"{output}: {tracked.frames} frames, {tracked.tracks} tracks ({times})")


if __name__ == "__main__":
    cli.run(main)

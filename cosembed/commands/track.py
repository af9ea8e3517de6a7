"""Segments and tracks the cells of a video with a trained network.

    cosembed track --network=runs/ctc_dic_hela/test_02 --input=my_video --output=my_video_RES
    cosembed track --network=IMPORTED --dataset=DIC-C2DH-HeLa --input=01 --output=01_RES

The second form uses a network of the authors (cosembed import-network) with their values for that data set.

The input is a folder of TIFF or PNG frames, or one multi-page TIFF. The output is a result folder of the Cell
Tracking Challenge, with maskNNN.tif and res_track.txt; beside them lie tracks.csv (label, parent, frame, y,
x, area), report.html, and pictures/ (overlay.gif, lineage.png, embeddings.png).
"""

from __future__ import annotations

from pathlib import Path

from absl import flags, logging

from cosembed.commands import command_line

FLAGS = flags.FlagValues()

flags.DEFINE_string(
    "network",
    "",
    "Folder of a trained run, one checkpoint of it, or a network of the authors.",
    FLAGS,
)
flags.DEFINE_alias("checkpoint", "network", FLAGS)
flags.DEFINE_string("dataset", "", "For a network of the authors: the data set whose values are used.", FLAGS)
flags.DEFINE_string("input", "", "Folder of TIFF or PNG frames, or one multi-page TIFF.", FLAGS)
flags.DEFINE_integer(
    "channel", None, "The channel to track, counted from 1; needed if frames have several.", flag_values=FLAGS
)
flags.DEFINE_string("output", "", "Folder to write; it must not exist yet.", FLAGS)
flags.DEFINE_multi_string(
    "set",
    [],
    "key=value laid over the run's spec, for example tracking.min_points=60; repeatable.",
    flag_values=FLAGS,
)
flags.DEFINE_bool(
    "deterministic", False, "The same bits on every run on the same machine; may be slower.", FLAGS
)
flags.DEFINE_bool("require_gpu", False, "Stop if TensorFlow sees no GPU.", FLAGS)


def main() -> None:
    """Checks the input, then tracks it frame by frame.

    Raises:
        InputError: A missing flag, unusable frames, no network, or an output folder that exists.
    """
    from cosembed import specs
    from cosembed.files.writing import refuse_existing
    from cosembed.images.frames import open_frames
    from cosembed.requirements import check_tensorflow

    command_line.require(FLAGS, "network", "input", "output")
    if FLAGS.dataset:
        specs.resolve(FLAGS.dataset, "released")
    values = specs.parse_assignments(FLAGS.set)
    logging.get_absl_handler().setFormatter(None)
    frames = open_frames(Path(FLAGS.input))
    if FLAGS.channel is not None:
        frames = frames.only_channel(FLAGS.channel)
    output = Path(FLAGS.output)
    refuse_existing(output)
    # TensorFlow is imported only once the input has been found in order.
    check_tensorflow()
    from cosembed.training.devices import describe_device, make_deterministic
    from cosembed.video_job.job import describe_job, run_job
    from cosembed.video_job.network import load_network

    if FLAGS.deterministic:
        make_deterministic()
    device = describe_device(FLAGS.require_gpu)
    network = load_network(FLAGS.network, FLAGS.dataset)
    spec = network.spec_with(values)
    name = FLAGS.input if FLAGS.channel is None else f"{FLAGS.input}, channel {FLAGS.channel}"
    facts = describe_job(frames, name, network.description, spec, device)
    for title, fact in facts:
        print(f"{title}: {fact}", flush=True)
    seconds = run_job(network.model, frames, spec, output, facts)
    print(f"Time: {', '.join(f'{stage} {spent:.1f} s' for stage, spent in seconds.items())}")
    print(f"{output}: {len(frames)} frames tracked; open {output / 'report.html'} in a browser")

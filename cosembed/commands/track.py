"""Segments and tracks a video with a trained network; writes a Cell Tracking Challenge result folder.

    python -m cosembed.commands.track --checkpoint=runs/ctc_dic_hela/test_02 --input=my_video --output=my_video_RES
    python -m cosembed.commands.track --checkpoint=IMPORTED --dataset=DIC-C2DH-HeLa --input=01 --output=01_RES

The second form uses a network of the authors (cosembed.commands.import_network) with their values for that data set.

The input is a folder of TIFF or PNG frames, or one multi-page TIFF. The output holds maskNNN.tif, res_track.txt,
tracks.csv (label, parent, frame, y, x, area), report.html, and pictures/ (overlay.gif, lineage.png, embeddings.png).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags, logging

from cosembed import specs
from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.writing import refuse_existing
from cosembed.images.frames import open_frames
from cosembed.requirements import check_tensorflow

if TYPE_CHECKING:
    from cosembed.models import StackedHourglass
    from cosembed.specs import CellsSpec

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "checkpoint",
    "",
    "Folder of a trained run, one checkpoint file of it, or an imported network of the authors.",
)
flags.DEFINE_string("dataset", "", "For a network of the authors: the data set whose values are used.")
flags.DEFINE_string("input", "", "Folder of TIFF or PNG frames, or one multi-page TIFF.")
flags.DEFINE_integer("channel", None, "The channel to track, counted from 1; needed if frames have several.")
flags.DEFINE_string("output", "", "Folder to write; it must not exist yet.")
flags.DEFINE_multi_string(
    "set", [], "key=value laid over the run's spec, for example tracking.min_points=60; repeatable."
)
flags.DEFINE_bool("deterministic", False, "The same bits on every run on the same machine; may be slower.")
flags.DEFINE_bool("require_gpu", False, "Stop if TensorFlow sees no GPU.")


def main() -> None:
    """Checks the input, then tracks it frame by frame.

    Raises:
        InputError: A missing flag, unusable frames, no checkpoint, or an output folder that exists.
    """
    for name in ("checkpoint", "input", "output"):
        if not getattr(FLAGS, name):
            raise InputError(f"--{name} is missing; see --help")
    if FLAGS.dataset and FLAGS.dataset not in specs.dataset_names("cells"):
        raise InputError(
            f"--dataset: unknown data set '{FLAGS.dataset}'; known: {', '.join(specs.dataset_names('tracking'))}"
        )
    logging.set_verbosity(logging.INFO)
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

    if FLAGS.deterministic:
        make_deterministic()
    device = describe_device(FLAGS.require_gpu)
    model, spec, network = _load(Path(FLAGS.checkpoint), FLAGS.dataset)
    spec = specs.override(spec, specs.parse_assignments(FLAGS.set))
    name = FLAGS.input if FLAGS.channel is None else f"{FLAGS.input}, channel {FLAGS.channel}"
    facts = describe_job(frames, name, network, spec, device)
    for title, fact in facts:
        print(f"{title}: {fact}", flush=True)
    seconds = run_job(model, frames, spec, output, facts)
    print(f"Time: {', '.join(f'{stage} {spent:.1f} s' for stage, spent in seconds.items())}")
    print(f"{output}: {len(frames)} frames tracked; open {output / 'report.html'} in a browser")


def _load(path: Path, dataset: str) -> tuple[StackedHourglass, CellsSpec, str]:
    """The network, its spec, and what to call it."""
    from cosembed import released
    from cosembed.training.checkpoints import load_network

    if not released.is_imported(path) and not released.is_released(path):
        if dataset:
            raise InputError(f"--dataset: is for networks of the authors, and {path} is none; drop the flag")
        model, spec, step = load_network(path)
        return (
            model,
            spec,
            f"{path}, {spec.dataset.name}, trained for {step} of {spec.training.iterations} steps",
        )
    if not dataset:
        known = ", ".join(specs.dataset_names("cells"))
        raise InputError(f"--dataset is missing: {path} is a network of the authors; name one of {known}")
    model = released.load_imported(path)
    spec = released.released_spec(model, dataset)
    if spec.network.variant == "mia2019":
        logging.warning("%s: %s", path, released.FOLLOW_UP)
    return model, spec, f"{path}, {dataset}, the authors' network {released.source_of(path)}"


if __name__ == "__main__":
    command_line.run(main)

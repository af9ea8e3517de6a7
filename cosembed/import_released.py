"""Converts one of the authors' released networks, a TensorFlow 1 checkpoint, for use with cosembed.track.

    python -m cosembed.import_released --checkpoint=models/DIC-C2DH-HeLa/model-40000 --output=networks/DIC-C2DH-HeLa
    python -m cosembed.track --checkpoint=networks/DIC-C2DH-HeLa --dataset=DIC-C2DH-HeLa --input=01 --output=01_RES

Every variable's name and shape is checked. Networks of MICCAI 2018 and of the 2019 follow-up are told apart by themselves.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed import cli
from cosembed.errors import InputError
from cosembed.files import refuse_existing
from cosembed.requirements import check_tensorflow

FLAGS = flags.FLAGS

flags.DEFINE_string(
    "checkpoint", "", "The checkpoint's prefix: PREFIX.index and PREFIX.data-00000-of-00001 exist."
)
flags.DEFINE_string("output", "", "Folder to write; it must not exist yet.")


def main() -> None:
    """Reads, checks and writes.

    Raises:
        InputError: A missing flag, a checkpoint that cannot be used, or an output folder that exists.
    """
    for name in ("checkpoint", "output"):
        if not getattr(FLAGS, name):
            raise InputError(f"--{name} is missing; see --help")
    output = Path(FLAGS.output)
    refuse_existing(output)
    # TensorFlow is imported only once the flags have been found in order.
    check_tensorflow()
    from cosembed.released import import_released

    form = import_released(FLAGS.checkpoint, output)
    print(
        f"{output}: network {form.variant}, {form.levels} levels, {form.filters} filters, {form.outputs} outputs, "
        f"{form.channels} input channel{'s' if form.channels > 1 else ''}"
    )


if __name__ == "__main__":
    cli.run(main)

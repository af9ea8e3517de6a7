"""Converts a network of the authors, a TensorFlow 1 checkpoint, for use with cosembed track.

    cosembed import-network --checkpoint=models/DIC-C2DH-HeLa/model-40000 --output=networks/DIC-C2DH-HeLa
    cosembed track --network=networks/DIC-C2DH-HeLa --dataset=DIC-C2DH-HeLa --input=01 --output=01_RES

Every variable's name and shape is checked. Networks of MICCAI 2018 and of the 2019 follow-up are told apart
by themselves.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed.commands import command_line


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string(
        "checkpoint",
        "",
        "The checkpoint's prefix: PREFIX.index and PREFIX.data-00000-of-00001 exist.",
        flag_values=flag_values,
    )
    flags.DEFINE_string("output", "", "Folder to write; it must not exist yet.", flag_values=flag_values)


def main(flag_values: flags.FlagValues) -> None:
    """Reads, checks and writes.

    Raises:
        InputError: A missing flag, a checkpoint that cannot be used, or an output folder that exists.
    """
    from cosembed.files.writing import refuse_existing
    from cosembed.requirements import check_tensorflow

    command_line.require(flag_values, "checkpoint", "output")
    output = Path(flag_values.output)
    refuse_existing(output)
    # TensorFlow is imported only once the flags have been found in order.
    check_tensorflow()
    from cosembed.released import import_released

    form = import_released(flag_values.checkpoint, output)
    print(
        f"{output}: network {form.variant}, {form.levels} levels, {form.filters} filters, "
        f"{form.outputs} outputs, {form.channels} input channel{'s' if form.channels > 1 else ''}"
    )

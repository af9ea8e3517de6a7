"""Writes a spec for training on your own annotated videos, with values that suit their cells.

    cosembed suggest-spec --data=data/mydata --output=mydata.yaml
    cosembed train --spec=mydata.yaml --data_dir=data --out_dir=runs --name=mydata --profile=cpu

The folder holds videos (01/t000.tif, ...) and their truth (01_GT/SEG/man_seg000.tif, ..., or 01_GT/TRA). All
of it is read and checked. The file is yours: every line has a comment, change what you know better.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import OutputError
from cosembed.files.wording import counted


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string(
        "data", "", "Folder of the data set: videos and their _GT folders.", flag_values=flag_values
    )
    flags.DEFINE_string("output", "", "YAML file to write; it must not exist.", flag_values=flag_values)


def main(flag_values: flags.FlagValues) -> None:
    """Measures, checks, writes, and says what was found."""
    import yaml

    from cosembed.datasets.ctc.reader import read_annotated_video
    from cosembed.datasets.magnification import FEWEST_WIDE
    from cosembed.datasets.suggestion import measure_annotation, render_spec
    from cosembed.files.writing import atomic_write_text
    from cosembed.specs import CellsDatasetSpec
    from cosembed.specs.dataclass_mapping import from_mapping

    command_line.require(flag_values, "data", "output")
    root, output = Path(flag_values.data), Path(flag_values.output)
    if output.exists():
        raise OutputError(f"{output}: exists already; choose another name or remove it first")
    found = measure_annotation(root)
    text = render_spec(root.resolve().name, found)
    dataset = from_mapping(CellsDatasetSpec, yaml.safe_load(text)["dataset"], str(output))
    for video in found.videos:
        sequence = read_annotated_video(root, video, dataset)
        stretches = ", ".join(f"{begin} to {end - 1}" for begin, end in sequence.segments)
        print(
            f"video {video}: {counted(len(sequence), 'frame')}, {sequence.complete.sum()} completely "
            f"segmented; trains on {stretches}"
        )
    atomic_write_text(output, text)
    pieces = found.magnification
    if pieces.scale:
        print(
            f"cells are small in the images: the network sees them in tiles at {pieces.scale} network pixels "
            f"per original pixel, where a typical cell is {pieces.typical:.0f} pixels wide"
        )
    else:
        print(
            f"whole images suit it: a typical cell is {2 * pieces.typical:.0f} network pixels wide with "
            f"--profile=paper, {pieces.typical:.0f} with cpu"
        )
    if pieces.too_small:
        print(
            f"warning: small cells are only {pieces.narrow:.1f} network pixels wide, also enlarged; they "
            f"need {FEWEST_WIDE:.0f}: take images of a higher magnification"
        )
    print(f"{output}: written; next: {_training_command(root.resolve(), output)}")


def _training_command(root: Path, spec_file: Path) -> str:
    """Gives what a reader types next; the spec names the data set's folder below --data_dir."""
    where = (f"--data_dir={root.parent}", "--out_dir=runs", f"--name={root.name}")
    return shlex.join(["cosembed", "train", f"--spec={spec_file}", *where, "--profile=cpu"])

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

# A cell of fewer network pixels has too few for embeddings of its own.
FEWEST_PIXELS = 20
CPU_SIZE = 128


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string(
        "data", "", "Folder of the data set: videos and their _GT folders.", flag_values=flag_values
    )
    flags.DEFINE_string("output", "", "YAML file to write; it must not exist.", flag_values=flag_values)


def main(flag_values: flags.FlagValues) -> None:
    """Measures, checks, writes, and says what was found."""
    import numpy as np
    import yaml

    from cosembed import specs
    from cosembed.datasets.ctc.reader import read_annotated_video
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
    large = float(np.median(found.areas))
    small = large * (CPU_SIZE / specs.REFERENCE_SIZE) ** 2
    print(
        f"a typical cell covers {large:.0f} pixels of the network's input with --profile=paper, "
        f"{small:.0f} with cpu; it needs {FEWEST_PIXELS}"
    )
    if large < FEWEST_PIXELS:
        print(
            "warning: too few for any profile; cut the videos into smaller fields of view, then repeat this"
        )
        print(f"{output}: written")
        return
    profile = "cpu" if small >= FEWEST_PIXELS else "paper"
    print(f"{output}: written; next: {_training_command(root.resolve(), output, profile)}")


def _training_command(root: Path, spec_file: Path, profile: str) -> str:
    """Gives what a reader types next; the spec names the data set's folder below --data_dir."""
    where = (f"--data_dir={root.parent}", "--out_dir=runs", f"--name={root.name}")
    return shlex.join(["cosembed", "train", f"--spec={spec_file}", *where, f"--profile={profile}"])

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

FLAGS = flags.FlagValues()

flags.DEFINE_string("data", "", "Folder of the data set: videos and their _GT folders.", FLAGS)
flags.DEFINE_string("output", "", "YAML file to write; it must not exist.", FLAGS)

# A cell of fewer network pixels has too few for embeddings of its own.
FEWEST_PIXELS = 20
CPU_SIZE = 128


def main() -> None:
    """Measures, checks, writes, and says what was found."""
    import numpy as np
    import yaml

    from cosembed import specs
    from cosembed.datasets.ctc.reader import read_annotated_video
    from cosembed.datasets.suggestion import measure_annotation, render_spec
    from cosembed.files.writing import atomic_write_text
    from cosembed.specs.dataclass_mapping import from_mapping

    command_line.require(FLAGS, "data", "output")
    root, output = Path(FLAGS.data), Path(FLAGS.output)
    if output.exists():
        raise OutputError(f"{output}: exists already; choose another name or remove it first")
    found = measure_annotation(root)
    text = render_spec(root.resolve().name, found)
    dataset = from_mapping(specs.CellsDatasetSpec, yaml.safe_load(text)["dataset"], str(output))
    for name in found.videos:
        video = read_annotated_video(root, name, dataset)
        stretches = ", ".join(f"{begin} to {end - 1}" for begin, end in video.segments)
        print(
            f"video {name}: {len(video)} frames, {video.complete.sum()} completely segmented; "
            f"trains on {stretches}"
        )
    atomic_write_text(output, text)
    large = float(np.median(found.areas))
    small = large * (CPU_SIZE / specs.REFERENCE_SIZE) ** 2
    print(
        f"a typical cell covers {large:.0f} pixels of the network's input with --profile=paper, "
        f"{small:.0f} with cpu"
    )
    if small < FEWEST_PIXELS:
        print(
            "warning: too few for profile cpu; cut the videos into smaller fields of view, or train with "
            "--profile=paper"
        )
    print(f"{output}: written; next: {_training_command(root, output)}")


def _training_command(root: Path, spec_file: Path) -> str:
    """Gives what a reader types next; the folder of the data set is named by the spec."""
    flags_of_training = (f"--spec={spec_file}", f"--data_dir={root.resolve().parent}", "--out_dir=runs")
    return shlex.join(
        ["cosembed", "train", *flags_of_training, f"--name={root.resolve().name}", "--profile=cpu"]
    )

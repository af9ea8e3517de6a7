"""Writes a spec for training on your own annotated videos, with values that suit their cells.

    cosembed suggest-spec --data=data/mydata --output=mydata.yaml
    cosembed train --spec=mydata.yaml --data_dir=data --out_dir=runs --name=mydata --profile=cpu
    cosembed suggest-spec --data=data/mydata --output=mydata.yaml --network=simulated

The folder holds videos (01/t000.tif, ...) and their truth (01_GT/SEG/man_seg000.tif, ..., or 01_GT/TRA). All
of it is read and checked. The file is yours: every line has a comment, change what you know better.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import InputError, OutputError
from cosembed.files.wording import counted

if TYPE_CHECKING:
    from cosembed.datasets.magnification import Magnification
    from cosembed.datasets.suggestion import AnnotationMeasures


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string(
        "data", "", "Folder of the data set: videos and their _GT folders.", flag_values=flag_values
    )
    flags.DEFINE_string("output", "", "YAML file to write; it must not exist.", flag_values=flag_values)
    flags.DEFINE_string(
        "network",
        "",
        "Network that the training will start from: cells are made as wide as it knows them.",
        flag_values=flag_values,
    )


def main(flag_values: flags.FlagValues) -> None:
    """Measures, checks, writes, and says what was found."""
    import yaml

    from cosembed.datasets.ctc.reader import read_annotated_video
    from cosembed.datasets.suggestion import measure_annotation, render_spec
    from cosembed.files.writing import atomic_write_text
    from cosembed.specs import CellsDatasetSpec
    from cosembed.specs.dataclass_mapping import from_mapping

    command_line.require(flag_values, "data", "output")
    root, output, network = Path(flag_values.data), Path(flag_values.output), flag_values.network
    if output.exists():
        raise OutputError(f"{output}: exists already; choose another name or remove it first")
    known = _known_cells(network) if network else None
    found = measure_annotation(root)
    pieces = known.match(found) if known else found.magnification
    text = render_spec(root.resolve().name, found, pieces)
    dataset = from_mapping(CellsDatasetSpec, yaml.safe_load(text)["dataset"], str(output))
    for video in found.videos:
        sequence = read_annotated_video(root, video, dataset)
        stretches = ", ".join(f"{begin} to {end - 1}" for begin, end in sequence.segments)
        print(
            f"video {video}: {counted(len(sequence), 'frame')}, {sequence.complete.sum()} completely "
            f"segmented; trains on {stretches}"
        )
    atomic_write_text(output, text)
    print("\n".join(_described(pieces, known)))
    print(f"{output}: written; next: {_training_command(root.resolve(), output, network)}")


class _KnownCells(NamedTuple):
    """Holds how large cells are to a network.

    Attributes:
        network: Its name or path.
        width: How wide a typical cell of its training was, in network pixels.
        image_size: Side of its input.
        tiled: Whether it knows tiles only.
    """

    network: str
    width: float
    image_size: int
    tiled: bool

    def match(self, found: AnnotationMeasures) -> Magnification:
        """Chooses how images are brought to it so that their cells are as wide as it knows them."""
        from cosembed.datasets.magnification import match_magnification

        return match_magnification(found.original_areas, found.shape, self.image_size, self.width, self.tiled)


def _known_cells(network: str) -> _KnownCells:
    """Reads from a network's card and spec how large its cells are.

    Raises:
        InputError: There is no such network, or it has no card that says so.
    """
    from cosembed.datasets.magnification import disc_width
    from cosembed.networks.description import describe_network
    from cosembed.preprocessing.geometry import shape_of_test
    from cosembed.video_job.cell_size import typical_area

    spec, card = describe_network(network)
    shape = shape_of_test(card.expects.image_shape, spec) if card and spec else (0, 0)
    area = typical_area(card, shape)
    if spec is None or area is None:
        raise InputError(
            f"--network={network}: does not say how large the cells are that it was trained on; give a "
            "folder that cosembed networks export made of it with --truth, or leave the flag out"
        )
    return _KnownCells(network, disc_width(area), spec.network.image_size, spec.inference.tiled)


def _described(pieces: Magnification, known: _KnownCells | None) -> Iterator[str]:
    """Says how images are brought to the network, and warns where cells stay too small for it."""
    from cosembed.datasets.magnification import ALIKE, FEWEST_WIDE

    tiles = f"in tiles at {pieces.scale:g} network pixels per original pixel"
    if known:
        seen = f"images {tiles}" if pieces.scale else "whole images"
        yield (
            f"the network sees {seen}; a typical cell is then {pieces.typical:.0f} network pixels wide, and "
            f"was {known.width:.0f} when {known.network} was trained"
        )
        if pieces.typical < known.width / ALIKE:
            yield "warning: cells are smaller than the network knows them, also enlarged; choose another one"
        return
    if pieces.scale:
        yield (
            f"cells are small in the images: the network sees them {tiles}, where a typical cell is "
            f"{pieces.typical:.0f} pixels wide"
        )
    else:
        yield (
            f"whole images suit it: a typical cell is {2 * pieces.typical:.0f} network pixels wide with "
            f"--profile=paper, {pieces.typical:.0f} with cpu"
        )
    if pieces.too_small:
        yield (
            f"warning: small cells are only {pieces.narrow:.1f} network pixels wide, also enlarged; they "
            f"need {FEWEST_WIDE:.0f}: take images of a higher magnification"
        )


def _training_command(root: Path, spec_file: Path, network: str) -> str:
    """Gives what a reader types next; the spec names the data set's folder below --data_dir."""
    where = (f"--data_dir={root.parent}", "--out_dir=runs", f"--name={root.name}")
    start = (f"--start_from={network}",) if network else ()
    return shlex.join(["cosembed", "train", f"--spec={spec_file}", *where, "--profile=cpu", *start])

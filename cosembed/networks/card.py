"""Defines the card of a network, typed and strict, and reads and writes it. Knows no weights.

`card.yaml` is made by `cosembed networks export` and completed by hand: only its hashes belong to the files
beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import yaml

from cosembed.errors import CheckpointError, SpecError
from cosembed.files.reading import MAX_PAGES_BYTES, read_text, reason
from cosembed.specs.dataclass_mapping import bounded, from_mapping, to_mapping
from cosembed.specs.newer import refuse_newer
from cosembed.specs.yaml_text import parse_yaml

CARD_FILE = "card.yaml"


@dataclass(frozen=True, kw_only=True)
class Hashes:
    """Holds the SHA-256 of every other file of the folder, as hexadecimal digits.

    Attributes:
        weights: That of weights.npz.
        spec: That of spec.yaml.
        example: That of example.npz.
    """

    weights: str
    spec: str
    example: str


@dataclass(frozen=True, kw_only=True)
class Training:
    """Says how the network was made.

    Attributes:
        data: What it was trained on: data set, videos, truth.
        method: The command, or in one sentence the method if it was made otherwise.
        steps: How many batches it was trained on.
        device: What computed.
        seed: The seed of weights and clips.
        commit: The commit of the code that made it; `unknown` outside a checkout.
    """

    data: str
    method: str
    steps: int = bounded(0)
    device: str
    seed: int = bounded(0)
    commit: str


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Says on what terms the weights and the data they were made from may be used.

    Attributes:
        weights: One sentence.
        data: One sentence.
    """

    weights: str
    data: str


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """Says what images the network fits.

    Attributes:
        images: Microscopy and cells, in one phrase.
        pixel_size: The side of a pixel in micrometres; None if it has no meaning or is not known.
        image_shape: Height and width of the images it was trained on.
        cell_area: The areas, in pixels of such images, that 5, 50 and 95 % of the training cells stay below;
            None if they were not measured.
    """

    images: str
    pixel_size: float | None = bounded(0, above=True)
    image_shape: tuple[int, int] = bounded(1)
    cell_area: tuple[float, float, float] | None = bounded(0)


@dataclass(frozen=True, kw_only=True)
class Score:
    """Holds scores of the network, and how they came about.

    Attributes:
        data: Data set, video and number of frames.
        split: Whether the network was trained on them.
        truth: Whose truth, and of which kind.
        SEG: As `cosembed.metrics.evaluate_ctc` has it; None if it was not scored.
        DET: Likewise.
        TRA: Likewise.
        command: The commands that give these numbers; or who measured them, if not this package.
    """

    data: str
    split: str
    truth: str
    SEG: float | None = bounded(0, 1)
    DET: float | None = bounded(0, 1)
    TRA: float | None = bounded(0, 1)
    command: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """Says everything about a network that a person needs to judge whether and how to use it.

    Attributes:
        name: What `--network` takes.
        version: Counts from 1; other weights have another one.
        cosembed: The version of the package that wrote the folder.
        summary: One line for lists.
        sha256: The hashes of the other files.
        trained: How it was made.
        terms: On what terms it may be used.
        expects: What images it fits.
        scores: What it was measured to do.
        known_failures: What it does wrong, a sentence each.
    """

    name: str
    version: int = bounded(1)
    cosembed: str
    summary: str
    sha256: Hashes
    trained: Training
    terms: Terms
    expects: Expectation
    scores: tuple[Score, ...]
    known_failures: tuple[str, ...]


def read_card(folder: Path) -> Card:
    """Reads the card of a network's folder.

    Raises:
        CheckpointError: There is none, it is no YAML, or a newer version of the package wrote it.
        SpecError: A key is missing, unknown or of the wrong kind.
    """
    file = folder / CARD_FILE
    try:
        mapping = parse_yaml(read_text(file, MAX_PAGES_BYTES))
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{file}: the network's card cannot be read ({reason(error)}); restore the folder"
        ) from error
    try:
        return from_mapping(Card, mapping, str(file))
    except SpecError:
        refuse_newer(file, mapping.get("cosembed") if isinstance(mapping, dict) else None)
        raise


def write_card(folder: Path, card: Card) -> None:
    """Writes the card into a network's folder."""
    text = yaml.safe_dump(to_mapping(card), sort_keys=False, allow_unicode=True, width=100)
    (folder / CARD_FILE).write_text(text, encoding="utf-8")

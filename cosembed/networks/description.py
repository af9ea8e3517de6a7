"""Reads what is known of a network beside its weights: its spec and its card. Knows no TensorFlow."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from cosembed import specs
from cosembed.errors import CheckpointError, SpecError
from cosembed.networks.card import Card, read_card
from cosembed.networks.catalogue import advice, is_network_folder, network_folder
from cosembed.specs import CellsSpec
from cosembed.specs.newer import refuse_newer
from cosembed.training.run_folder import RunFolder

SPEC_FILE = "spec.yaml"


class Description(NamedTuple):
    """Describes a network.

    Attributes:
        spec: The values that it was trained with; None if it has none, as a network of the authors.
        card: Its card, if it has one.
    """

    spec: CellsSpec | None
    card: Card | None


def describe_network(name_or_path: str) -> Description:
    """Reads the spec and the card of a network.

    Args:
        name_or_path: What `inference.networks.load_network` takes.

    Raises:
        CheckpointError: Nothing is there, or it was written by a newer version of the package.
        SpecError: The spec or the card is damaged, or of another task.
    """
    path = find_network(name_or_path)
    if is_network_folder(path):
        card = read_card(path)
        return Description(read_network_spec(path, card), card)
    if not path.is_dir() and path.parent.name == "checkpoints":
        path = path.parent.parent
    run = RunFolder(path)
    return Description(run.read_spec(CellsSpec) if run.spec_file.exists() else None, None)


def find_network(name_or_path: str | os.PathLike[str]) -> Path:
    """Finds where a network lies: the folder of a name, or the path itself.

    Raises:
        CheckpointError: Nothing is there; says which name is nearest.
    """
    named = network_folder(name_or_path) if isinstance(name_or_path, str) else None
    path = named or Path(name_or_path)
    if not path.exists() and not Path(f"{path}.index").exists():
        raise CheckpointError(
            f"'{path}' is neither the name of a network nor a run folder, a checkpoint or an imported "
            f"network; {advice(str(name_or_path))}"
        )
    return path


def read_network_spec(folder: Path, card: Card) -> CellsSpec:
    """Reads the spec in a network's folder.

    Raises:
        CheckpointError: A newer version of the package wrote it.
        SpecError: It is damaged, or of another task.
    """
    file = folder / SPEC_FILE
    try:
        return specs.load_as(CellsSpec, file)
    except SpecError:
        refuse_newer(file, card.cosembed)
        raise

"""Keeps networks of the authors as imported folders, and finds them.

    IMPORTED/network.json    the network's architecture, name and sha256 of the authors' checkpoint
    IMPORTED/weights.*       the network's weights as a checkpoint of TensorFlow 2

This module knows no name that TensorFlow 1 gave a variable.
"""

from __future__ import annotations

import json
from pathlib import Path

from cosembed.errors import CheckpointError, SpecError
from cosembed.files.reading import reason
from cosembed.files.writing import atomic_folder
from cosembed.models import StackedHourglass
from cosembed.released.architecture import NetworkArchitecture, build_released
from cosembed.released.checkpoint import (
    checkpoint_digest,
    checkpoint_prefix,
    is_released,
    load_released,
    read_architecture,
)
from cosembed.specs.dataclass_mapping import from_mapping, to_mapping
from cosembed.training.checkpoints import UNREADABLE, network_checkpoint, written_by_tensorflow

NETWORK_FILE, WEIGHTS = "network.json", "weights"


def import_released(prefix: str | Path, output: Path) -> NetworkArchitecture:
    """Converts a checkpoint of the authors into an imported folder, complete or not at all.

    Args:
        prefix: The checkpoint's common prefix, or one of its files.
        output: The folder to write.

    Returns:
        The architecture of the network.

    Raises:
        CheckpointError: As for `load_released`.
        OutputError: `output` exists.
    """
    path = checkpoint_prefix(prefix)
    model = load_released(path)
    architecture = read_architecture(path)
    with atomic_folder(output) as folder:
        with written_by_tensorflow(output):
            network_checkpoint(model).write(str(folder / WEIGHTS))
        source = {"name": path.name, "sha256": checkpoint_digest(path)}
        content = {"network": to_mapping(architecture), "source": source}
        (folder / NETWORK_FILE).write_text(json.dumps(content, indent=1) + "\n")
    return architecture


def is_imported(path: Path) -> bool:
    """Tells whether `path` is a folder that `import_released` wrote."""
    return (path / NETWORK_FILE).is_file()


def load_imported(path: Path) -> StackedHourglass:
    """Loads the network of an imported folder, or straight from the authors' checkpoint.

    Args:
        path: The folder, or the prefix or a file of the checkpoint.

    Raises:
        CheckpointError: `path` is neither, or it is damaged.
    """
    if not is_imported(path):
        return load_released(path)
    file = path / NETWORK_FILE
    try:
        content = json.loads(file.read_text())["network"]
        model = build_released(from_mapping(NetworkArchitecture, content, str(file)))
        status = network_checkpoint(model).read(str(path / WEIGHTS))
        status.assert_existing_objects_matched().expect_partial()
    except (*UNREADABLE, KeyError, TypeError, SpecError) as error:
        raise CheckpointError(
            f"{path}: the imported network is damaged ({reason(error)}); import it again"
        ) from error
    return model


def source_of(path: Path) -> str:
    """Names the authors' checkpoint behind an imported folder, or the checkpoint itself, and its sha256.

    Raises:
        CheckpointError: The folder is damaged.
    """
    if not is_imported(path):
        prefix = checkpoint_prefix(path)
        return f"{prefix.name}, sha256 {checkpoint_digest(prefix)}"
    try:
        source = json.loads((path / NETWORK_FILE).read_text())["source"]
        return f"{source['name']}, sha256 {source['sha256']}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path}: the imported network is damaged ({reason(error)}); import it again"
        ) from error


def find_released(folder: Path, dataset: str) -> Path:
    """Finds the network of one data set below a folder of networks.

    Args:
        folder: The folder of networks.
        dataset: The data set's name; FOLDER/DATASET is an imported folder, or holds one checkpoint.

    Returns:
        The imported folder, or the checkpoint's index file.

    Raises:
        CheckpointError: There is none, or more than one.
    """
    place = folder / dataset
    if is_imported(place):
        return place
    found = sorted(path for path in place.glob("*.index") if is_released(path))
    if len(found) != 1:
        what = (
            "no checkpoint of the authors"
            if not found
            else f"{len(found)} checkpoints ({found[0].name}, ...)"
        )
        raise CheckpointError(
            f"{place}: holds {what}; put the files of one there, or a folder made by cosembed import-network"
        )
    return found[0]

"""Reads a TensorFlow 1 checkpoint of the authors into a `StackedHourglass`.

A checkpoint is the files PREFIX.index and PREFIX.data-00000-of-00001, where PREFIX is for example
model-40000. What is wrong with them is said in one sentence.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from cosembed.errors import CheckpointError
from cosembed.files.reading import reason
from cosembed.models import StackedHourglass
from cosembed.released.architecture import NetworkArchitecture, build_released, recognise_architecture
from cosembed.released.naming import CELL, OPTIMIZER_VARIABLE, NamedVariable, named_variables, plain_name
from cosembed.training.checkpoints import UNREADABLE

# A message names so many faults of a kind at most.
_SHOWN = 3


def load_released(prefix: str | Path) -> StackedHourglass:
    """Loads the network of a TensorFlow 1 checkpoint of the authors.

    Args:
        prefix: The checkpoint's common prefix, or one of its files.

    Returns:
        The network with the checkpoint's weights; levels, filters, outputs, channels and variant follow from
        its variables.

    Raises:
        CheckpointError: Missing or damaged files, a checkpoint of something else, or variables that are
            missing, left over, of another shape, or not finite.
    """
    path = checkpoint_prefix(prefix)
    reader, shapes = _open(path)
    model = build_released(recognise_architecture(path, shapes))
    wanted = list(named_variables(model))
    stored = {plain_name(name): name for name in shapes}
    _compare(path, wanted, {plain_name(name): shape for name, shape in shapes.items()})
    for name, variable in wanted:
        try:
            value = reader.get_tensor(stored[name])
        except UNREADABLE as error:
            raise CheckpointError(
                f"{path}: its data cannot be read ({reason(error)}); copy all of its files again"
            ) from error
        if value.dtype != np.float32 or not np.isfinite(value).all():
            raise CheckpointError(
                f"{path}: '{name}' does not hold finite float32 numbers; copy all of its files again"
            )
        variable.assign(value)
    return model


def is_released(path: Path) -> bool:
    """Tells whether `path` is the prefix, or a file, of a checkpoint that holds a network of the authors.

    Raises:
        CheckpointError: There is a checkpoint, but it is damaged.
    """
    prefix = checkpoint_prefix(path)
    if path.is_dir() or not Path(f"{prefix}.index").is_file():
        return False
    _, shapes = _open(prefix)
    return any(name.startswith(CELL.format(0)) for name in shapes)


def read_architecture(prefix: Path) -> NetworkArchitecture:
    """Reads the architecture of the network in a checkpoint, without its weights.

    Raises:
        CheckpointError: Missing or damaged files, or a checkpoint of something else.
    """
    return recognise_architecture(prefix, _open(prefix)[1])


def checkpoint_prefix(path: str | Path) -> Path:
    """Returns the common prefix of a checkpoint's files, given that prefix or one of the files."""
    return Path(re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", str(path)))


def _open(path: Path) -> tuple[Any, dict[str, list[int]]]:
    """Opens a checkpoint and lists its variables: name -> shape."""
    index = Path(f"{path}.index")
    if not index.is_file():
        raise CheckpointError(
            f"{index}: no such file; give the checkpoint's prefix, for example models/model-40000"
        )
    if not list(path.parent.glob(f"{escape(path.name)}.data-*-of-*")):
        raise CheckpointError(f"{path}.data-00000-of-00001: no such file; copy it beside {index.name}")
    try:
        reader = tf.train.load_checkpoint(str(path))
        return reader, reader.get_variable_to_shape_map()
    except UNREADABLE as error:
        raise CheckpointError(
            f"{index}: is not a TensorFlow checkpoint or is damaged ({reason(error)}); copy it again"
        ) from error


def checkpoint_digest(prefix: Path) -> str:
    """Computes the sha256 over the files of a checkpoint, index first."""
    digest = hashlib.sha256()
    for path in (Path(f"{prefix}.index"), *sorted(prefix.parent.glob(f"{escape(prefix.name)}.data-*"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _compare(path: Path, wanted: list[NamedVariable], shapes: Mapping[str, list[int]]) -> None:
    """Raises `CheckpointError` unless the checkpoint's variables are those that the network has."""
    expected = {name: variable.shape.as_list() for name, variable in wanted}
    found = {name: shape for name, shape in shapes.items() if not OPTIMIZER_VARIABLE.fullmatch(name)}
    faults = []
    for what, names in (
        ("missing", expected.keys() - found.keys()),
        ("left over", found.keys() - expected.keys()),
    ):
        if names:
            faults.append(f"{what}: {_some(sorted(names))}")
    wrong = [
        f"'{name}' is {found[name]}, not {expected[name]}"
        for name in sorted(expected)
        if found.get(name, expected[name]) != expected[name]
    ]
    if wrong:
        faults.append(f"of another shape: {'; '.join(wrong[:_SHOWN])}{_more(wrong)}")
    if faults:
        raise CheckpointError(
            f"{path}: does not fit the authors' network; {', '.join(faults)}; give one of their checkpoints"
        )


def _some(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:_SHOWN]) + _more(names)


def _more(items: list[str]) -> str:
    return f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""

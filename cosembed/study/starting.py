"""Finds the weights that a training starts from, and checks that they fit. Knows no data and no flags."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed import released
from cosembed.errors import CheckpointError
from cosembed.inference.networks import load_network
from cosembed.models import StackedHourglass, named_weights
from cosembed.networks.catalogue import network_folder
from cosembed.specs import CellsSpec, NetworkSpec
from cosembed.training.checkpoints import build_network


@dataclass(frozen=True)
class StartingWeights:
    """Holds the weights that a training starts from.

    Attributes:
        source: What they are of, with a digest of them, for the record of the run.
        form: What `NetworkSpec.form` gives of their network, among other values.
        arrays: The weights by the names of `models.named_weights`.
    """

    source: str
    form: Mapping[str, object]
    arrays: Mapping[str, NDArray[np.float32]]


def starting_weights(start_from: str, network: NetworkSpec) -> StartingWeights:
    """Loads the weights of a network whose form is that of the one to be trained.

    Args:
        start_from: What `inference.networks.load_network` takes: a name, or a path.
        network: Of the spec of the training.

    Raises:
        CheckpointError: There is no such network, it cannot be read, or it has another form.
    """
    found = _load(start_from)
    other = {key: found.form[key] for key, value in network.form().items() if found.form[key] != value}
    if other:
        theirs = ", ".join(f"network.{key}={value}" for key, value in other.items())
        remedy = " ".join(f"--set=network.{key}={value}" for key, value in other.items())
        if "channels" in other:
            remedy = "a network that was trained on frames with as many channels"
        raise CheckpointError(
            f"--start_from={start_from}: has {theirs}, unlike the network of the spec; use {remedy}"
        )
    return found


def starting_network(start_from: str, spec: CellsSpec) -> StackedHourglass:
    """Builds the network of a training as it is before the first step.

    Args:
        start_from: As for `starting_weights`.
        spec: That of the training.

    Raises:
        CheckpointError: As for `starting_weights`.
    """
    model = build_network(spec)
    weights = named_weights(model)
    for name, values in starting_weights(start_from, spec.network).arrays.items():
        weights[name].assign(values)
    return model


@lru_cache(maxsize=1)
def _load(start_from: str) -> StartingWeights:
    """Loads a network once for all stages of an experiment."""
    path = Path(start_from)
    named = network_folder(start_from) is not None
    if not named and (released.is_imported(path) or released.is_released(path)):
        model = released.load_imported(path)
    else:
        model = load_network(start_from).model
    arrays = {name: variable.numpy() for name, variable in named_weights(model).items()}
    digest = hashlib.sha256(b"".join(array.tobytes() for array in arrays.values())).hexdigest()
    source = f"{start_from if named else path.resolve().name}, weights {digest[:12]}"
    return StartingWeights(source, model.get_config() | {"channels": model.input_spec.axes[-1]}, arrays)

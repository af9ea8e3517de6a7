"""Finds and loads the network that is to track a video, whatever it is: a run, a checkpoint, or one of the
authors.

Knows no video and no flags.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from absl import logging

from cosembed import released, specs
from cosembed.errors import CheckpointError, InputError
from cosembed.inference.stepper import FrameStepper
from cosembed.models import StackedHourglass
from cosembed.specs import CellsSpec
from cosembed.training import checkpoints


@dataclass(frozen=True)
class TrackingNetwork:
    """A trained network, ready to track videos. Made by `load_network`; it serves any number of videos.

    Attributes:
        model: The Keras model.
        spec: Every value of the network and of tracking.
        description: Where it comes from, in a phrase.
    """

    model: StackedHourglass
    spec: CellsSpec
    description: str

    @cached_property
    def stepper(self) -> FrameStepper:
        """Runs the network frame by frame; its one trace serves every video."""
        return FrameStepper(self.model)

    def spec_with(self, values: Mapping[str, Any]) -> CellsSpec:
        """Returns the network's spec with some values replaced, for example `{"tracking.min_points": 60}`."""
        return specs.override(self.spec, values)


def load_network(name_or_path: str | os.PathLike[str], dataset: str | None = None) -> TrackingNetwork:
    """Loads a trained network, for `track`.

    Args:
        name_or_path: The folder of a training run, one checkpoint of it (`RUN/checkpoints/step-2000`), or a
            network of the authors: a folder that `cosembed import-network` wrote, or the prefix of their
            checkpoint.
        dataset: For a network of the authors, and only for one: the data set whose values it is used with,
            for example `DIC-C2DH-HeLa`.

    Returns:
        The network with the values it was trained with.

    Raises:
        CheckpointError: No network is there, or it is damaged.
        InputError: A data set is missing, or given where none belongs.
        SpecError: An unknown data set, or a run of another task.

    >>> import cosembed
    >>> network = cosembed.load_network("runs/demo/test_02")
    >>> network.spec.dataset.name, network.spec.network.image_size
    ('simulated', 64)
    >>> cosembed.load_network("runs/demo/test_20")
    Traceback (most recent call last):
        ...
    cosembed.errors.CheckpointError: 'runs/demo/test_20' is neither the name of a network nor ...
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise InputError(f"network: is of type {type(name_or_path).__name__}; give the path of a network")
    path = Path(name_or_path)
    if _is_of_the_authors(path):
        return _load_released(path, dataset)
    if not path.exists() and not Path(f"{path}.index").exists():
        raise CheckpointError(
            f"'{path}' is neither the name of a network nor a run folder, a checkpoint or an "
            "imported network; check the path"
        )
    if dataset:
        raise InputError(
            f"--dataset: is for networks of the authors, and {path} is none; drop the flag "
            "(in Python dataset=)"
        )
    model, spec, step = checkpoints.load_network(path)
    trained = f"trained for {step} of {spec.training.iterations} steps"
    return TrackingNetwork(model, spec, f"{path}, {spec.dataset.name}, {trained}")


def _is_of_the_authors(path: Path) -> bool:
    return released.is_imported(path) or released.is_released(path)


def _load_released(path: Path, dataset: str | None) -> TrackingNetwork:
    if not dataset:
        known = ", ".join(specs.dataset_names("cells"))
        raise InputError(
            f"--dataset is missing (in Python dataset=): {path} is a network of the authors; "
            f"name one of {known}"
        )
    model = released.load_imported(path)
    spec = released.released_spec(model, dataset)
    if spec.network.variant == "mia2019":
        logging.warning("%s: %s", path, released.FOLLOW_UP)
    return TrackingNetwork(model, spec, f"{path}, {dataset}, the authors' network {released.source_of(path)}")

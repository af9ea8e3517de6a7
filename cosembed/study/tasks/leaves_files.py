"""Finds the plants of a fold, says where their results lie, and reads them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.leaves import Plant, find_plants
from cosembed.images.reading import read_image
from cosembed.specs import LeavesSpec
from cosembed.study.result_store import StoredResult, stored_result
from cosembed.study.settings import Settings


def plants_of(names: Iterable[str], spec: LeavesSpec, settings: Settings) -> list[Plant]:
    """Finds the named plants; reads no images."""
    wanted = set(names)
    return [plant for plant in find_plants(settings.data_dir / spec.dataset.name) if plant.name in wanted]


def segmented_result(folder: Path, spec: LeavesSpec, plant: str) -> StoredResult:
    """Gives the instances found in a plant; `folder` is that of the fold."""
    return stored_result(folder, f"{plant}_label.png", plant, spec)


def read_labels(result: StoredResult) -> NDArray[np.uint16]:
    """Reads the instances found in a plant, uint16 [H, W].

    Raises:
        DataError: They are not there yet, or damaged.
    """
    return np.asarray(read_image(result.require()), np.uint16)

"""Finds and checks images of plants, and splits them into folds. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from absl import logging
from numpy.typing import NDArray

from cosembed.datasets.leaves import SUBSET, Plant, find_plants
from cosembed.errors import DataError
from cosembed.simulation.leaves import write_plants
from cosembed.specs import LeavesSpec
from cosembed.study.folds import RECORD, Fold, named_folds, record_folds
from cosembed.study.settings import Settings
from cosembed.study.task import TaskStages

# From this share of the plant on, two images of the foreground are thought to be of different plants.
DIFFERENT_FOREGROUND = 0.01


@dataclass(frozen=True)
class LeavesSimulation:
    """Says which plants to simulate; the arguments of `write_plants`.

    Attributes:
        plants: How many.
        size: Side of the images in pixels.
        seed: Of the draw.
    """

    plants: int
    size: int
    seed: int


@dataclass(frozen=True)
class LeavesTask:
    """Segments the leaves of plants in still images (paper section 3, "Leaf Instance Segmentation").

    Attributes:
        simulation: Makes the data; None: they must be there.
        remedy: What a user whose data are absent should do.
    """

    simulation: LeavesSimulation | None = None
    remedy: str = "put them there"
    spec_class = LeavesSpec

    def prepare(self, spec: LeavesSpec, settings: Settings) -> None:
        """Simulates the plants where they are absent, or says where to ask for them.

        Raises:
            DataError: They are absent and can only be asked for.
        """
        root = settings.data_dir / spec.dataset.name
        values = self.simulation
        if values is None:
            if not root.exists():
                raise DataError(f"{root}: is missing; {self.remedy}")
        elif not (root / SUBSET).exists():
            logging.info(
                "%s: simulating %d plants of %d pixels, seed %d",
                root,
                values.plants,
                values.size,
                values.seed,
            )
            write_plants(root, values.plants, values.size, values.seed)

    def make_folds(self, spec: LeavesSpec, settings: Settings) -> list[Fold[str]]:
        """Splits labelled plants into folds.

        Raises:
            DataError: The plants come without labels.
        """
        root = settings.data_dir / spec.dataset.name
        plants = find_plants(root)
        if not plants[0].has_labels:
            raise DataError(
                f"{root}: its plants have no labels (plantNNN_label.png); give the training images of A1"
            )
        names = [plant.name for plant in plants]
        return named_folds(names, spec.dataset, root, recorded=settings.folder / RECORD)

    def check(self, folds: Sequence[Fold[str]], spec: LeavesSpec, settings: Settings, mode: str) -> None:
        """Reads every plant, one after the other, before anything is trained."""
        if mode not in ("prepare", "train", "all"):
            return
        for plant in find_plants(settings.data_dir / spec.dataset.name):
            plant.image()
            _compare_with_foreground(plant, plant.labels())

    def record_folds(self, folds: Sequence[Fold[str]], settings: Settings) -> None:
        """Writes down which plants each fold tests."""
        record_folds(folds, settings.folder / RECORD)

    def variant_spec(self, spec: LeavesSpec, variant: str) -> LeavesSpec:
        """Gives the spec itself: there is one network only."""
        return spec

    def stages(self) -> TaskStages[LeavesSpec, str]:
        """Loads what needs TensorFlow."""
        from cosembed.study.tasks.leaves_stages import LeavesStages

        return LeavesStages()


def _compare_with_foreground(plant: Plant, labels: NDArray[np.uint16]) -> None:
    """Warns if the archive's own image of the foreground does not fit the labels, which are what counts."""
    foreground = plant.foreground()
    if foreground is None:
        return
    share = np.count_nonzero(foreground != (labels > 0)) / np.count_nonzero(labels)
    if share > DIFFERENT_FOREGROUND:
        logging.warning(
            "%s: its foreground (fg) and its labels differ in %.0f %% of the plant; the labels are used, so "
            "see whether both are of this plant",
            plant.name,
            100 * share,
        )

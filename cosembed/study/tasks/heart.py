"""Finds and checks cine MR of the heart, and splits patients into folds. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from absl import logging

from cosembed.datasets.heart.readers import patient_names
from cosembed.errors import DataError
from cosembed.simulation.hearts import write_hearts
from cosembed.specs import HeartSpec
from cosembed.study.folds import RECORD, Fold, named_folds, record_folds
from cosembed.study.settings import Settings
from cosembed.study.task import TaskStages
from cosembed.study.tasks.heart_files import read_patients, variant_spec

VARIANTS = ("recurrent", "non-recurrent")


@dataclass(frozen=True)
class HeartsSimulation:
    """Says which hearts to simulate; the arguments of `write_hearts`.

    Attributes:
        patients: How many.
        frames: Frames of a heartbeat, all labelled.
        size: Side of the images in pixels.
        seed: Of the draw.
    """

    patients: int
    frames: int
    size: int
    seed: int


@dataclass(frozen=True)
class HeartTask:
    """Segments the left ventricle with a recurrent network and one that is not.

    The paper's section 3 describes it under "Left Ventricle Segmentation".

    Attributes:
        simulation: Makes the data; None: they must be there, as they cannot be downloaded.
        missing: Completes the sentence `DATA_DIR: ...` where they are absent.
    """

    simulation: HeartsSimulation | None = None
    missing: str = "holds no patients; put them there"
    spec_class = HeartSpec

    def prepare(self, spec: HeartSpec, settings: Settings) -> None:
        """Simulates the patients where they are absent, or says where to ask for them.

        Raises:
            DataError: They are absent and can only be asked for.
        """
        root, values = settings.data_dir / spec.dataset.name, self.simulation
        if root.is_dir():
            return
        if values is None:
            raise DataError(f"{settings.data_dir}: {self.missing}")
        logging.info("%s: simulating %d patients, seed %d", root, values.patients, values.seed)
        write_hearts(root, values.patients, values.frames, values.size, values.seed)

    def make_folds(self, spec: HeartSpec, settings: Settings) -> list[Fold[str]]:
        """Splits patients into folds, each for both networks."""
        root = settings.data_dir / spec.dataset.name
        names = patient_names(root, spec.dataset.layout)
        return named_folds(names, spec.dataset, root, VARIANTS, settings.folder / RECORD)

    def check(self, folds: Sequence[Fold[str]], spec: HeartSpec, settings: Settings, mode: str) -> None:
        """Reads every patient, one after the other, before anything is trained."""
        if mode not in ("prepare", "train", "all"):
            return
        for name in patient_names(settings.data_dir / spec.dataset.name, spec.dataset.layout):
            read_patients([name], spec, settings)

    def record_folds(self, folds: Sequence[Fold[str]], settings: Settings) -> None:
        """Writes down which patients each fold tests."""
        record_folds(folds, settings.folder / RECORD)

    def variant_spec(self, spec: HeartSpec, variant: str) -> HeartSpec:
        """Derives the spec of one of both networks."""
        return variant_spec(spec, variant)

    def stages(self) -> TaskStages[HeartSpec, str]:
        """Loads what needs TensorFlow."""
        from cosembed.study.tasks.heart_stages import HeartStages

        return HeartStages()

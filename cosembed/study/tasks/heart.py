"""Finds and checks cine MR of the heart, and splits patients into folds. Imports no TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cosembed.datasets.heart.readers import patient_names
from cosembed.errors import DataError
from cosembed.specs import HeartSpec
from cosembed.study.folds import RECORD, Fold, named_folds, record_folds
from cosembed.study.settings import Settings
from cosembed.study.task import TaskStages
from cosembed.study.tasks.heart_files import read_patients, variant_spec

VARIANTS = ("recurrent", "non-recurrent")


@dataclass(frozen=True)
class HeartTask:
    """Segments the left ventricle with a recurrent network and one that is not.

    The paper's section 3 describes it under "Left Ventricle Segmentation".

    Attributes:
        missing: Completes the sentence `DATA_DIR: ...` where the data, which cannot be downloaded, are
            absent.
    """

    missing: str
    spec_class = HeartSpec

    def prepare(self, spec: HeartSpec, settings: Settings) -> None:
        """Says where to ask for the data.

        Raises:
            DataError: They are absent.
        """
        if not (settings.data_dir / spec.dataset.name).is_dir():
            raise DataError(f"{settings.data_dir}: {self.missing}")

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

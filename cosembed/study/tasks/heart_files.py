"""Reads patients of a fold, says where their results lie, and derives the spec of both networks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cosembed import specs
from cosembed.datasets.heart.readers import read_slices
from cosembed.datasets.heart.slices import HeartSlice
from cosembed.specs import HeartSpec
from cosembed.study.result_store import StoredResult, stored_result
from cosembed.study.settings import Settings


def variant_spec(spec: HeartSpec, variant: str) -> HeartSpec:
    """Derives the spec of one of both networks (paper section 3).

    The recurrent network sees clips of consecutive frames, the other one batches of as many single frames.
    """
    if variant == "recurrent":
        return spec
    training = spec.training
    frames = training.batch_size * training.clip_length
    return specs.override(
        spec, {"network.recurrent": False, "training.batch_size": frames, "training.clip_length": 1}
    )


def read_patients(names: Iterable[str], spec: HeartSpec, settings: Settings) -> list[HeartSlice]:
    """Reads the slices of the named patients.

    Raises:
        DataError: A file that cannot be used.
    """
    root = settings.data_dir / spec.dataset.name
    return read_slices(root, spec.dataset.layout, spec.dataset.slices, set(names))


def segmented_result(folder: Path, spec: HeartSpec, patient: str) -> StoredResult:
    """Gives the classes found in a patient; `folder` and `spec` are those of the fold."""
    return stored_result(folder, f"{patient}.npz", patient, spec)

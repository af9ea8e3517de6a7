"""Defines whole specs, one class per task.

Everything in a spec decides the outcome of a run, in whose folder it is written as `spec.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cosembed.specs.sections import (
    AugmentationSpec,
    CellsDatasetSpec,
    ClusteringSpec,
    CommonDatasetSpec,
    HeartDatasetSpec,
    InstancesSpec,
    LeavesDatasetSpec,
    NetworkSpec,
    PreprocessingSpec,
    TrackingSpec,
    TrainingSpec,
    UpsamplingSpec,
)


@dataclass(frozen=True, kw_only=True)
class TrainedSpec:
    """Holds what every task needs to train a network."""

    recipe: Literal["paper", "released"]
    profile: str
    dataset: CommonDatasetSpec
    network: NetworkSpec
    preprocessing: PreprocessingSpec
    augmentation: AugmentationSpec
    training: TrainingSpec


@dataclass(frozen=True, kw_only=True)
class CellsSpec(TrainedSpec):
    """Holds the values of cells: instances tracked in videos (paper section 3, "Cell Instance Tracking")."""

    task: Literal["cells"] = "cells"
    dataset: CellsDatasetSpec
    instances: InstancesSpec
    tracking: TrackingSpec
    upsampling: UpsamplingSpec


@dataclass(frozen=True, kw_only=True)
class HeartSpec(TrainedSpec):
    """Holds the values of the heart: classes in cine MR (paper section 3, "Left Ventricle Segmentation").

    The network's outputs are the logits of the classes.
    """

    task: Literal["heart"] = "heart"
    dataset: HeartDatasetSpec


@dataclass(frozen=True, kw_only=True)
class LeavesSpec(TrainedSpec):
    """Holds the values of leaves: instances in images (paper section 3, "Leaf Instance Segmentation")."""

    task: Literal["leaves"] = "leaves"
    dataset: LeavesDatasetSpec
    instances: InstancesSpec
    clustering: ClusteringSpec


TASKS: dict[str, type[TrainedSpec]] = {
    "cells": CellsSpec,
    "heart": HeartSpec,
    "leaves": LeavesSpec,
}

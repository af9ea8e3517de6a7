"""Whole specs, one class per task. Everything in one decides the outcome of a run; it is written there as `spec.yaml`."""

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
    """What every task needs to train a network."""

    recipe: Literal["paper", "released"]
    profile: str
    dataset: CommonDatasetSpec
    network: NetworkSpec
    preprocessing: PreprocessingSpec
    augmentation: AugmentationSpec
    training: TrainingSpec


@dataclass(frozen=True, kw_only=True)
class CellsSpec(TrainedSpec):
    """Instance segmentation and tracking of videos (paper section 3, "Cell Instance Tracking")."""

    task: Literal["cells"] = "cells"
    dataset: CellsDatasetSpec
    instances: InstancesSpec
    tracking: TrackingSpec
    upsampling: UpsamplingSpec


@dataclass(frozen=True, kw_only=True)
class HeartSpec(TrainedSpec):
    """Semantic segmentation of cine MR (paper section 3, "Left Ventricle Segmentation"); outputs are the classes' logits."""

    task: Literal["heart"] = "heart"
    dataset: HeartDatasetSpec


@dataclass(frozen=True, kw_only=True)
class LeavesSpec(TrainedSpec):
    """Instance segmentation of still images (paper section 3, "Leaf Instance Segmentation")."""

    task: Literal["leaves"] = "leaves"
    dataset: LeavesDatasetSpec
    instances: InstancesSpec
    clustering: ClusteringSpec


TASKS: dict[str, type[TrainedSpec]] = {
    "cells": CellsSpec,
    "heart": HeartSpec,
    "leaves": LeavesSpec,
}

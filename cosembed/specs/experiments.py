"""Whole specs, one class per task. Everything in one decides the outcome of a run; it is written there as `spec.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cosembed.specs.sections import (
    AugmentationSpec,
    CineDatasetSpec,
    ClusteringSpec,
    CommonDatasetSpec,
    DatasetSpec,
    InstancesSpec,
    LeafDatasetSpec,
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
class ExperimentSpec(TrainedSpec):
    """Instance segmentation and tracking of videos (paper section 3, "Cell Instance Tracking")."""

    task: Literal["tracking"] = "tracking"
    dataset: DatasetSpec
    instances: InstancesSpec
    tracking: TrackingSpec
    upsampling: UpsamplingSpec


@dataclass(frozen=True, kw_only=True)
class SemanticSpec(TrainedSpec):
    """Semantic segmentation of cine MR (paper section 3, "Left Ventricle Segmentation"); outputs are the classes' logits."""

    task: Literal["semantic"] = "semantic"
    dataset: CineDatasetSpec


@dataclass(frozen=True, kw_only=True)
class LeafSpec(TrainedSpec):
    """Instance segmentation of still images (paper section 3, "Leaf Instance Segmentation")."""

    task: Literal["leaves"] = "leaves"
    dataset: LeafDatasetSpec
    instances: InstancesSpec
    clustering: ClusteringSpec


TASKS: dict[str, type[TrainedSpec]] = {
    "tracking": ExperimentSpec,
    "semantic": SemanticSpec,
    "leaves": LeafSpec,
}

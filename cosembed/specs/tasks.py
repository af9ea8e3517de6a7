"""Defines whole specs, one class per task.

Everything in a spec decides the outcome of a run, in whose folder it is written as `spec.yaml`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cosembed.errors import SpecError
from cosembed.specs.sections import (
    AugmentationSpec,
    CellsDatasetSpec,
    ClusteringSpec,
    CommonDatasetSpec,
    HeartDatasetSpec,
    InferenceSpec,
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

    recipe: Literal["paper", "released", "mia2019"]
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
    # Specs of runs that were made before there were tiles have no such section.
    inference: InferenceSpec = field(default_factory=InferenceSpec)

    def __post_init__(self) -> None:
        if not self.inference.tiled:
            return
        tile, overlap, deepest = self.tile_side, self.tile_overlap, 2 ** (self.network.levels - 1)
        if tile % deepest:
            raise SpecError(
                f"inference.tile is {tile}; a network of {self.network.levels} levels needs a multiple of "
                f"{deepest}"
            )
        if overlap >= tile:
            raise SpecError(f"inference.overlap is {overlap}; it must be below the tile's side, {tile}")

    @property
    def tile_side(self) -> int:
        """Returns the side of a tile at test time, in network pixels."""
        return self.inference.tile or self.network.image_size

    @property
    def tile_overlap(self) -> int:
        """Returns how many network pixels neighbouring tiles share at least."""
        return self.inference.overlap or self.tile_side // 2


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

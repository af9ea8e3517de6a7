"""Holds every value of an experiment, typed and frozen, and puts them together.

Knows no TensorFlow, reads no images.
"""

from cosembed.specs.overriding import TaskSpec, override, parse_assignments
from cosembed.specs.resolving import (
    PROFILE_KEYS,
    RECIPES,
    dataset_names,
    deviations_from_paper,
    dump,
    load,
    load_as,
    resolve,
    resolve_any,
    resolve_as,
    resolve_file,
)
from cosembed.specs.scaling import REFERENCE_SIZE
from cosembed.specs.sections import (
    AugmentationSpec,
    CellsDatasetSpec,
    ClusteringSpec,
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
from cosembed.specs.tasks import CellsSpec, HeartSpec, LeavesSpec, TrainedSpec

__all__ = [
    "PROFILE_KEYS",
    "RECIPES",
    "REFERENCE_SIZE",
    "AugmentationSpec",
    "CellsDatasetSpec",
    "CellsSpec",
    "ClusteringSpec",
    "HeartDatasetSpec",
    "HeartSpec",
    "InferenceSpec",
    "InstancesSpec",
    "LeavesDatasetSpec",
    "LeavesSpec",
    "NetworkSpec",
    "PreprocessingSpec",
    "TaskSpec",
    "TrackingSpec",
    "TrainedSpec",
    "TrainingSpec",
    "UpsamplingSpec",
    "dataset_names",
    "deviations_from_paper",
    "dump",
    "load",
    "load_as",
    "override",
    "parse_assignments",
    "resolve",
    "resolve_any",
    "resolve_as",
    "resolve_file",
]

"""Holds scores, and reads and writes them as metrics.json.

This module knows neither how scores are made nor how they are shown.

Every experiment's metrics.json says in the same keys what made its scores (`Provenance`); beside them are the
scores of its task. A fold's metrics.json holds the scores of that fold alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from cosembed import specs
from cosembed.baselines.tuning import TunedBaseline
from cosembed.errors import DataError, SpecError
from cosembed.files.reading import read_json, reason
from cosembed.files.writing import atomic_write_text
from cosembed.specs import TrainedSpec
from cosembed.specs.dataclass_mapping import from_mapping, to_mapping
from cosembed.study.settings import Settings

METRICS = "metrics.json"


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Says what made an experiment's scores.

    Attributes:
        experiment: The task: cells, heart or leaves.
        data: The data set's name.
        recipe: paper or released.
        profile: The profile's name.
        split: What trained and what was tested, in one phrase.
        command: The command line.
        deviations: Where the spec differs from the profile paper: (key, the paper's value, ours).
    """

    experiment: str
    data: str
    recipe: str
    profile: str
    split: str
    command: str
    deviations: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True, kw_only=True)
class FoldScores:
    """Says what a fold trained and tested; subclasses hold the scores of their task.

    Attributes:
        fold: The fold's name.
        train: What trained, separated by commas; empty where nothing did.
        test: What was tested.
    """

    fold: str
    train: str
    test: str


@dataclass(frozen=True, kw_only=True)
class ExperimentScores:
    """Says what made an experiment's scores; subclasses hold the scores of their task, named by `task`."""

    task: ClassVar[str]

    provenance: Provenance


@dataclass(frozen=True, kw_only=True)
class CtcMeasures:
    """Holds the measures of the Cell Tracking Challenge, 0 to 1.

    A measure is None where there was no truth to score with.
    """

    SEG: float | None = None
    DET: float | None = None
    TRA: float | None = None
    OP: float | None = None


@dataclass(frozen=True, kw_only=True)
class CtcScores(CtcMeasures):
    """Holds what `evaluate_ctc` finds: measures, the corrections behind TRA, and how much was scored.

    Attributes:
        NS, FN, FP, ED, EA, EC: Numbers of corrections, as `cosembed.metrics.ctc.ERROR_NAMES` explains them.
        frames: Of the result.
        seg_frames: With SEG truth.
        seg_objects: Masks of the SEG truth.
        tra_objects: Markers of the TRA truth.
        evaluator: The program that scored, with its version.
    """

    NS: int | None = None
    FN: int | None = None
    FP: int | None = None
    ED: int | None = None
    EA: int | None = None
    EC: int | None = None
    frames: int
    seg_frames: int
    seg_objects: int | None = None
    tra_objects: int | None = None
    evaluator: str


@dataclass(frozen=True, kw_only=True)
class CellsFoldScores(FoldScores, CtcScores):
    """Holds the scores of one tested video, and those of the classical baseline on it.

    Attributes:
        baseline: The baseline's scores.
        baseline_tuned: The baseline's values, found on the frames that train; None where nothing trained.
        before: The scores of the network that the training started from; None where it started from nothing.
    """

    baseline: CtcScores
    baseline_tuned: TunedBaseline | None = None
    before: CtcScores | None = None


@dataclass(frozen=True, kw_only=True)
class CellsScores(ExperimentScores, CtcMeasures):
    """Holds the scores of one data set of cells; SEG, DET, TRA and OP are means over the folds.

    Attributes:
        baseline: The same means for the classical baseline; None where it was not scored.
        protocol: A name of `protocols.PROTOCOLS`.
        of_authors: Whether the network is one that the authors trained.
        folds: The scores of every fold.
        start_from: The network that the training started from; None: from nothing.
        before: The same means for that network, on the same frames and with the same values.
    """

    task: ClassVar[str] = "cells"

    baseline: CtcMeasures | None = None
    protocol: str
    of_authors: bool = False
    folds: tuple[CellsFoldScores, ...] = ()
    start_from: str | None = None
    before: CtcMeasures | None = None


@dataclass(frozen=True, kw_only=True)
class HeartIou:
    """Holds the IoU of both classes in one patient, 0 to 1.

    A class is None where neither truth nor result has it.
    """

    myocardium: float | None
    cavity: float | None


@dataclass(frozen=True, kw_only=True)
class HeartFoldScores(FoldScores):
    """Holds the IoU of every test patient.

    Attributes:
        warmed: After one heartbeat that warmed the network's state.
        unwarmed: From a state of zero; of recurrent networks only.
        labels_per_step: How many labelled frames a training step saw on average; None: not recorded.
    """

    warmed: dict[str, HeartIou]
    unwarmed: dict[str, HeartIou] = field(default_factory=dict)
    labels_per_step: float | None = None


@dataclass(frozen=True, kw_only=True)
class HeartVariantScores:
    """Holds the IoU of every patient that one network was tested on; as in `HeartFoldScores`.

    Attributes:
        patients: After one heartbeat that warmed the network's state.
        unwarmed: From a state of zero; of the recurrent network only.
        labels_per_step: How many labelled frames a training step saw, mean over folds; None: not recorded.
    """

    patients: dict[str, HeartIou]
    unwarmed: dict[str, HeartIou] = field(default_factory=dict)
    labels_per_step: float | None = None


@dataclass(frozen=True, kw_only=True)
class HeartDifference:
    """Compares the two networks in one class.

    Attributes:
        difference: Recurrent minus non-recurrent IoU, mean over patients.
        p: Of the test.
        patients: How many both networks have a score of.
        test: The test's name.
        by_seed: The difference of every seed where a patient's is the mean over several; otherwise empty.
    """

    difference: float
    p: float
    patients: int
    test: str
    by_seed: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class HeartScores(ExperimentScores):
    """Holds the scores of the variants `recurrent` and `non-recurrent`, and their difference by class."""

    task: ClassVar[str] = "heart"

    variants: dict[str, HeartVariantScores]
    comparison: dict[str, HeartDifference]

    def patients(self) -> set[str]:
        """Names every patient that some network was tested on."""
        return {name for variant in self.variants.values() for name in variant.patients}


@dataclass(frozen=True, kw_only=True)
class LeafMeasures:
    """Holds the measures of the leaves found in one plant.

    Attributes:
        SBD: Symmetric best Dice, 0 to 1.
        DiC: Difference in count, found minus true leaves.
        FBD: Dice of the foreground, 0 to 1.
    """

    SBD: float
    DiC: int
    FBD: float


@dataclass(frozen=True, kw_only=True)
class PlantScores(LeafMeasures):
    """Holds the scores of one plant, and those of the classical baseline on it."""

    baseline: LeafMeasures


@dataclass(frozen=True, kw_only=True)
class LeavesFoldScores(FoldScores):
    """Holds the scores of every test plant."""

    images: dict[str, PlantScores]


@dataclass(frozen=True, kw_only=True)
class LeavesScores(ExperimentScores):
    """Holds the scores of every plant that was tested, at least one.

    Raises:
        SpecError: There is none.
    """

    task: ClassVar[str] = "leaves"

    images: dict[str, PlantScores]

    def __post_init__(self) -> None:
        if not self.images:
            raise SpecError("the scores: no plant was tested; test one")


OfFold = TypeVar("OfFold", bound=FoldScores)
OfExperiment = TypeVar("OfExperiment", bound=ExperimentScores)


def provenance_of(task: str, split: str, spec: TrainedSpec, settings: Settings) -> Provenance:
    """Says what makes scores now; `split` is a phrase on what trains and what is tested."""
    return Provenance(
        experiment=task,
        data=spec.dataset.name,
        recipe=spec.recipe,
        profile=spec.profile,
        split=split,
        command=settings.command,
        deviations=tuple(specs.deviations_from_paper(spec)),
    )


def write_fold_scores(folder: Path, scores: FoldScores) -> None:
    """Writes the metrics.json of a fold's folder."""
    atomic_write_text(folder / METRICS, json.dumps(to_mapping(scores), indent=1) + "\n")


def read_fold_scores(kind: type[OfFold], folders: Iterable[Path]) -> list[OfFold]:
    """Reads the scores of those folds that have any.

    Raises:
        DataError: One is damaged.
    """
    return [
        _read(kind, _mapping(folder / METRICS), folder / METRICS)
        for folder in folders
        if (folder / METRICS).exists()
    ]


def as_mapping(scores: ExperimentScores) -> dict[str, Any]:
    """Turns scores into what metrics.json holds: the scores, then what made them, in one flat mapping."""
    mapping = to_mapping(scores)
    return mapping | mapping.pop("provenance")


def write_scores(folder: Path, scores: ExperimentScores) -> None:
    """Writes the metrics.json of an experiment's folder."""
    atomic_write_text(folder / METRICS, json.dumps(as_mapping(scores), indent=1) + "\n")


def read_scores(kind: type[OfExperiment], path: Path) -> OfExperiment:
    """Reads an experiment's metrics.json.

    Raises:
        DataError: It is absent, damaged, or of another task.
    """
    if not path.exists():
        raise DataError(f"{path}: there are no scores to report; run --mode=evaluate first")
    content = _mapping(path)
    provenance = {
        key: content.pop(key) for key in [entry.name for entry in fields(Provenance)] if key in content
    }
    scores = _read(kind, content | {"provenance": provenance}, path)
    if scores.provenance.experiment != kind.task:
        raise _not_metrics(path, f"they are of {scores.provenance.experiment}, not of {kind.task}")
    return scores


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise _not_metrics(path, reason(error)) from error
    if not isinstance(content, dict):
        raise _not_metrics(path, "it is no JSON object")
    return content


Kind = TypeVar("Kind")


def _read(kind: type[Kind], content: dict[str, Any], path: Path) -> Kind:
    try:
        return from_mapping(kind, content, "it")
    except SpecError as error:
        # The remedy of a spec is not that of a metrics.json.
        raise _not_metrics(path, str(error).partition(": ")[2].partition(";")[0]) from error


def _not_metrics(path: Path, why: str) -> DataError:
    return DataError(f"{path}: is not the metrics of this experiment ({why}); run --mode=evaluate again")

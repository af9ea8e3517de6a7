"""Trains on, segments and scores cine MR of the heart.

This module knows the files of a fold, not how data are found or reports look.

Files of a fold, below <out_dir>/<experiment>/<variant>/<fold>/: the training run as in any experiment, and

    results/<patient>.npz       classes found, uint8 [T, H, W] per slice: warmed, and unwarmed if recurrent
    results/<patient>.json      what made them
    metrics.json                IoU of every patient
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from absl import logging
from numpy.typing import NDArray

from cosembed.batches.heart_clips import HeartClipSource, labels_per_step
from cosembed.datasets.heart.slices import CLASSES, HeartSlice, patients
from cosembed.inference.images import segment_cycle
from cosembed.inference.stepper import FrameStepper
from cosembed.metrics import iou_per_class
from cosembed.models import StackedHourglass
from cosembed.specs import HeartSpec
from cosembed.study.folds import Fold
from cosembed.study.heart_comparison import compare
from cosembed.study.result_store import read_arrays, write_arrays
from cosembed.study.scores import (
    HeartFoldScores,
    HeartIou,
    HeartScores,
    HeartVariantScores,
    provenance_of,
    read_fold_scores,
)
from cosembed.study.settings import Settings
from cosembed.study.tables.reported import Reported
from cosembed.study.tasks import heart_report
from cosembed.study.tasks.heart_files import read_patients, segmented_result
from cosembed.study.training_pictures import Outputs, class_picture


class HeartStages:
    """Does the stages of the task `heart`, as `TaskStages` describes them."""

    def describe_training(self, fold: Fold[str]) -> str:
        """Counts the patients that train."""
        return f"{len(fold.train)} patients"

    def make_source(self, fold: Fold[str], spec: HeartSpec, settings: Settings) -> HeartClipSource:
        """Reads the patients that train."""
        slices = read_patients(fold.train, spec, settings)
        return HeartClipSource(slices, spec, spec.training.seed, settings.augment)

    def training_picture(self, outputs: Outputs, batch: Mapping[str, tf.Tensor]) -> NDArray[np.uint8]:
        """Draws input, classes found and true classes."""
        return class_picture(outputs, batch)

    def predict(self, model: StackedHourglass, fold: Fold[str], spec: HeartSpec, settings: Settings) -> None:
        """Segments every frame of the test patients.

        A recurrent network goes round the heartbeat twice: the first time warms its state, the second is the
        result.
        """
        stepper = FrameStepper(model, normalise=False)
        slices = read_patients(fold.test, spec, settings)
        for patient in patients(slices):
            result = segmented_result(settings.folder / fold.name, spec, patient)
            if result.is_complete():
                continue
            begin = time.perf_counter()
            arrays = {}
            for cine in slices:
                if cine.patient == patient:
                    for name, classes in segment_cycle(stepper, cine, spec).items():
                        arrays[f"slice_{cine.index}_{name}"] = classes
            write_arrays(result.path, arrays)
            result.complete({"segmentation": round(time.perf_counter() - begin, 2)})
        logging.info("%s: segmented %d patients", fold.name, len(fold.test))

    def evaluate(self, fold: Fold[str], spec: HeartSpec, settings: Settings) -> HeartFoldScores:
        """Scores every test patient."""
        slices = read_patients(fold.test, spec, settings)
        scores: dict[str, dict[str, HeartIou]] = {"warmed": {}, "unwarmed": {}}
        for patient in patients(slices):
            found = read_arrays(segmented_result(settings.folder / fold.name, spec, patient).require())
            own = [cine for cine in slices if cine.patient == patient]
            for kind, scored in scores.items():
                if f"slice_{own[0].index}_{kind}" in found:
                    classes = [found[f"slice_{cine.index}_{kind}"] for cine in own]
                    scored[patient] = score_patient(own, classes)
        means = ", ".join(f"{name} {_mean(scores['warmed'], name):.3f}" for name in CLASSES)
        logging.info("%s: %s", fold.name, means)
        # One patient after the other: of those that trained, only this is needed.
        labelled = (
            cine.labelled for patient in fold.train for cine in read_patients([patient], spec, settings)
        )
        return HeartFoldScores(
            fold=fold.name,
            train=", ".join(fold.train),
            test=", ".join(fold.test),
            labels_per_step=labels_per_step(labelled, spec),
            **scores,
        )

    def collect(self, folds: Sequence[Fold[str]], spec: HeartSpec, settings: Settings) -> HeartScores | None:
        """Puts every patient's scores of both networks together, and compares the networks."""
        scored: dict[str, list[HeartFoldScores]] = {}
        for fold in folds:
            for scores in read_fold_scores(HeartFoldScores, [settings.folder / fold.name]):
                scored.setdefault(fold.variant, []).append(scores)
        if not scored:
            return None
        dataset, tested = spec.dataset, len({fold.number for fold in folds})
        split = (
            f"{dataset.fold_count} folds by patient, {tested} of them tested; {dataset.slices} central slices"
        )
        variants = {name: _together(entries) for name, entries in scored.items()}
        return HeartScores(
            # Of the common spec: that one of the networks is not recurrent is no deviation.
            provenance=provenance_of("heart", split, spec, settings),
            variants=variants,
            comparison=compare(variants),
        )

    def report(
        self, folds: Sequence[Fold[str]], spec: HeartSpec, settings: Settings, reported: Reported
    ) -> None:
        """Writes table and report."""
        heart_report.write_heart_report(folds, spec, settings, reported.heart)


def score_patient(slices: Sequence[HeartSlice], found: Sequence[NDArray[np.uint8]]) -> HeartIou:
    """Scores a patient over all pixels of all labelled frames of all its slices.

    Args:
        slices: The patient's slices, at least one.
        found: The classes found in each, uint8 [T, H, W].
    """
    truth = np.concatenate([cine.labels[cine.labelled].ravel() for cine in slices])
    ours = np.concatenate(
        [classes[cine.labelled].ravel() for cine, classes in zip(slices, found, strict=True)]
    )
    scores = iou_per_class(ours, truth, CLASSES.values())
    known = {name: None if np.isnan(scores[label]) else scores[label] for name, label in CLASSES.items()}
    return HeartIou(**known)


def _together(folds: Sequence[HeartFoldScores]) -> HeartVariantScores:
    """Puts the folds of one network together."""
    labels = [fold.labels_per_step for fold in folds if fold.labels_per_step is not None]
    return HeartVariantScores(
        patients={name: scores for fold in folds for name, scores in fold.warmed.items()},
        unwarmed={name: scores for fold in folds for name, scores in fold.unwarmed.items()},
        labels_per_step=float(np.mean(labels)) if labels else None,
    )


def _mean(scores: Mapping[str, HeartIou], name: str) -> float:
    known = [value for patient in scores.values() if (value := getattr(patient, name)) is not None]
    return float(np.mean(known)) if known else float("nan")

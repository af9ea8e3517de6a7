"""Trains on, segments and scores images of plants.

This module knows the files of a fold, not how data are found or reports look.

Files of a fold, below <out_dir>/<experiment>/<fold>/: the training run as in any experiment, and

    results/<plant>_label.png   instances at the image's size, 16-bit grey
    results/<plant>.json        what made them
    metrics.json                SBD, difference in count and foreground Dice of every plant, ours and the
                                classical baseline's
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import imagecodecs
import numpy as np
import tensorflow as tf
from absl import logging
from numpy.typing import NDArray

from cosembed.baselines.leaves import segment_leaves
from cosembed.batches.clips import ClipSource
from cosembed.datasets.annotated_video import AnnotatedVideo
from cosembed.datasets.leaves import Plant
from cosembed.files.writing import atomic_write_bytes
from cosembed.inference.images import segment_image
from cosembed.inference.stepper import FrameStepper
from cosembed.metrics import difference_in_count, foreground_dice, symmetric_best_dice
from cosembed.models import StackedHourglass
from cosembed.specs import LeavesSpec
from cosembed.study.folds import Fold
from cosembed.study.scores import (
    LeafMeasures,
    LeavesFoldScores,
    LeavesScores,
    PlantScores,
    provenance_of,
    read_fold_scores,
)
from cosembed.study.settings import Settings
from cosembed.study.tables.reported import Reported
from cosembed.study.tasks import leaves_report
from cosembed.study.tasks.leaves_files import plants_of, read_labels, segmented_result
from cosembed.study.training_pictures import Outputs, embedding_picture


class LeavesStages:
    """Does the stages of the task `leaves`, as `TaskStages` describes them."""

    def describe_training(self, fold: Fold[str]) -> str:
        """Counts the plants that train."""
        return f"{len(fold.train)} plants"

    def make_source(self, fold: Fold[str], spec: LeavesSpec, settings: Settings) -> ClipSource:
        """Reads the plants that train."""
        videos = [as_video(plant) for plant in plants_of(fold.train, spec, settings)]
        return ClipSource(videos, spec, spec.training.seed, settings.augment)

    def training_picture(self, outputs: Outputs, batch: Mapping[str, tf.Tensor]) -> NDArray[np.uint8]:
        """Draws input, embeddings and true instances."""
        return embedding_picture(outputs, batch)

    def predict(self, model: StackedHourglass, fold: Fold[str], spec: LeavesSpec, settings: Settings) -> None:
        """Segments the test plants, each by itself."""
        stepper = FrameStepper(model)
        for plant in plants_of(fold.test, spec, settings):
            result = segmented_result(settings.folder / fold.name, spec, plant.name)
            if not result.is_complete():
                begin = time.perf_counter()
                labels = segment_image(stepper, plant.image(), spec)
                atomic_write_bytes(result.path, bytes(imagecodecs.png_encode(labels)))
                result.complete({"segmentation": round(time.perf_counter() - begin, 2)})
        logging.info("%s: segmented %d plants", fold.name, len(fold.test))

    def evaluate(self, fold: Fold[str], spec: LeavesSpec, settings: Settings) -> LeavesFoldScores:
        """Scores every test plant at its image's size."""
        scores = {}
        for plant in plants_of(fold.test, spec, settings):
            result = segmented_result(settings.folder / fold.name, spec, plant.name)
            truth, found, baseline = plant.labels(), read_labels(result), segment_leaves(plant.image())
            scores[plant.name] = PlantScores(
                **_measures(found, truth), baseline=LeafMeasures(**_measures(baseline, truth))
            )
        _log_means(f"{fold.name}, ours", list(scores.values()))
        _log_means(f"{fold.name}, baseline", [entry.baseline for entry in scores.values()])
        return LeavesFoldScores(
            fold=fold.name, train=", ".join(fold.train), test=", ".join(fold.test), images=scores
        )

    def collect(
        self, folds: Sequence[Fold[str]], spec: LeavesSpec, settings: Settings
    ) -> LeavesScores | None:
        """Puts the scores of every plant that was tested together."""
        scored = read_fold_scores(LeavesFoldScores, (settings.folder / fold.name for fold in folds))
        if not scored:
            return None
        split = f"{spec.dataset.fold_count} folds of plants, {len(folds)} of them tested"
        return LeavesScores(
            provenance=provenance_of("leaves", split, spec, settings),
            images={name: scores for fold in scored for name, scores in fold.images.items()},
        )

    def report(
        self, folds: Sequence[Fold[str]], spec: LeavesSpec, settings: Settings, reported: Reported
    ) -> None:
        """Writes table and report."""
        leaves_report.write_leaves_report(folds, spec, settings, reported.leaves)


def _measures(found: NDArray, truth: NDArray) -> dict[str, Any]:
    return {
        "SBD": symmetric_best_dice(found, truth),
        "DiC": difference_in_count(found, truth),
        "FBD": foreground_dice(found, truth),
    }


def _log_means(title: str, scores: Sequence[LeafMeasures]) -> None:
    dice, counts, foreground = (
        np.array([getattr(entry, name) for entry in scores]) for name in ("SBD", "DiC", "FBD")
    )
    means = dice.mean(), np.abs(counts).mean(), counts.mean(), foreground.mean()
    logging.info("%s: SBD %.3f, |DiC| %.2f, DiC %+.2f, FBD %.3f", title, *means)


def as_video(plant: Plant) -> AnnotatedVideo:
    """Reads a still image as a video of one frame, all of it labelled."""
    image, labels = plant.image(), plant.labels()
    return AnnotatedVideo(
        name=plant.name,
        frames=[image],
        labels=labels[None],
        complete=np.ones(1, bool),
        loss_mask=np.ones(labels.shape, bool),
        tracks=(),
        segments=((0, 1),),
    )

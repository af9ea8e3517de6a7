"""Trains on, tracks and scores videos of cells.

This module knows the files of a fold, not how data are found or reports look.

Files of a fold, below <out_dir>/<experiment>/<fold>/:

    spec.yaml, versions.json, history.csv, checkpoints/, tensorboard/     the training run
    results/<video>_RES/            masks, res_track.txt, tracks.csv; results/<video>.json says what made them
    results/<video>_samples.npz     embeddings of a few frames, for pictures
    truth/<video>_GT/, baseline/<video>_RES/                              what results are compared with
    before/results/<video>_RES/     what the network that the training started from makes of the same frames
    baseline/<video>_RES.json       the baseline's values, tuned on the frames that train
    metrics.json                    scores of the fold
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging
from numpy.typing import NDArray

from cosembed.batches.clips import ClipSource
from cosembed.datasets.ctc.reader import cut_video, read_annotated_video, write_truth_cut
from cosembed.files.writing import remove_folder
from cosembed.inference.stepper import FrameStepper
from cosembed.inference.video import track_video
from cosembed.metrics import evaluate_ctc
from cosembed.models import StackedHourglass
from cosembed.specs import CellsSpec
from cosembed.study.folds import Fold
from cosembed.study.protocols import VideoRange, describe_split
from cosembed.study.result_store import write_arrays
from cosembed.study.scores import (
    CellsFoldScores,
    CellsScores,
    CtcMeasures,
    CtcScores,
    provenance_of,
    read_fold_scores,
)
from cosembed.study.settings import Settings
from cosembed.study.starting import starting_network, starting_weights
from cosembed.study.tables.layout import number
from cosembed.study.tables.reported import Reported
from cosembed.study.tasks import cells_report
from cosembed.study.tasks.cells_baseline import make_baseline
from cosembed.study.tasks.cells_files import (
    compared_with,
    frames_of,
    result_before,
    samples_file,
    tracked_result,
)
from cosembed.study.training_pictures import Outputs, embedding_picture

SAMPLES = 4
MEASURES = tuple(field.name for field in dataclasses.fields(CtcMeasures))


class CellsStages:
    """Does the stages of the task `cells`, as `TaskStages` describes them."""

    def describe_training(self, fold: Fold[VideoRange]) -> str:
        """Names the videos that train."""
        return ", ".join(map(str, fold.train))

    def make_source(self, fold: Fold[VideoRange], spec: CellsSpec, settings: Settings) -> ClipSource:
        """Reads the videos that train."""
        videos = [
            cut_video(read_annotated_video(frames.root, frames.video, spec.dataset), frames.begin, frames.end)
            for frames in fold.train
        ]
        return ClipSource(videos, spec, spec.training.seed, settings.augment)

    def training_picture(self, outputs: Outputs, batch: Mapping[str, tf.Tensor]) -> NDArray[np.uint8]:
        """Draws input, embeddings and true instances."""
        return embedding_picture(outputs, batch)

    def predict(
        self, model: StackedHourglass, fold: Fold[VideoRange], spec: CellsSpec, settings: Settings
    ) -> None:
        """Tracks the test videos; a complete result of the same network and values is kept."""
        folder, stepper = settings.folder / fold.name, FrameStepper(model)
        for tested in fold.test:
            result = tracked_result(folder, spec, tested)
            if result.is_complete():
                logging.info("%s: complete, kept", result.path)
                continue
            result.discard()
            # What it is compared with may be of other frames.
            for made_before in compared_with(folder, tested):
                remove_folder(made_before)
            frames = frames_of(tested)
            logging.info("%s: tracking %d frames to %s", tested, len(frames), result.path)
            sampled = np.linspace(0, len(frames) - 1, SAMPLES).round().astype(int).tolist()
            tracked = track_video(stepper, frames, spec, result.path, sampled)
            for warning in tracked.warnings:
                logging.warning("%s: %s", tested, warning)
            samples = {str(index): array.astype(np.float16) for index, array in tracked.samples.items()}
            write_arrays(samples_file(folder, tested), samples)
            step = spec.training.iterations
            result.complete(tracked.seconds, step=step, frames=tracked.frames, tracks=tracked.tracks)
        if settings.start_from is not None and fold.scored:
            _track_before(settings.start_from, folder, fold, spec)

    def evaluate(self, fold: Fold[VideoRange], spec: CellsSpec, settings: Settings) -> CellsFoldScores:
        """Scores the result, and that of the classical baseline, against the truth of the tested frames."""
        folder, (tested, *_) = settings.folder / fold.name, fold.test
        result = tracked_result(folder, spec, tested).require()
        truth, baseline = compared_with(folder, tested)
        if not truth.exists():
            write_truth_cut(tested.root, tested.video, tested.begin, tested.end, truth)
        tuned = make_baseline(fold, tested, baseline)
        before = None
        if settings.start_from is not None:
            before = CtcScores(**_score(result_before(folder, spec, tested).require(), truth))
        scores = CellsFoldScores(
            fold=fold.name,
            train=", ".join(map(str, fold.train)),
            test=", ".join(map(str, fold.test)),
            baseline=CtcScores(**_score(baseline, truth)),
            baseline_tuned=tuned,
            before=before,
            **_score(result, truth),
        )
        values = ", ".join(f"{name} {number(getattr(scores, name))}" for name in MEASURES)
        logging.info("%s: %s", fold.name, values)
        return scores

    def collect(
        self, folds: Sequence[Fold[VideoRange]], spec: CellsSpec, settings: Settings
    ) -> CellsScores | None:
        """Takes the means over the folds that have scores; None if none has."""
        scored = read_fold_scores(CellsFoldScores, (settings.folder / fold.name for fold in folds))
        if not scored:
            return None
        before = [fold.before for fold in scored if fold.before is not None]
        start = settings.start_from and starting_weights(settings.start_from, spec.network).source
        return CellsScores(
            provenance=provenance_of("cells", describe_split(folds, settings.protocol), spec, settings),
            protocol=settings.protocol,
            of_authors=settings.checkpoints is not None,
            folds=tuple(scored),
            baseline=CtcMeasures(**_means([fold.baseline for fold in scored])),
            start_from=start,
            before=CtcMeasures(**_means(before)) if before else None,
            **_means(scored),
        )

    def report(
        self, folds: Sequence[Fold[VideoRange]], spec: CellsSpec, settings: Settings, reported: Reported
    ) -> None:
        """Writes table and report."""
        cells_report.write_cells_report(folds, spec, settings, reported.cells)


def _track_before(start_from: str, folder: Path, fold: Fold[VideoRange], spec: CellsSpec) -> None:
    """Tracks the test videos with the network that the training started from and the values of the run."""
    results = [(tested, result_before(folder, spec, tested)) for tested in fold.test]
    absent = [(tested, result) for tested, result in results if not result.is_complete()]
    if not absent:
        return
    stepper = FrameStepper(starting_network(start_from, spec))
    for tested, result in absent:
        result.discard()
        logging.info(
            "%s: tracking to %s with the network that the training started from", tested, result.path
        )
        tracked = track_video(stepper, frames_of(tested), spec, result.path)
        result.complete(tracked.seconds, frames=tracked.frames, tracks=tracked.tracks)


def _score(result: Path, truth: Path) -> dict[str, Any]:
    """Scores a result; gives the arguments of `CtcScores`."""
    found = evaluate_ctc(result, truth)
    known = {field.name for field in dataclasses.fields(CtcScores)}
    scores = {name: value for name, value in found.items() if name in known}
    return scores | {"evaluator": f"py-ctcmetrics {found['py-ctcmetrics']}"}


def _means(scored: Iterable[CtcMeasures]) -> dict[str, float | None]:
    """Takes the mean of every measure over the folds that have it."""
    means: dict[str, float | None] = {}
    for name in MEASURES:
        known = [value for scores in scored if (value := getattr(scores, name)) is not None]
        means[name] = sum(known) / len(known) if known else None
    return means

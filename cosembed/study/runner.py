"""Runs the steps of an experiment: prepare, train, predict, evaluate, report.

Knows every other part of the package by its public functions; holds no method and no numbers of its own. Every step can
be started again: what is complete is kept, what is not is made anew or continued.
"""

from __future__ import annotations

import importlib
from typing import Any, TypeVar

from absl import logging

from cosembed.datasets.ctc.validation import check_frames, check_truth, require_valid
from cosembed.datasets.fetch import fetch
from cosembed.errors import DataError, InputError
from cosembed.images.frames import open_frames
from cosembed.requirements import check_tensorflow
from cosembed.specs import CellsSpec, TrainedSpec
from cosembed.study import protocols as protocol
from cosembed.study.experiment import Experiment, Settings
from cosembed.study.folds import RECORD, record_folds
from cosembed.study.protocols import Fold
from cosembed.study.run_log import run_log

AnyFold = TypeVar("AnyFold")
MODES = ("prepare", "train", "predict", "evaluate", "report")


def run_experiment(experiment: Experiment, mode: str, spec: TrainedSpec, settings: Settings) -> None:
    """Runs one step, or all of them, for all folds asked for.

    Raises:
        InputError: Data, flags or folders that cannot be used; nothing of the user's is overwritten.
    """
    if mode not in (*MODES, "all"):
        raise InputError(f"--mode={mode}: choose one of {', '.join(MODES)} or all")
    _prepare(experiment, spec, settings)
    if experiment.make_folds is None:
        assert isinstance(spec, CellsSpec)
        folds: list[Any] = make_folds(spec, settings)
        check_videos(folds, mode)
    else:
        named = experiment.make_folds(spec, settings)
        wanted = choose_fold(sorted({fold.number for fold in named}), settings.fold)
        folds = [fold for fold in named if fold.number in wanted]
    if experiment.check is not None and mode in ("prepare", "train", "all"):
        experiment.check(spec, settings)
    if mode == "prepare":
        logging.info("%s: ready (%s)", spec.dataset.name, ", ".join(fold.name for fold in folds))
        return
    # TensorFlow is imported only once the input has been found in order.
    check_tensorflow()
    from cosembed.training.devices import make_deterministic

    steps = importlib.import_module(experiment.steps)
    if settings.deterministic:
        make_deterministic()
    chosen = MODES[1:] if mode == "all" else (mode,)
    if settings.checkpoints is not None:
        spec = steps.fit_released(spec, settings.checkpoints)
    with run_log(settings.folder):
        if experiment.make_folds is not None:
            record_folds(named, settings.folder / RECORD)
        for fold in folds:
            for name in ("train", "predict", "evaluate"):
                if name in chosen:
                    getattr(steps, name)(fold, spec, settings)
        if "evaluate" in chosen:
            steps.collect(folds, spec, settings)
        if "report" in chosen:
            steps.report(folds, spec, settings)


def make_folds(spec: CellsSpec, settings: Settings) -> list[Fold]:
    """The folds of the protocol for videos in the challenge's layout, from the videos that are there.

    Raises:
        DataError: No annotated video, or frames that cannot be used.
        InputError: Frame ranges or a fold number that do not fit.
    """
    dataset = spec.dataset
    root = settings.data_dir / dataset.name
    annotated = [video for video in dataset.videos if (root / f"{video}_GT").is_dir()]
    if not annotated:
        raise DataError(
            f"{root}: no annotated video ({', '.join(f'{v} and {v}_GT' for v in dataset.videos)}); add one"
        )
    lengths = {video: len(open_frames(root / video)) for video in annotated}
    if settings.checkpoints is not None and (settings.train_frames or settings.test_frames):
        raise InputError("--train_frames and --test_frames: with --checkpoints nothing trains; drop them")
    if settings.protocol == "crossval" and settings.checkpoints is not None:
        folds = protocol.released_folds(root, lengths)
    elif settings.protocol == "crossval":
        folds = protocol.crossval_folds(root, lengths, settings.train_frames, settings.test_frames)
    else:
        test_root = fetch(dataset, settings.data_dir, settings.base_url, kind="test")
        test_lengths = {video: len(open_frames(test_root / video)) for video in dataset.videos}
        trained = lengths if settings.checkpoints is None else {}
        folds = [protocol.submission_fold(root, trained, test_root, test_lengths)]
    return choose_fold(folds, settings.fold)


def check_videos(folds: list[Fold], mode: str) -> None:
    """Reads the frames and the truth that a step works on: the checks of `cosembed.commands.validate`, before hours of work.

    Raises:
        DataError: Names the first fault of a folder, and how many more there are.
    """
    trained = {
        part.root / part.video for fold in folds for part in fold.train if mode in ("prepare", "train", "all")
    }
    tested = {
        part.root / part.video
        for fold in folds
        for part in fold.test
        if mode in ("prepare", "predict", "evaluate", "all")
    }
    scored = tested & {
        part.root / part.video for fold in folds for part in fold.test if fold.scored and mode != "predict"
    }
    for frames in sorted(trained | tested):
        require_valid(frames, check_frames(frames))
    for frames in sorted(trained | scored):
        truth = frames.with_name(f"{frames.name}_GT")
        require_valid(truth, check_truth(truth, frames, warnings=False))


def choose_fold(folds: list[AnyFold], number: int | None) -> list[AnyFold]:
    """All folds, or the one asked for; raises `InputError` if there is no such fold."""
    if number is None:
        return folds
    if number >= len(folds):
        raise InputError(
            f"--fold={number}: there are {len(folds)} folds, counted from 0; choose a smaller number"
        )
    return [folds[number]]


def _prepare(experiment: Experiment, spec: TrainedSpec, settings: Settings) -> None:
    if experiment.prepare is not None:
        experiment.prepare(spec.dataset, settings.data_dir)
    else:
        assert isinstance(spec, CellsSpec)
        fetch(spec.dataset, settings.data_dir, settings.base_url)

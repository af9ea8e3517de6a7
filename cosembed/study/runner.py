"""Runs the stages of an experiment: prepare, train, predict, evaluate, report.

This module knows no flags, no method and no numbers.

Every stage can be started again: what is complete is kept, what is not is made anew or continued.
"""

from __future__ import annotations

from collections.abc import Sequence

from absl import logging

from cosembed import specs
from cosembed.errors import InputError
from cosembed.files.writing import atomic_write_text
from cosembed.requirements import check_tensorflow
from cosembed.study import scores
from cosembed.study.experiment import Experiment
from cosembed.study.folds import Fold, Item, choose_folds
from cosembed.study.run_log import run_log
from cosembed.study.settings import MODES, Settings
from cosembed.study.tables.reported import NOTHING_REPORTED, read_reported
from cosembed.study.task import Spec, TaskStages


def run_experiment(experiment: Experiment[Spec, Item], mode: str, spec: Spec, settings: Settings) -> None:
    """Runs one stage, or all of them, for all folds asked for.

    Args:
        experiment: The experiment.
        mode: One of `MODES`, or `all`.
        spec: The spec of the experiment's data set.
        settings: What the user asked for beside the spec.

    Raises:
        InputError: Data, settings or folders that cannot be used; nothing of the user's is overwritten.
    """
    every_fold, folds = check_input(experiment, mode, spec, settings)
    if mode == "prepare":
        return
    stages, spec, is_chief = start(experiment, mode, spec, settings)
    if not is_chief:
        # All that is written is the chief's, and so are the stages after training.
        for fold in folds:
            run_fold(stages, fold, experiment.task.variant_spec(spec, fold.variant), settings, "train")
        return
    with run_log(settings.folder):
        experiment.task.record_folds(every_fold, settings)
        for fold in folds:
            run_fold(stages, fold, experiment.task.variant_spec(spec, fold.variant), settings, mode)
        put_together(experiment, stages, folds, spec, settings, mode)


def check_input(
    experiment: Experiment[Spec, Item], mode: str, spec: Spec, settings: Settings
) -> tuple[list[Fold[Item]], list[Fold[Item]]]:
    """Prepares the data and finds them in order, before TensorFlow is imported.

    Returns:
        All folds, and those asked for.

    Raises:
        InputError: Data or settings that cannot be used.
    """
    if mode not in (*MODES, "all"):
        raise InputError(f"--mode={mode}: choose one of {', '.join(MODES)} or all")
    task = experiment.task
    task.prepare(spec, settings)
    every_fold = task.make_folds(spec, settings)
    folds = choose_folds(every_fold, settings.fold)
    task.check(folds, spec, settings, mode)
    if mode == "prepare":
        logging.info("%s: ready (%s)", spec.dataset.name, ", ".join(fold.name for fold in folds))
    return every_fold, folds


def start(
    experiment: Experiment[Spec, Item], mode: str, spec: Spec, settings: Settings
) -> tuple[TaskStages[Spec, Item], Spec, bool]:
    """Imports TensorFlow and makes it ready, with other devices and hosts if these share a training.

    Returns:
        The stages of the experiment's task; the spec, that of the authors' network where one is used; and
        whether this process is the one that writes results.

    Raises:
        InputError: TensorFlow, a device, the authors' network or the one to start from cannot be used.
    """
    check_tensorflow()
    from cosembed.study.fold_training import fit_released
    from cosembed.study.starting import starting_weights
    from cosembed.training.devices import choose_gpus, describe_device, make_deterministic
    from cosembed.training.replicas import open_replicas

    # A GPU that TensorFlow cannot drive is hidden from it, or refused, before anything is computed; and hosts
    # are joined before.
    choose_gpus()
    trains = mode in ("train", "all") and settings.checkpoints is None
    replicas = open_replicas(settings.execution.strategy if trains else "none")
    describe_device(settings.require_gpu)
    stages = experiment.task.stages()
    if settings.deterministic:
        make_deterministic()
    if settings.checkpoints is not None:
        spec = fit_released(spec, settings.checkpoints)
    if settings.start_from is not None:
        starting_weights(settings.start_from, spec.network)
    return stages, spec, replicas.is_chief


def run_fold(
    stages: TaskStages[Spec, Item], fold: Fold[Item], spec: Spec, settings: Settings, mode: str
) -> None:
    """Trains, predicts and evaluates one fold, as far as the mode says.

    `spec` is that of the fold's variant.
    """
    from cosembed.study.fold_training import check_run, load_finished_network, train_fold

    if mode in ("train", "all"):
        train_fold(stages, fold, spec, settings)
    if mode in ("predict", "all"):
        stages.predict(load_finished_network(fold, spec, settings), fold, spec, settings)
    if mode in ("evaluate", "all"):
        if not fold.scored:
            logging.info("%s: no public truth, nothing to score", fold.name)
            return
        check_run(fold, spec, settings)
        scores.write_fold_scores(settings.folder / fold.name, stages.evaluate(fold, spec, settings))


def put_together(
    experiment: Experiment[Spec, Item],
    stages: TaskStages[Spec, Item],
    folds: Sequence[Fold[Item]],
    spec: Spec,
    settings: Settings,
    mode: str,
) -> None:
    """Collects the scores of all folds and reports, as far as the mode says."""
    if mode in ("evaluate", "all"):
        collect_scores(stages, folds, spec, settings)
    if mode in ("report", "all"):
        _report(experiment, stages, folds, spec, settings)


def collect_scores(
    stages: TaskStages[Spec, Item], folds: Sequence[Fold[Item]], spec: Spec, settings: Settings
) -> None:
    """Writes the experiment's metrics.json and, beside it, its spec, if any fold has scores."""
    collected = stages.collect(folds, spec, settings)
    if collected is not None:
        scores.write_scores(settings.folder, collected)
        atomic_write_text(settings.folder / "spec.yaml", specs.dump(spec))


def _report(
    experiment: Experiment[Spec, Item],
    stages: TaskStages[Spec, Item],
    folds: Sequence[Fold[Item]],
    spec: Spec,
    settings: Settings,
) -> None:
    from cosembed.study.fold_training import check_run

    for fold in folds:
        check_run(fold, experiment.task.variant_spec(spec, fold.variant), settings)
    reported = NOTHING_REPORTED if experiment.reported is None else read_reported(experiment.reported)
    stages.report(folds, spec, settings, reported)

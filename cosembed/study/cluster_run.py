"""Runs experiments as tasks of a cluster: training, results and scores of every fold, and the report.

The stages of a fold follow each other, all else runs side by side: folds, and runs with other seeds. The
folders must be where every worker sees them under the same path. This module knows no method.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import current_process
from pathlib import Path
from typing import Any, Generic

from absl import logging

from cosembed.errors import CosembedError
from cosembed.files.writing import locked_folder
from cosembed.networks.catalogue import network_folder
from cosembed.processes.cluster import Cluster, Task, connected
from cosembed.study import runner
from cosembed.study.experiment import Experiment
from cosembed.study.folds import Fold, Item
from cosembed.study.run_log import run_log
from cosembed.study.settings import Settings
from cosembed.study.task import Spec

FOLD_STAGES = ("train", "predict", "evaluate")


@dataclass(frozen=True)
class Run(Generic[Spec]):
    """Holds what makes one run of an experiment, in a folder of its own: `settings.folder`."""

    spec: Spec
    settings: Settings


def run_on_cluster(
    experiment: Experiment[Spec, Item], mode: str, runs: Sequence[Run[Spec]], scheduler: str
) -> None:
    """Runs one stage, or all of them, of all runs; otherwise as `runner.run_experiment` for each of them.

    Args:
        experiment: The experiment.
        mode: As of `run_experiment`.
        runs: The runs, which differ in spec and folder.
        scheduler: As of `processes.cluster.connected`.

    Raises:
        InputError: As of `run_experiment`; or the cluster cannot be used.
        TrainingError: A loss or a gradient is not finite.
    """
    tasks: list[Task] = []
    with ExitStack() as stack:
        for run in runs:
            # The workers may have been started in another folder.
            settings = _absolute(run.settings)
            every_fold, folds = runner.check_input(experiment, mode, run.spec, settings)
            if mode == "prepare":
                continue
            stack.enter_context(run_log(settings.folder))
            experiment.task.record_folds(every_fold, settings)
            prefix = f"{settings.folder.name} " if len(runs) > 1 else ""
            tasks += _tasks_of(experiment, mode, folds, replace(run, settings=settings), prefix)
        if tasks:
            _run(stack.enter_context(connected(scheduler)), tasks)


def _run(cluster: Cluster, tasks: Sequence[Task]) -> None:
    """Runs tasks, says which have ended, and raises the error of the first that failed."""
    first: CosembedError | OSError | None = None
    for number, outcome in enumerate(cluster.run(tasks), start=1):
        print(outcome.printed, end="", flush=True)
        if outcome.error is None:
            logging.info("%d of %d: %s: done", number, len(tasks), outcome.name)
        else:
            # What does not wait for it goes on: hours of work may be in it.
            logging.error("%d of %d: %s: %s", number, len(tasks), outcome.name, outcome.error)
            first = first or outcome.error
    if first is not None:
        raise first


def _tasks_of(
    experiment: Experiment[Spec, Item], mode: str, folds: Sequence[Fold[Item]], run: Run[Spec], prefix: str
) -> list[Task]:
    """Makes the tasks of one run: a chain of stages for each fold, and what puts the folds together."""
    tasks: list[Task] = []
    ends: list[str] = []
    for fold in folds:
        before: tuple[str, ...] = ()
        for stage in [stage for stage in FOLD_STAGES if mode in (stage, "all")]:
            name = f"{prefix}{fold.name} {stage}"
            tasks.append(Task(name, _run_stage, (experiment, fold, run, stage), before))
            before = (name,)
        ends += before
    if mode in ("evaluate", "report", "all"):
        tasks.append(
            Task(f"{prefix}scores and report", _put_together, (experiment, mode, folds, run), tuple(ends))
        )
    return tasks


def _run_stage(experiment: Experiment[Any, Any], fold: Fold[Any], run: Run[Any], stage: str) -> None:
    """Runs one stage of a fold in a worker; its folder is locked against a worker that was given up."""
    settings = run.settings
    if current_process().daemon:
        # It may not have processes of its own. The weights do not depend on them.
        settings = replace(settings, workers=0)
    stages, spec, _ = runner.start(experiment, stage, run.spec, settings)
    folder = settings.folder / fold.name
    folder.mkdir(parents=True, exist_ok=True)
    with locked_folder(folder):
        runner.run_fold(stages, fold, experiment.task.variant_spec(spec, fold.variant), settings, stage)


def _put_together(
    experiment: Experiment[Any, Any], mode: str, folds: Sequence[Fold[Any]], run: Run[Any]
) -> None:
    """Collects the scores of all folds and reports, in a worker."""
    stages, spec, _ = runner.start(experiment, "report", run.spec, run.settings)
    runner.put_together(experiment, stages, folds, spec, run.settings, mode)


def _absolute(settings: Settings) -> Settings:
    checkpoints, start_from = settings.checkpoints, settings.start_from
    if start_from is not None and network_folder(start_from) is None:
        start_from = str(Path(start_from).absolute())
    return replace(
        settings,
        data_dir=settings.data_dir.absolute(),
        folder=settings.folder.absolute(),
        checkpoints=None if checkpoints is None else checkpoints.absolute(),
        start_from=start_from,
    )

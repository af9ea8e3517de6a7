"""Says what an experiment is and with which settings it runs. It is data only: it knows no flags and no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosembed.augment import augmenters
from cosembed.training import execution
from cosembed.training.execution import Execution


@dataclass(frozen=True)
class Experiment:
    """One row or column of the paper, and the parts of its task.

    Attributes:
        name: Of the experiment's folder.
        dataset: A name of `specs.dataset_names()`; empty for a person's own data.
        prepare: Makes or checks data that is not downloaded; None: fetched from the challenge's site.
        make_folds: (spec, settings) -> folds, each with a `name`; reads no images.
        check: Reads all data once, so that what cannot be used is found before anything is trained.
        steps: The module that trains, predicts, evaluates, collects and reports.
        alternatives: Other data sets; the first one that lies in the data folder is used.
    """

    name: str
    dataset: str
    prepare: Callable[[Any, Path], None] | None = None
    make_folds: Callable[[Any, Settings], list[Any]] | None = None
    check: Callable[[Any, Settings], None] | None = None
    steps: str = "cosembed.study.tasks.cells"
    alternatives: tuple[str, ...] = ()

    def find_dataset(self, data_dir: Path) -> str:
        """Names the first of the experiment's data sets that lies in the data folder, or the first one if none does."""
        found = [name for name in (self.dataset, *self.alternatives) if (data_dir / name).exists()]
        return found[0] if found else self.dataset


@dataclass(frozen=True)
class Settings:
    """Holds what the user asked for beside the spec.

    Attributes:
        data_dir: The folder of all data sets.
        folder: The experiment's own folder, `<out_dir>/<name>`.
        protocol: A name of `protocols.PROTOCOLS`.
        train_frames: Begin and end of the frames that train, for a data set with one annotated video.
        test_frames: Begin and end of the frames that are tested, likewise.
        fold: The only fold to run, counted from 0; None for all.
        base_url: Where archives are fetched from; None for the challenge's site.
        require_gpu: Whether to stop where TensorFlow sees no GPU.
        command: The command line, for tables and reports.
        checkpoints: The folder of the authors' networks, which take the place of training.
        deterministic: Whether the same seed must give the same bits.
        augment: A name of `augmenters.AUGMENTERS`.
        execution: Precision and memory of training.
    """

    data_dir: Path
    folder: Path
    protocol: str
    train_frames: tuple[int, int] | None
    test_frames: tuple[int, int] | None
    fold: int | None
    base_url: str | None
    require_gpu: bool
    command: str
    checkpoints: Path | None = None
    deterministic: bool = False
    augment: str = augmenters.DEFAULT
    execution: Execution = execution.DEFAULT


def has_cells(experiment: Experiment) -> bool:
    """Tells whether the experiment is one of videos in the challenge's layout."""
    return experiment.make_folds is None

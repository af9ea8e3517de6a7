"""The one place that turns flags into steps: prepare, train, predict, evaluate, report.

Knows every other part of the package by its public functions; holds no method and no numbers of its own. Every step can
be started again: what is complete is kept, what is not is made anew or continued.
"""

from __future__ import annotations

import importlib
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from absl import flags, logging

from cosembed import specs
from cosembed.augment import AUGMENTERS, DEFAULT_AUGMENTER
from cosembed.commands import command_line
from cosembed.datasets.ctc.faults import require_valid
from cosembed.datasets.ctc.validation import check_frames, check_truth
from cosembed.datasets.fetch import fetch
from cosembed.errors import DataError, InputError
from cosembed.images.frames import open_frames
from cosembed.requirements import check_tensorflow
from cosembed.specs import CellsSpec, TrainedSpec
from cosembed.study import protocols as protocol
from cosembed.study.folds import RECORD, record_folds
from cosembed.study.protocols import Fold
from cosembed.study.run_log import run_log
from cosembed.training import execution
from cosembed.training.execution import Execution

AnyFold = TypeVar("AnyFold")
MODES = ("prepare", "train", "predict", "evaluate", "report")
# Flags that mean something for videos in the challenge's layout only.
CELLS_ONLY = ("protocol", "train_frames", "test_frames", "base_url", "checkpoints")
FLAGS = flags.FLAGS

flags.DEFINE_string("mode", "all", f"The step to run ({', '.join(MODES)}), or all of them in order.")
flags.DEFINE_string("data_dir", "data", "Folder that holds (or receives) <dataset>/01, 01_GT, 02, 02_GT.")
flags.DEFINE_string("out_dir", "runs", "Results go to <out_dir>/<experiment>/.")
flags.DEFINE_string("name", "", "Another name for the experiment's folder.")
flags.DEFINE_string("profile", "paper", "paper (GPU), cpu (two cores), smoke (seconds, for tests).")
flags.DEFINE_string(
    "recipe", "paper", "paper: what the paper states; released: as the released models were trained."
)
flags.DEFINE_multi_string(
    "set", [], "key=value laid over the spec, for example training.iterations=2000; repeatable."
)
flags.DEFINE_string(
    "protocol", "crossval", "crossval, or submission (train on all, track the unlabelled videos)."
)
flags.DEFINE_string("train_frames", "", "begin:end, for a data set with one annotated video.")
flags.DEFINE_string("test_frames", "", "begin:end, likewise.")
flags.DEFINE_integer("fold", -1, "Run only this fold, counted from 0.")
flags.DEFINE_string("base_url", "", "Where archives are fetched from, instead of the challenge's site.")
flags.DEFINE_string(
    "checkpoints", "", "Folder of the authors' networks, <dataset>/ each, used instead of training."
)
flags.DEFINE_enum(
    "augment",
    DEFAULT_AUGMENTER,
    AUGMENTERS,
    "What augments clips; graph: TensorFlow, for few cores and a GPU.",
)
flags.DEFINE_bool(
    "deterministic", False, "The same bits on every run with the same seed and machine; may be slower."
)
flags.DEFINE_bool(
    "mixed_precision", False, "Train with convolutions in bfloat16; faster on GPUs that know it."
)
flags.DEFINE_bool("recompute", False, "Train in about two thirds of the memory and 1.3 times the time.")
flags.DEFINE_bool("require_gpu", False, "Stop if TensorFlow sees no GPU.")


@dataclass(frozen=True)
class Experiment:
    """One row or column of the paper, and the parts of its task.

    Attributes:
        name: Of the experiment's folder.
        dataset: A name of `specs.dataset_names()`; empty if `resolve` is given.
        resolve: (recipe, profile, overrides) -> the spec, where it is not one of `data_specs`.
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
    resolve: Callable[[str, str, Mapping[str, Any]], TrainedSpec] | None = None

    def find_dataset(self, data_dir: Path) -> str:
        """The data set that is there; the first one if none is."""
        found = [name for name in (self.dataset, *self.alternatives) if (data_dir / name).exists()]
        return found[0] if found else self.dataset


@dataclass(frozen=True)
class Settings:
    """The flags, typed."""

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
    augment: str = DEFAULT_AUGMENTER
    execution: Execution = execution.DEFAULT


def run(experiment: Experiment) -> None:
    """The main program of an experiment module."""
    command_line.run(lambda: _main(experiment))


def _main(experiment: Experiment) -> None:
    recipe, profile = FLAGS.recipe, FLAGS.profile
    if experiment.make_folds is not None:
        for flag in CELLS_ONLY:
            if FLAGS[flag].present and getattr(FLAGS, flag):
                raise InputError(f"--{flag}: is for the cell data sets only; drop the flag")
    if FLAGS.checkpoints:
        recipe = _implied("recipe", "released")
        profile = _implied("profile", "paper")
    overrides = specs.parse_assignments(FLAGS.set)
    if experiment.resolve is not None:
        spec = experiment.resolve(recipe, profile, overrides)
    else:
        spec = specs.resolve_any(experiment.find_dataset(Path(FLAGS.data_dir)), recipe, profile, overrides)
    if FLAGS.protocol not in protocol.PROTOCOLS:
        raise InputError(f"--protocol={FLAGS.protocol}: choose one of {', '.join(protocol.PROTOCOLS)}")
    settings = Settings(
        data_dir=Path(FLAGS.data_dir),
        folder=Path(FLAGS.out_dir) / (FLAGS.name or experiment.name),
        protocol=FLAGS.protocol,
        train_frames=protocol.parse_range(FLAGS.train_frames, "train_frames"),
        test_frames=protocol.parse_range(FLAGS.test_frames, "test_frames"),
        fold=FLAGS.fold if FLAGS.fold >= 0 else None,
        base_url=FLAGS.base_url or None,
        require_gpu=FLAGS.require_gpu,
        command=shlex.join(["python", "-m", f"experiments.{experiment.name}", *sys.argv[1:]]),
        checkpoints=Path(FLAGS.checkpoints) if FLAGS.checkpoints else None,
        deterministic=FLAGS.deterministic,
        augment=FLAGS.augment,
        execution=Execution(FLAGS.mixed_precision, FLAGS.recompute),
    )
    run_experiment(experiment, FLAGS.mode, spec, settings)


def _implied(flag: str, value: str) -> str:
    """The value that the authors' networks demand of a flag."""
    if FLAGS[flag].present and getattr(FLAGS, flag) != value:
        raise InputError(
            f"--{flag}={getattr(FLAGS, flag)}: the networks of --checkpoints go with {value}; drop the flag"
        )
    return value


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
    from cosembed.training.devices import describe_device, make_deterministic

    # A GPU that TensorFlow cannot drive is hidden from it, or refused, before anything is computed.
    describe_device(settings.require_gpu)
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
    """Reads the frames and the truth that a step works on: the checks of `cosembed validate`, before hours of work.

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

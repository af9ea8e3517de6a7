"""Parts that the reports of all experiments share. Knows the files of a run, not what its task is."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging
from numpy.typing import NDArray

from cosembed import specs
from cosembed.augment import DEFAULT_AUGMENTER
from cosembed.errors import CheckpointError, DataError
from cosembed.files.reading import read_json, reason
from cosembed.files.writing import atomic_write_text
from cosembed.models import StackedHourglass
from cosembed.reporting import figures
from cosembed.reporting.overlays import encode_png, error_key
from cosembed.reporting.report import Picture, Report, Section, write_report
from cosembed.specs import TaskSpec, TrainedSpec
from cosembed.study.runner import Settings
from cosembed.study.tables import cells as tables
from cosembed.training.checkpoints import load_network_as
from cosembed.training.run_folder import UNKNOWN, Record, RunFolder, describe_versions


def run_facts(spec: TrainedSpec, settings: Settings, fold: str, split: str) -> list[tuple[str, str]]:
    """What was run: command, seed, and device and versions of the named fold's training."""
    versions = read_record(settings.folder / fold / "versions.json", "versions", "git_commit")
    return [
        ("Command", settings.command),
        ("Recipe, profile", f"{spec.recipe}, {spec.profile}"),
        ("Split", split),
        ("Seed", str(spec.training.seed)),
        ("Device", versions.get("device", UNKNOWN)),
        ("Versions", describe_versions(versions["versions"])),
        ("Git commit", versions["git_commit"]),
    ]


def time_section(folds: Iterable[str], settings: Settings) -> Section:
    """Wall time of every fold's stages."""
    times = {fold: _times(settings.folder / fold) for fold in folds}
    stages = list(dict.fromkeys(stage for spent in times.values() for stage in spent))
    rows = [
        [fold, *(f"{spent[stage]:.1f}" if stage in spent else "-" for stage in stages)]
        for fold, spent in times.items()
    ]
    return Section("Time", "Wall time in seconds.", [["fold", *stages], *rows])


def _times(folder: Path) -> dict[str, float]:
    history = RunFolder(folder).read_history()
    stages = {"training": sum(record.seconds for record in history)} if history else {}
    for file in sorted((folder / "results").glob("*.json")):
        for stage, seconds in read_record(file, "seconds")["seconds"].items():
            stages[stage] = stages.get(stage, 0.0) + seconds
    return stages


def add_seconds(results: Path, stage: str, seconds: float) -> None:
    """Adds to the time of a stage that a fold's results took so far, over all its starts."""
    file = results / "seconds.json"
    before = read_record(file, "seconds")["seconds"] if file.exists() else {}
    spent = {**before, stage: round(before.get(stage, 0.0) + seconds, 2)}
    atomic_write_text(file, json.dumps({"seconds": spent}) + "\n")


def run_identity(train: Iterable[object], settings: Settings) -> dict[str, str]:
    """What must be the same when a training run's folder is used again, beside the spec; `train` is what it learns from."""
    identity = {"train": ", ".join(map(str, train))}
    if settings.deterministic:
        identity["deterministic"] = "yes"
    if settings.augment != DEFAULT_AUGMENTER:
        identity["augment"] = settings.augment
    if settings.execution.mixed_precision:
        identity["mixed_precision"] = "yes"
    return identity


def check_run(folder: Path, spec: TrainedSpec, identity: dict[str, str]) -> None:
    """Raises unless the folder holds a training run of this very spec: results must not be taken for those of another.

    Raises:
        CheckpointError: No run.
        OutputError: A run with other values; names their keys.
    """
    run = RunFolder(folder)
    if not run.spec_file.exists():
        raise CheckpointError(f"{folder}: holds no trained network; run --mode=train first")
    run.open(spec, identity)


def load_finished(folder: Path, spec: TaskSpec, identity: dict[str, str]) -> StackedHourglass:
    """The network of a finished training run of this very spec; raises as `check_run`, or `CheckpointError` if unfinished."""
    check_run(folder, spec, identity)
    model, _, step = load_network_as(type(spec), folder)
    if step < spec.training.iterations:
        raise CheckpointError(
            f"{folder}: trained for {step} of {spec.training.iterations} steps; run --mode=train again to finish"
        )
    return model


def results_folder(folder: Path, spec: TrainedSpec) -> Path:
    """The folder of a run's results, emptied of those that other values made."""
    results = folder / "results"
    stamp, made_from = results / "made_from.txt", hashlib.sha256(specs.dump(spec).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != made_from:
        shutil.rmtree(results, ignore_errors=True)
        atomic_write_text(stamp, made_from)
    return results


def read_record(path: Path, *keys: str) -> dict[str, Any]:
    """The JSON object that a step wrote, which has at least these keys; raises `DataError` if it is damaged."""
    try:
        content = read_json(path)
        if not isinstance(content, dict):
            raise ValueError("it is no JSON object")
        return content | {key: content[key] for key in keys}
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{path}: is damaged ({reason(error)}); remove it and run the same command with --mode=all"
        ) from error


def read_arrays(path: Path) -> dict[str, NDArray]:
    """All arrays that the step `predict` wrote to a file; raises `DataError` if it is damaged."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (
        OSError,
        ValueError,
        EOFError,
        TypeError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(
            f"{path}: is damaged ({reason(error)}); remove the folder {path.parent} and run --mode=predict again"
        ) from error


def metrics_file(settings: Settings) -> Path:
    """The experiment's metrics.json; raises `DataError` before there are scores."""
    file = settings.folder / "metrics.json"
    if not file.exists():
        raise DataError(f"{file}: there are no scores to report; run --mode=evaluate first")
    return file


def write_page(
    title: str,
    facts: Sequence[tuple[str, str]],
    sections: Sequence[Section],
    spec: TrainedSpec,
    settings: Settings,
) -> None:
    """Writes report.html: a warning above all else unless the profile is the paper's, the whole spec at the end."""
    warnings = _warnings(spec)
    sections = [*sections, Section("Every value of this run (spec.yaml)", code=specs.dump(spec))]
    write_report(settings.folder / "report.html", Report(title, facts, sections, warnings))
    logging.info("%s: written", settings.folder / "report.html")


def _warnings(spec: TrainedSpec) -> list[str]:
    return [] if spec.profile == "paper" else [tables.NOT_A_REPRODUCTION.format(profile=spec.profile)]


def scores_section(
    heading: str, notes: Iterable[str], rows: Sequence[Sequence[str]], spec: TrainedSpec
) -> Section:
    """A table of scores; a note that warns above all else already is left out."""
    return Section(heading, "\n".join(note for note in notes if note not in _warnings(spec)), rows)


def training_section(title: str, history: Sequence[Record]) -> Section:
    """Loss and learning rate of a training run."""
    columns = [
        np.array([getattr(record, name) for record in history])
        for name in ("step", "task_loss", "learning_rate")
    ]
    caption = f"Loss of the task (without the L2 term) and learning rate of {len(history)} iterations."
    return Section(title, "", (), [Picture(caption, figures.training_curves(*columns))])


def error_legend() -> list[Picture]:
    """What the colours and stripes of an error overlay mean."""
    return [Picture(kind, encode_png(swatch)) for kind, swatch in error_key().items()]


def deviations_section(deviations: Iterable[Sequence[Any]]) -> Section:
    """Where a profile or flags changed the paper's values."""
    rows = [
        ["value", "paper's profile", "this run"],
        *(list(map(tables.readable, row)) for row in deviations),
    ]
    return Section("Where this run differs from the paper's size", "", rows)

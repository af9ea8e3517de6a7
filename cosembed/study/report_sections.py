"""Makes the sections that the reports of all tasks share. Knows the files of a run, not what its task is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from absl import logging

from cosembed import specs
from cosembed.reporting import figures
from cosembed.reporting.overlays import encode_png, error_key
from cosembed.reporting.report import Picture, Report, Section, write_report
from cosembed.specs import TrainedSpec
from cosembed.study.folds import Fold, Item
from cosembed.study.result_store import read_record, seconds_of_results
from cosembed.study.settings import Settings
from cosembed.study.tables import layout
from cosembed.training.run_folder import UNKNOWN, RunFolder, describe_versions


def run_facts(spec: TrainedSpec, settings: Settings, fold: Fold[Item], split: str) -> list[tuple[str, str]]:
    """Says what was run: command, split, seed, and device and versions of a fold's training.

    Raises:
        DataError: The fold's versions.json is damaged.
    """
    versions = read_record(settings.folder / fold.name / "versions.json", "versions", "git_commit")
    start = versions.get("identity", {}).get("start_from")
    return [
        ("Command", settings.command),
        ("Recipe, profile", f"{spec.recipe}, {spec.profile}"),
        ("Split", split),
        ("Seed", str(spec.training.seed)),
        *([("Started from", start)] if start else []),
        ("Device", versions.get("device", UNKNOWN)),
        ("Versions", describe_versions(versions["versions"])),
        ("Git commit", versions["git_commit"]),
    ]


def time_section(folds: Iterable[Fold[Item]], settings: Settings) -> Section:
    """Lists the wall time of every fold's stages."""
    times: dict[str, dict[str, float]] = {}
    for fold in folds:
        history = RunFolder(settings.folder / fold.name).read_history()
        training = {"training": sum(record.seconds for record in history)} if history else {}
        times[fold.name] = training | seconds_of_results(settings.folder / fold.name)
    stages = list(dict.fromkeys(stage for spent in times.values() for stage in spent))
    rows = [
        [name, *(f"{spent[stage]:.1f}" if stage in spent else "-" for stage in stages)]
        for name, spent in times.items()
    ]
    return Section("Time", "Wall time in seconds.", [["fold", *stages], *rows])


def scores_section(
    heading: str, notes: Iterable[str], rows: Sequence[Sequence[str]], spec: TrainedSpec
) -> Section:
    """Shows a table of scores; a note that warns above all else already is left out."""
    warnings = layout.not_a_reproduction([spec.profile])
    return Section(heading, "\n".join(note for note in notes if note not in warnings), rows)


def training_sections(fold: Fold[Item], settings: Settings) -> list[Section]:
    """Draws loss and learning rate of a fold's training; empty where nothing was trained."""
    history = RunFolder(settings.folder / fold.name).read_history()
    if not history:
        return []
    columns = [
        np.array([getattr(record, name) for record in history])
        for name in ("step", "task_loss", "learning_rate")
    ]
    caption = f"Loss of the task (without the L2 term) and learning rate of {len(history)} iterations."
    curves = Picture(caption, figures.training_curves(*columns))
    return [Section(f"{fold.name}: training", "", (), [curves])]


def deviations_sections(deviations: Sequence[Sequence[Any]]) -> list[Section]:
    """Lists where a profile or flags changed the paper's values; empty where nothing did."""
    if not deviations:
        return []
    rows = [
        ["value", "paper's profile", "this run"],
        *(list(map(layout.readable, row)) for row in deviations),
    ]
    return [Section("Where this run differs from the paper's size", "", rows)]


def error_legend() -> list[Picture]:
    """Explains the colours and stripes of an error overlay."""
    return [Picture(kind, encode_png(swatch)) for kind, swatch in error_key().items()]


def write_page(
    title: str,
    facts: Sequence[tuple[str, str]],
    sections: Sequence[Section],
    spec: TrainedSpec,
    settings: Settings,
) -> None:
    """Writes report.html: a warning first, unless the profile is the paper's, and the spec at the end."""
    warnings = layout.not_a_reproduction([spec.profile])
    sections = [*sections, Section("Every value of this run (spec.yaml)", code=specs.dump(spec))]
    write_report(settings.folder / "report.html", Report(title, facts, sections, warnings))
    logging.info("%s: written", settings.folder / "report.html")

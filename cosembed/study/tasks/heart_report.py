"""Puts the left ventricle results into a table and a report. Knows the run's files; makes no results of its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.heart.slices import CLASSES, HeartSlice, patients
from cosembed.files.writing import atomic_write_text
from cosembed.reporting.overlays import encode_png, label_key, overlay, stretch
from cosembed.reporting.panels import grey_rgb, labelled_row
from cosembed.reporting.report import Picture, Section
from cosembed.specs import HeartSpec
from cosembed.study.folds import NamedFold
from cosembed.study.run_files import (
    deviations_section,
    metrics_file,
    read_arrays,
    read_record,
    run_facts,
    scores_section,
    time_section,
    training_section,
    write_page,
)
from cosembed.study.runner import Settings
from cosembed.study.tables import heart as table1a
from cosembed.study.tasks.heart import read_fold
from cosembed.training.run_folder import RunFolder

SHOWN = 3


def write(folds: list[NamedFold], spec: HeartSpec, settings: Settings) -> None:
    """Writes table.md and report.html; prints the table.

    Raises:
        DataError: There are no scores yet.
    """
    scores = table1a.read_scores(metrics_file(settings))
    atomic_write_text(settings.folder / "table.md", table1a.markdown(scores))
    print(table1a.text(scores))
    sections = [scores_section("Table 1a", table1a.header_lines(scores), table1a.rows(scores), spec)]
    sections += _pictures(folds, spec, settings)
    for fold in folds:
        history = RunFolder(settings.folder / fold.name).read_history()
        if history:
            sections.append(training_section(f"{fold.name}: training", history))
    for name, variant in scores.variants.items():
        if variant.deviations:
            section = deviations_section(variant.deviations)
            sections.append(Section(f"{section.heading}: {name}", section.text, section.table))
    sections.append(time_section((fold.name for fold in folds), settings))
    facts = run_facts(spec, settings, folds[0].name, scores.split)
    write_page("Left ventricle: semantic segmentation", facts, sections, spec, settings)


def _pictures(folds: list[NamedFold], spec: HeartSpec, settings: Settings) -> Iterator[Section]:
    """The test patients with the lowest IoU of the myocardium: truth beside every network."""
    for number in sorted({fold.number for fold in folds}):
        variants = [fold for fold in folds if fold.number == number]
        scores = {fold.variant: _warmed(fold, settings) for fold in variants}
        slices = read_fold(variants[0].test, spec, settings)
        worst = sorted(
            patients(slices), key=lambda name: scores[variants[0].variant][name]["myocardium"] or 0.0
        )
        pictures = []
        for patient in worst[:SHOWN]:
            cine = next(entry for entry in slices if entry.patient == patient)
            found = {fold.variant: _classes(fold, cine, settings) for fold in variants}
            for time in np.flatnonzero(cine.labelled).tolist()[:2]:
                frame = cine.frames[time]
                panels = {"input": grey_rgb(stretch(frame)), "truth": overlay(frame, cine.labels[time])}
                panels |= {variant: overlay(frame, classes[time]) for variant, classes in found.items()}
                values = "; ".join(
                    f"{variant}: "
                    + ", ".join(f"{name} {_number(value)}" for name, value in entry[patient].items())
                    for variant, entry in scores.items()
                )
                pictures.append(labelled_row(f"{cine}, frame {time}. IoU of the patient: {values}.", panels))
        legend = [Picture(name, encode_png(label_key(label))) for name, label in CLASSES.items()]
        yield Section(f"Fold {number}: test patients, the worst first", "", (), pictures, legend)


def _warmed(fold: NamedFold, settings: Settings) -> dict[str, dict[str, float | None]]:
    scores: dict[str, dict[str, float | None]] = read_record(
        settings.folder / fold.name / "metrics.json", "warmed"
    )["warmed"]
    return scores


def _classes(fold: NamedFold, cine: HeartSlice, settings: Settings) -> NDArray[np.uint8]:
    found = read_arrays(settings.folder / fold.name / "results" / f"{cine.patient}.npz")
    return np.asarray(found[f"slice_{cine.index}_warmed"], np.uint8)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"

"""Puts the results of hearts into a table and a report.

This module knows the files of a fold; it makes no results of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.heart.slices import CLASSES, HeartSlice, patients
from cosembed.files.writing import atomic_write_text
from cosembed.reporting.overlays import encode_png, label_key, overlay, stretch
from cosembed.reporting.panels import grey_rgb, labelled_row
from cosembed.reporting.report import Picture, Section
from cosembed.specs import HeartSpec
from cosembed.study import report_sections
from cosembed.study.folds import Fold
from cosembed.study.result_store import read_arrays
from cosembed.study.scores import (
    METRICS,
    HeartFoldScores,
    HeartIou,
    HeartScores,
    read_fold_scores,
    read_scores,
)
from cosembed.study.settings import Settings
from cosembed.study.tables import heart as table1a
from cosembed.study.tables.reported import ReportedTable
from cosembed.study.tasks.heart_files import read_patients, segmented_result, variant_spec

SHOWN = 3


def write_heart_report(
    folds: Sequence[Fold[str]], spec: HeartSpec, settings: Settings, reported: ReportedTable
) -> None:
    """Writes table.md and report.html; prints the table.

    Raises:
        DataError: There are no scores yet.
    """
    scores = read_scores(HeartScores, settings.folder / METRICS)
    atomic_write_text(settings.folder / "table.md", table1a.markdown(scores, reported))
    print(table1a.text(scores, reported))
    notes, rows = table1a.header_lines(scores, reported), table1a.rows(scores, reported)
    sections = [report_sections.scores_section(table1a.heading(reported), notes, rows, spec)]
    for number in sorted({fold.number for fold in folds}):
        variants = [fold for fold in folds if fold.number == number]
        sections.append(_worst_patients_section(number, variants, spec, settings))
    for fold in folds:
        sections += report_sections.training_sections(fold, settings)
    sections += report_sections.deviations_sections(scores.provenance.deviations)
    sections.append(report_sections.time_section(folds, settings))
    facts = report_sections.run_facts(spec, settings, folds[0], scores.provenance.split)
    report_sections.write_page("Left ventricle: semantic segmentation", facts, sections, spec, settings)


def _worst_patients_section(
    number: int, variants: Sequence[Fold[str]], spec: HeartSpec, settings: Settings
) -> Section:
    """Shows the test patients with the lowest IoU of the myocardium: truth beside every network."""
    scores = {fold.variant: _warmed(fold, settings) for fold in variants}
    slices = read_patients(variants[0].test, spec, settings)
    first = scores[variants[0].variant]
    worst = sorted(patients(slices), key=lambda name: first[name].myocardium or 0.0)[:SHOWN]
    pictures = []
    for patient in worst:
        cine = next(entry for entry in slices if entry.patient == patient)
        found = {fold.variant: _classes(fold, cine, spec, settings) for fold in variants}
        values = "; ".join(f"{variant}: {_values(entry[patient])}" for variant, entry in scores.items())
        for time in np.flatnonzero(cine.labelled).tolist()[:2]:
            frame = cine.frames[time]
            panels = {"input": grey_rgb(stretch(frame)), "truth": overlay(frame, cine.labels[time])}
            panels |= {variant: overlay(frame, classes[time]) for variant, classes in found.items()}
            pictures.append(labelled_row(f"{cine}, frame {time}. IoU of the patient: {values}.", panels))
    legend = [Picture(name, encode_png(label_key(label))) for name, label in CLASSES.items()]
    return Section(f"Fold {number}: test patients, the worst first", "", (), pictures, legend)


def _warmed(fold: Fold[str], settings: Settings) -> dict[str, HeartIou]:
    (scores,) = read_fold_scores(HeartFoldScores, [settings.folder / fold.name])
    return scores.warmed


def _classes(fold: Fold[str], cine: HeartSlice, spec: HeartSpec, settings: Settings) -> NDArray[np.uint8]:
    stored = segmented_result(settings.folder / fold.name, variant_spec(spec, fold.variant), cine.patient)
    return np.asarray(read_arrays(stored.require())[f"slice_{cine.index}_warmed"], np.uint8)


def _values(scores: HeartIou) -> str:
    values = {name: getattr(scores, name) for name in CLASSES}
    return ", ".join(f"{name} {'-' if value is None else f'{value:.2f}'}" for name, value in values.items())

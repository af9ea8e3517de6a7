"""Puts the results of hearts into a table and a report.

This module knows the files of a fold; it makes no results of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.heart.slices import CLASSES, HeartSlice
from cosembed.files.writing import atomic_write_text
from cosembed.reporting.overlays import encode_png, label_key
from cosembed.reporting.panels import labelled_row
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
from cosembed.study.tasks.heart_pictures import cavity_curves, frame_panels, frames_to_see, heartbeat_movie

SHOWN = 3
WORST = (
    "End-diastole and end-systole are the labelled frames in which the true cavity is largest and smallest; "
    "a frame between them is shown with the truth if it is labelled."
)
HEARTBEAT = (
    "A patient in the middle of the ranking. In frames without a label, the place of the truth shows the "
    "input, and its curve has no point."
)


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
        sections += _patients_sections(number, variants, spec, settings)
    for fold in folds:
        sections += report_sections.training_sections(fold, settings)
    sections += report_sections.deviations_sections(scores.provenance.deviations)
    sections.append(report_sections.time_section(folds, settings))
    facts = report_sections.run_facts(spec, settings, folds[0], scores.provenance.split)
    report_sections.write_page("Left ventricle: semantic segmentation", facts, sections, spec, settings)


def _patients_sections(
    number: int, variants: Sequence[Fold[str]], spec: HeartSpec, settings: Settings
) -> list[Section]:
    """Shows the worst test patients of a fold frame by frame, and a middling one over a whole heartbeat.

    Patients are ranked by the first network's IoU of the myocardium.
    """
    scores = {fold.variant: _warmed(fold, settings) for fold in variants}
    first = scores[variants[0].variant]
    slices: dict[str, list[HeartSlice]] = {}
    for cine in read_patients(variants[0].test, spec, settings):
        slices.setdefault(cine.patient, []).append(cine)
    ranked = sorted(slices, key=lambda patient: first[patient].myocardium or 0.0)

    def found_in(cine: HeartSlice) -> dict[str, NDArray[np.uint8]]:
        return {fold.variant: _classes(fold, cine, spec, settings) for fold in variants}

    rows = []
    for patient in ranked[:SHOWN]:
        cine = slices[patient][0]
        found = found_in(cine)
        for name, time in frames_to_see(cine).items():
            caption = f"{cine}, {name}, frame {time}. IoU of the patient: {_values(scores, patient)}."
            rows.append(labelled_row(caption, frame_panels(cine, found, time)))
    patient = ranked[len(ranked) // 2]
    cine = slices[patient][len(slices[patient]) // 2]
    found = found_in(cine)
    titles = ", ".join(["input", "truth", *found])
    caption = f"{cine}, from left to right {titles}. IoU of the patient: {_values(scores, patient)}."
    beat = [
        Picture(caption, heartbeat_movie(cine, found)),
        Picture("Area of the cavity in this slice.", cavity_curves(cine, found)),
    ]
    legend = [Picture(name, encode_png(label_key(label))) for name, label in CLASSES.items()]
    return [
        Section(f"Fold {number}: test patients, the worst first", WORST, (), rows, legend),
        Section(f"Fold {number}: a heartbeat", HEARTBEAT, (), beat, legend),
    ]


def _warmed(fold: Fold[str], settings: Settings) -> dict[str, HeartIou]:
    (scores,) = read_fold_scores(HeartFoldScores, [settings.folder / fold.name])
    return scores.warmed


def _classes(fold: Fold[str], cine: HeartSlice, spec: HeartSpec, settings: Settings) -> NDArray[np.uint8]:
    stored = segmented_result(settings.folder / fold.name, variant_spec(spec, fold.variant), cine.patient)
    return np.asarray(read_arrays(stored.require())[f"slice_{cine.index}_warmed"], np.uint8)


def _values(scores: Mapping[str, Mapping[str, HeartIou]], patient: str) -> str:
    return "; ".join(f"{variant}: {_value_text(entry[patient])}" for variant, entry in scores.items())


def _value_text(scores: HeartIou) -> str:
    values = {name: getattr(scores, name) for name in CLASSES}
    return ", ".join(f"{name} {'-' if value is None else f'{value:.2f}'}" for name, value in values.items())

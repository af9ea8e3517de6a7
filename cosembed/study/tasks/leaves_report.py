"""Puts the results of leaves into a table and a report.

This module knows the files of a fold; it runs the network for pictures only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cosembed.files.writing import atomic_write_text
from cosembed.inference.stepper import FrameStepper, prepare_frames
from cosembed.reporting.colours import label_colours
from cosembed.reporting.overlays import ERROR_COLOURS, colour_labels, embedding_rgb, error_overlay, stretch
from cosembed.reporting.panels import labelled_row, resized
from cosembed.reporting.report import Section
from cosembed.specs import LeavesSpec
from cosembed.study import report_sections
from cosembed.study.folds import Fold
from cosembed.study.scores import METRICS, LeavesFoldScores, LeavesScores, read_fold_scores, read_scores
from cosembed.study.settings import Settings
from cosembed.study.tables import leaves as table1b
from cosembed.study.tables.reported import ReportedTable
from cosembed.study.tasks.leaves_files import plants_of, read_labels, segmented_result
from cosembed.training.checkpoints import load_network_as

SHOWN = 6
EXPLANATION = (
    "The worst plants come first. The embedding is shown by three of its dimensions as red, green and blue: "
    "a leaf should be of one colour, its neighbours of others. A leaf is correct if its mask and a true one "
    "overlap with an IoU above 0.5; of the others, a mask over several leaves is merged, a leaf under "
    "several masks is split."
)


def write_leaves_report(
    folds: Sequence[Fold[str]], spec: LeavesSpec, settings: Settings, reported: ReportedTable
) -> None:
    """Writes table.md and report.html; prints the table.

    Raises:
        DataError: There are no scores yet.
    """
    scores = read_scores(LeavesScores, settings.folder / METRICS)
    atomic_write_text(settings.folder / "table.md", table1b.markdown(scores, reported))
    print(table1b.text(scores, reported))
    notes, rows = table1b.header_lines(scores, reported), table1b.rows(scores, reported)
    sections = [report_sections.scores_section("Table 1b", notes, rows, spec)]
    for fold in folds:
        sections += report_sections.training_sections(fold, settings)
        sections.append(_plants_section(fold, spec, settings))
    sections += report_sections.deviations_sections(scores.provenance.deviations)
    sections.append(report_sections.time_section(folds, settings))
    facts = report_sections.run_facts(spec, settings, folds[0], scores.provenance.split)
    title = f"{spec.dataset.name}: leaf segmentation"
    report_sections.write_page(title, facts, sections, spec, settings)


def _plants_section(fold: Fold[str], spec: LeavesSpec, settings: Settings) -> Section:
    """Shows the worst plants, then some evenly through the rest, each with its embeddings."""
    folder = settings.folder / fold.name
    (fold_scores,) = read_fold_scores(LeavesFoldScores, [folder])
    scores = fold_scores.images
    ranked = sorted(scores, key=lambda name: scores[name].SBD)
    chosen = [ranked[index] for index in sorted({*range(min(2, len(ranked))), *_spread(len(ranked))})]
    stepper = FrameStepper(load_network_as(LeavesSpec, folder)[0])
    plants = {plant.name: plant for plant in plants_of(chosen, spec, settings)}
    pictures = []
    for name in chosen:
        image, truth = plants[name].image(), plants[name].labels()
        found = read_labels(segmented_result(folder, spec, name))
        (embedding,) = stepper(prepare_frames([image], spec))
        errors, counts = error_overlay(stretch(image), found, truth)
        panels = {
            "input": image,
            "embedding": resized(embedding_rgb(embedding), truth.shape),
            "truth": colour_labels(truth, label_colours([truth])),
            "ours": colour_labels(found, label_colours([found])),
            "errors": errors,
        }
        kinds = ", ".join(f"{counts[kind]} {kind}" for kind in ERROR_COLOURS)
        entry = scores[name]
        caption = (
            f"{name}, SBD {entry.SBD:.2f}, difference in count {entry.DiC:+d}, FBD {entry.FBD:.2f}: {kinds}."
        )
        pictures.append(labelled_row(caption, panels))
    legend = report_sections.error_legend()
    return Section(f"{fold.name}: test plants", EXPLANATION, (), pictures, legend)


def _spread(count: int) -> list[int]:
    return np.linspace(0, count - 1, min(count, SHOWN)).round().astype(int).tolist() if count else []

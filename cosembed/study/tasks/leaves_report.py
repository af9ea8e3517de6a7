"""Puts the leaf results into a table and a report. Knows the run's files; runs the network for pictures of embeddings only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cosembed.files.writing import atomic_write_text
from cosembed.inference.stepper import FrameStepper, prepare_frames
from cosembed.reporting.overlays import ERROR_COLOURS, colour_labels, embedding_rgb, error_overlay, stretch
from cosembed.reporting.panels import labelled_row, resized
from cosembed.reporting.report import Section
from cosembed.specs import LeavesSpec
from cosembed.study.experiment import Settings
from cosembed.study.folds import NamedFold
from cosembed.study.run_files import (
    deviations_section,
    error_legend,
    metrics_file,
    read_record,
    run_facts,
    scores_section,
    time_section,
    training_section,
    write_page,
)
from cosembed.study.tables import leaves as table1b
from cosembed.study.tasks.leaves import plants_of, read_result
from cosembed.training.checkpoints import load_network_as
from cosembed.training.run_folder import RunFolder

SHOWN = 6


def write(folds: list[NamedFold], spec: LeavesSpec, settings: Settings) -> None:
    """Writes table.md and report.html; prints the table.

    Raises:
        DataError: There are no scores yet.
    """
    scores = table1b.read_scores(metrics_file(settings))
    atomic_write_text(settings.folder / "table.md", table1b.markdown(scores))
    print(table1b.text(scores))
    sections = [scores_section("Table 1b", table1b.header_lines(scores), table1b.rows(scores), spec)]
    for fold in folds:
        sections += _fold_sections(fold, spec, settings)
    if scores.deviations:
        sections.append(deviations_section(scores.deviations))
    sections.append(time_section((fold.name for fold in folds), settings))
    facts = run_facts(spec, settings, folds[0].name, scores.split)
    write_page(f"{spec.dataset.name}: leaf segmentation", facts, sections, spec, settings)


def _fold_sections(fold: NamedFold, spec: LeavesSpec, settings: Settings) -> Iterator[Section]:
    """The worst plants, then evenly through the rest, each with its embeddings."""
    folder = settings.folder / fold.name
    history = RunFolder(folder).read_history()
    if history:
        yield training_section(f"{fold.name}: training", history)
    scores = read_record(folder / "metrics.json", "images")["images"]
    ranked = sorted(scores, key=lambda name: scores[name]["SBD"])
    chosen = [ranked[index] for index in sorted({*range(min(2, len(ranked))), *_spread(len(ranked))})]
    stepper = FrameStepper(load_network_as(LeavesSpec, folder)[0])
    plants = {plant.name: plant for plant in plants_of(chosen, spec, settings)}
    pictures = []
    for name in chosen:
        image, truth, found = plants[name].image(), plants[name].labels(), read_result(folder, name)
        (embedding,) = stepper(prepare_frames([image], spec))
        errors, counts = error_overlay(stretch(image), found, truth)
        panels = {
            "input": image,
            "embedding": resized(embedding_rgb(embedding), truth.shape),
            "truth": colour_labels(truth),
            "ours": colour_labels(found),
            "errors": errors,
        }
        kinds = ", ".join(f"{counts[kind]} {kind}" for kind in ERROR_COLOURS)
        entry = scores[name]
        caption = f"{name}, SBD {entry['SBD']:.2f}, difference in count {entry['DiC']:+d}: {kinds}."
        pictures.append(labelled_row(caption, panels))
    text = (
        "The worst plants come first. The embedding is shown by three of its dimensions as red, green and blue: a leaf should "
        "be of one colour, its neighbours of others. A leaf is correct if its mask and a true one overlap with an IoU above "
        "0.5; of the others, a mask over several leaves is merged, a leaf under several masks is split."
    )
    yield Section(f"{fold.name}: test plants", text, (), pictures, error_legend())


def _spread(count: int) -> list[int]:
    return np.linspace(0, count - 1, min(count, SHOWN)).round().astype(int).tolist() if count else []

"""Puts the results of an experiment into a report and a table. Knows the run's files; makes no results of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cosembed.clustering import describe_clustering
from cosembed.datasets.ctc.mask_files import mask_files, read_labels
from cosembed.datasets.ctc.track_table import read_tracks
from cosembed.errors import DataError
from cosembed.files.writing import atomic_write_text
from cosembed.images.frames import Frames, open_frames
from cosembed.metrics.ctc import ERROR_NAMES, frame_seg
from cosembed.reporting import figures
from cosembed.reporting.overlays import ERROR_COLOURS, embedding_rgb, error_overlay, overlay, stretch
from cosembed.reporting.panels import grey_rgb, labelled_row, resized
from cosembed.reporting.report import Picture, Row, Section
from cosembed.specs import CellsSpec
from cosembed.study.protocols import Fold, VideoRange, describe_split
from cosembed.study.run_files import (
    deviations_section,
    error_legend,
    read_arrays,
    run_facts,
    scores_section,
    time_section,
    training_section,
    write_page,
)
from cosembed.study.runner import Settings
from cosembed.study.tables import cells as tables
from cosembed.training.run_folder import RunFolder

WORST_FRAMES = 3
EMBEDDINGS = (
    "The embedding is shown by three of its dimensions as red, green and blue (as in the paper's Figures 1 and 11): a cell "
    "should be of one colour, its neighbours of others; cells far apart may share one. A tracked instance keeps its colour; "
    "there are fourteen, so that they repeat."
)


def write(folds: list[Fold], spec: CellsSpec, settings: Settings) -> None:
    """Writes report.html, and table.md where there are scores; prints the table.

    Raises:
        DataError: A fold has no results yet.
    """
    scores = tables.read_scores([settings.folder / "metrics.json"])
    sections = []
    if scores:
        atomic_write_text(settings.folder / "table.md", tables.table2_markdown(scores))
        print(tables.table2_text(scores))
        sections.append(
            scores_section("Scores", tables.header_lines(scores), tables.table2_rows(scores), spec)
        )
        if scores[0].TRA is not None:
            sections.append(_errors(scores[0]))
    for fold in folds:
        sections += list(_fold_sections(fold, settings))
    if scores and scores[0].deviations:
        sections.append(deviations_section(scores[0].deviations))
    sections.append(time_section((fold.name for fold in folds), settings))
    facts = run_facts(spec, settings, folds[0].name, describe_split(folds, settings.protocol))
    facts.append(("Clustering", f"HDBSCAN, {describe_clustering(spec.tracking)}"))
    write_page(f"{spec.dataset.name}: segmentation and tracking", facts, sections, spec, settings)


def _errors(scores: tables.DatasetScores) -> Section:
    rows = [["fold", "method", *ERROR_NAMES.values()]]
    for fold in scores.folds:
        for method, counts in (("ours", fold), ("baseline", fold["baseline"])):
            rows.append([fold["fold"], method, *(str(counts[name]) for name in ERROR_NAMES)])
    return Section(
        "Errors behind TRA",
        "How many corrections turn the result into the truth, by kind (Matula et al. 2015).",
        rows,
    )


def _fold_sections(fold: Fold, settings: Settings) -> Iterator[Section]:
    folder = settings.folder / fold.name
    history = RunFolder(folder).read_history()
    if history:
        yield training_section(f"{fold.name}: training", history)
    for part in fold.test:
        yield from _video_sections(fold, part, folder)


def _video_sections(fold: Fold, part: VideoRange, folder: Path) -> Iterator[Section]:
    result = folder / "results" / f"{part.video}_RES"
    if not result.exists():
        raise DataError(f"{result}: there are no results to report; run --mode=predict first")
    frames = open_frames(part.root / part.video).cut(part.begin, part.end)
    masks = mask_files(result, "mask")
    arrays = read_arrays(folder / "results" / f"{part.video}_samples.npz")
    samples = {int(name): array for name, array in arrays.items()}
    pictures = []
    for index, embedding in samples.items():
        labels = read_labels(masks[index])
        panels = {
            "input": grey_rgb(stretch(frames[index])),
            "embedding": resized(embedding_rgb(embedding), labels.shape),
            "tracked instances": overlay(frames[index], labels),
        }
        pictures.append(labelled_row(f"Frame {part.begin + index}.", panels))
    yield Section(f"{fold.name}: frames of video {part.video}", EMBEDDINGS, (), pictures)
    tracks = read_tracks(result / "res_track.txt")
    trees = [Picture(f"{len(tracks)} tracks found.", figures.lineage(tracks, len(frames), "found"))]
    truth = folder / "truth" / f"{part.video}_GT"
    if (truth / "TRA").is_dir():
        true_tracks = read_tracks(truth / "TRA" / "man_track.txt")
        trees.append(
            Picture(f"{len(true_tracks)} true tracks.", figures.lineage(true_tracks, len(frames), "truth"))
        )
    yield Section(f"{fold.name}: lineage", "A line is a track.", (), trees)
    segmented = mask_files(truth / "SEG", "man_seg")
    if segmented:
        baseline = mask_files(folder / "baseline" / f"{part.video}_RES", "mask")
        yield _frame_section(fold, part, frames, masks, baseline, segmented)


def worst_frames(scores: dict[int, float]) -> list[int]:
    """The frames to look at, the worst first; a frame whose truth is empty has no score (NaN)."""
    scored = [number for number, score in scores.items() if not np.isnan(score)]
    return sorted(scored, key=lambda number: scores[number])[:WORST_FRAMES]


def _frame_section(
    fold: Fold,
    part: VideoRange,
    frames: Frames,
    masks: dict[int, Path],
    baseline: dict[int, Path],
    segmented: dict[int, Path],
) -> Section:
    truths = {number: read_labels(path) for number, path in segmented.items()}
    ours = {number: frame_seg(read_labels(masks[number]), truth) for number, truth in truths.items()}
    others = [frame_seg(read_labels(baseline[number]), truth) for number, truth in truths.items()]
    numbers = [part.begin + number for number in ours]
    curve = Picture(
        "SEG of every frame with truth.", figures.frame_scores(numbers, list(ours.values()), others)
    )
    pictures: list[Picture | Row] = [curve]
    for number in worst_frames(ours):
        picture, counts = error_overlay(frames[number], read_labels(masks[number]), truths[number])
        kinds = ", ".join(f"{counts[kind]} {kind}" for kind in ERROR_COLOURS)
        panels = {
            "input": grey_rgb(stretch(frames[number])),
            "truth": overlay(frames[number], truths[number]),
            "ours": picture,
        }
        pictures.append(
            labelled_row(f"Frame {part.begin + number}, SEG {ours[number]:.2f}: {kinds}.", panels)
        )
    text = (
        "Below the curve the worst frames. A cell is correct if its mask and a true one overlap with an IoU above 0.5; of the "
        "others, a mask over several cells is merged, a cell under several masks is split."
    )
    return Section(f"{fold.name}: segmentation frame by frame", text, (), pictures, error_legend())

"""Puts the results of cells into a report and a table.

This module knows the files of a fold; it makes no results of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering import describe_clustering
from cosembed.datasets.ctc.mask_files import mask_files, read_labels
from cosembed.datasets.ctc.track_table import Track, read_tracks
from cosembed.errors import DataError
from cosembed.files.wording import counted
from cosembed.files.writing import atomic_write_text
from cosembed.images.frames import Frames
from cosembed.metrics.ctc import ERROR_NAMES, frame_seg
from cosembed.reporting import figures
from cosembed.reporting.colours import label_colours
from cosembed.reporting.numbers import draw_numbers
from cosembed.reporting.overlays import ERROR_COLOURS, embedding_rgb, error_overlay, overlay, stretch
from cosembed.reporting.panels import enlarged_to_see, grey_rgb, labelled_row, resized
from cosembed.reporting.player import lineage_viewer
from cosembed.reporting.report import Picture, Row, Section, Viewer
from cosembed.specs import CellsSpec
from cosembed.specs.dataclass_mapping import to_mapping
from cosembed.study import report_sections
from cosembed.study.folds import Fold
from cosembed.study.protocols import VideoRange, describe_split
from cosembed.study.result_store import read_arrays
from cosembed.study.scores import METRICS, CellsScores
from cosembed.study.settings import Settings
from cosembed.study.tables import cells as table2
from cosembed.study.tables import layout
from cosembed.study.tables.reported import ReportedTable
from cosembed.study.tasks.cells_files import (
    compared_with,
    frames_of,
    result_before,
    samples_file,
    tracked_result,
)

WORST_FRAMES = 3
# What tables and pictures call the network that a training started from.
BEFORE = "before training"
EMBEDDINGS = (
    "The embedding is shown by three of its dimensions as red, green and blue (as in the paper's Figures 1 "
    "and 11): a cell should be of one colour, its neighbours of others; cells far apart may share one. A "
    "tracked instance keeps its colour, which none has that ever comes near it, and its number, which the "
    "lineage has, too."
)


def write_cells_report(
    folds: Sequence[Fold[VideoRange]], spec: CellsSpec, settings: Settings, reported: ReportedTable
) -> None:
    """Writes report.html, and table.md where there are scores; prints the table.

    Raises:
        DataError: A fold has no results yet.
    """
    scores = table2.read_existing([settings.folder / METRICS])
    sections = []
    if scores:
        atomic_write_text(settings.folder / "table.md", table2.markdown(scores, reported))
        print(table2.text(scores, reported))
        notes, rows = table2.header_lines(scores, reported), table2.rows(scores, reported)
        sections.append(report_sections.scores_section("Scores", notes, rows, spec))
        if scores[0].TRA is not None:
            sections.append(_errors_section(scores[0]))
        sections += _baseline_sections(scores[0])
    for fold in folds:
        sections += report_sections.training_sections(fold, settings)
        for tested in fold.test:
            sections += _video_sections(fold, tested, spec, settings)
    if scores:
        sections += report_sections.deviations_sections(scores[0].provenance.deviations)
    sections.append(report_sections.time_section(folds, settings))
    split = describe_split(folds, settings.protocol)
    facts = report_sections.run_facts(spec, settings, folds[0], split)
    facts.append(("Clustering", describe_clustering(spec.tracking)))
    title = f"{spec.dataset.name}: segmentation and tracking"
    report_sections.write_page(title, facts, sections, spec, settings)


def _errors_section(scores: CellsScores) -> Section:
    rows = [["fold", "method", *ERROR_NAMES.values()]]
    for fold in scores.folds:
        for method, counts in (("ours", fold), (BEFORE, fold.before), ("baseline", fold.baseline)):
            if counts is not None:
                rows.append([fold.fold, method, *(str(getattr(counts, name)) for name in ERROR_NAMES)])
    return Section(
        "Errors behind TRA",
        "How many corrections turn the result into the truth, by kind (Matula et al. 2015).",
        rows,
    )


def _baseline_sections(scores: CellsScores) -> Iterator[Section]:
    """Says with which values the baseline went, and how it scored where they were found."""
    tuned = [(fold.fold, fold.baseline_tuned) for fold in scores.folds if fold.baseline_tuned]
    if not tuned:
        return
    rows = [["value", *(name for name, _ in tuned)]]
    columns = [to_mapping(found.values) for _, found in tuned]
    rows += [[name, *(str(column[name]) for column in columns)] for name in columns[0]]
    rows.append(["SEG + DET, training frames", *(f"{found.segmentation:.3f}" for _, found in tuned)])
    rows.append(["TRA, training frames", *(layout.number(found.tracking) for _, found in tuned)])
    yield Section(
        "Values of the classical baseline",
        "Threshold, seeds, watershed and assignment, tuned on the frames that train the network and on no "
        "others. Lengths are in pixels of the frames.",
        rows,
    )


def _video_sections(
    fold: Fold[VideoRange], tested: VideoRange, spec: CellsSpec, settings: Settings
) -> Iterator[Section]:
    folder = settings.folder / fold.name
    stored = tracked_result(folder, spec, tested)
    if not stored.is_complete():
        raise DataError(f"{stored.path}: there are no results to report; run --mode=predict first")
    frames, masks = frames_of(tested), mask_files(stored.path, "mask")
    yield _embeddings_section(fold, tested, frames, masks, read_arrays(samples_file(folder, tested)))
    truth, baseline = compared_with(folder, tested)
    yield _lineage_section(fold, tested, len(frames), stored.path, truth)
    segmented = mask_files(truth / "SEG", "man_seg")
    if segmented:
        others = {"classical baseline": mask_files(baseline, "mask")}
        if settings.start_from is not None:
            others[BEFORE] = mask_files(result_before(folder, spec, tested).require(), "mask")
        yield _frames_section(fold, tested, frames, masks, others, segmented)


def _embeddings_section(
    fold: Fold[VideoRange],
    tested: VideoRange,
    frames: Frames,
    masks: Mapping[int, Path],
    samples: Mapping[str, NDArray],
) -> Section:
    colours = label_colours(read_labels(path) for path in masks.values())
    pictures = []
    for name, embedding in samples.items():
        index = int(name)
        labels = read_labels(masks[index])
        panels = {
            "input": grey_rgb(stretch(frames[index])),
            "embedding": resized(embedding_rgb(embedding), labels.shape),
            "tracked instances": draw_numbers(
                enlarged_to_see(overlay(frames[index], labels, colours)), labels
            ),
        }
        pictures.append(labelled_row(f"Frame {tested.begin + index}.", panels))
    return Section(f"{fold.name}: frames of video {tested.video}", EMBEDDINGS, (), pictures)


def _lineage_section(
    fold: Fold[VideoRange], tested: VideoRange, frames: int, result: Path, truth: Path
) -> Section:
    video = f"{fold.name}, video {tested.video}"
    trees = [_tree(video, read_tracks(result / "res_track.txt"), frames, "found")]
    if (truth / "TRA").is_dir():
        trees.append(_tree(video, read_tracks(truth / "TRA" / "man_track.txt"), frames, "truth"))
    return Section(f"{fold.name}: lineage", "A line is a track.", (), trees)


def _tree(video: str, tracks: Sequence[Track], frames: int, name: str) -> Viewer:
    still = figures.lineage(tracks, frames, name) if len(tracks) <= figures.MOST_TRACKS else b""
    caption = f"{name}: {counted(len(tracks), 'track')}."
    return lineage_viewer(tracks, range(frames), f"{video}, {name}", caption, still=still)


def worst_frames(scores: dict[int, float]) -> list[int]:
    """Chooses the frames to look at, the worst first, then the worst that are far from those chosen.

    Neighbours in time mostly show the same error. "Far" is a quarter of the video's length, or less where too
    few frames are so far apart.

    Args:
        scores: Frame -> score; a frame whose truth is empty has no score (NaN), and is never chosen.
    """
    scored = [number for number, score in scores.items() if not np.isnan(score)]
    ranked = sorted(scored, key=lambda number: scores[number])
    distance = -(-(max(scored) - min(scored)) // 4) if scored else 0
    while True:
        chosen: list[int] = []
        for number in ranked:
            if all(abs(number - other) >= distance for other in chosen):
                chosen.append(number)
        if distance == 0 or len(chosen) >= min(WORST_FRAMES, len(ranked)):
            return chosen[:WORST_FRAMES]
        distance //= 2


def _frames_section(
    fold: Fold[VideoRange],
    tested: VideoRange,
    frames: Frames,
    masks: Mapping[int, Path],
    others: Mapping[str, Mapping[int, Path]],
    segmented: Mapping[int, Path],
) -> Section:
    truths = {number: read_labels(path) for number, path in segmented.items()}
    true_colours = label_colours(truths.values())
    ours = {number: frame_seg(read_labels(masks[number]), truth) for number, truth in truths.items()}
    curves = {"ours": list(ours.values())}
    for method, files in others.items():
        curves[method] = [frame_seg(read_labels(files[number]), truth) for number, truth in truths.items()]
    numbers = [tested.begin + number for number in ours]
    curve = Picture("SEG of every frame with truth.", figures.frame_scores(numbers, curves))
    pictures: list[Picture | Row] = [curve]
    for number in worst_frames(ours):
        picture, counts = error_overlay(frames[number], read_labels(masks[number]), truths[number])
        kinds = ", ".join(f"{counts[kind]} {kind}" for kind in ERROR_COLOURS)
        panels = {
            "input": grey_rgb(stretch(frames[number])),
            "truth": overlay(frames[number], truths[number], true_colours),
        }
        if BEFORE in others:
            before = read_labels(others[BEFORE][number])
            panels[BEFORE], _ = error_overlay(frames[number], before, truths[number])
        panels["ours"] = picture
        pictures.append(
            labelled_row(f"Frame {tested.begin + number}, SEG {ours[number]:.2f}: {kinds}.", panels)
        )
    legend = report_sections.error_legend()
    text = (
        "Below the curve the worst frames, far apart in time. A cell is correct if its mask and a true "
        "one overlap with an IoU above 0.5; of the others, a mask over several cells is "
        "merged, a cell under several masks is split."
    )
    return Section(f"{fold.name}: segmentation frame by frame", text, (), pictures, legend)

"""Makes Table 2, cells: our scores beside the paper's.

This module knows scores and reported numbers, not how either was made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from cosembed.study.scores import CellsScores, CtcMeasures, as_mapping, read_scores
from cosembed.study.tables import layout
from cosembed.study.tables.layout import Origin, number
from cosembed.study.tables.reported import UNKNOWN, ReportedCell, ReportedTable

MEASURES = ("OP", "SEG", "TRA")
DIFFERENCE = (
    "Ours and the paper's values are not directly comparable: the paper's are of the challenge's test "
    "videos, whose truth is not public, with networks trained on all annotated videos; ours are of annotated "
    "videos, or parts of a video, that the network was not trained on."
)
SEEN = (
    "Ours and the paper's values are not comparable: ours are of annotated videos that the authors' networks "
    "were trained on, the paper's of the challenge's test videos. Track those with --protocol=submission and "
    "send the result to the challenge."
)


def read_existing(paths: Iterable[Path]) -> list[CellsScores]:
    """Reads those metrics.json files that exist.

    Raises:
        DataError: One is damaged.
    """
    return [read_scores(CellsScores, path) for path in paths if path.exists()]


def rows(scores: Sequence[CellsScores], reported: ReportedTable) -> list[list[str]]:
    """Gives the header, and a row for every data set and measure.

    Its cells are our mean with every fold in brackets, that of the network that the training started from,
    the baseline's, and the paper's. All but ours have columns only if some data set has them.
    """
    started = any(entry.before for entry in scores)
    baselines = any(entry.baseline for entry in scores)
    known = any(entry.provenance.data in reported for entry in scores)
    header = ["data set (profile)", "measure", "ours"]
    header += ["before training"] if started else []
    header += ["baseline"] if baselines else []
    header += ["paper: value", "paper: rank", "2nd place", "confidence: value, rank, 2nd"] if known else []
    table = [header]
    for entry in scores:
        name = f"{entry.provenance.data} ({entry.provenance.profile})"
        for measure in MEASURES:
            row = [name if measure == MEASURES[0] else "", measure, _ours(entry, measure)]
            if started:
                row.append(_other(entry.before, measure))
            if baselines:
                row.append(_other(entry.baseline, measure))
            if known:
                row += _paper(reported.get(entry.provenance.data, {}).get(measure))
            table.append(row)
    return table


def header_lines(scores: Sequence[CellsScores], reported: ReportedTable) -> list[str]:
    """Says what a reader must know before the numbers, one or two sentences a line."""
    lines = layout.not_a_reproduction(entry.provenance.profile for entry in scores)
    for entry in scores:
        protocol = f"{entry.protocol}, networks of the authors" if entry.of_authors else entry.protocol
        lines.append(layout.origin_line(entry.provenance.data, entry.provenance, protocol))
    compared = [entry for entry in scores if entry.provenance.data in reported]
    if any(not entry.of_authors for entry in compared):
        lines.append(DIFFERENCE)
    if any(entry.of_authors for entry in compared):
        lines.append(SEEN)
    for entry in scores:
        if entry.before:
            lines.append(
                f"Before training: the network that it started from ({entry.start_from}), on the same frames "
                "and with the same values."
            )
    if any(len(entry.folds) > 1 for entry in scores):
        lines.append("Ours is the mean over the folds; in brackets, every fold.")
    return lines


def origins(scores: Sequence[CellsScores]) -> list[Origin]:
    """Says what made every data set's numbers."""
    return [Origin(entry.provenance.data, entry.provenance) for entry in scores]


def text(scores: Sequence[CellsScores], reported: ReportedTable) -> str:
    """Lays the table out for a terminal."""
    return layout.as_text(rows(scores, reported), header_lines(scores, reported))


def markdown(scores: Sequence[CellsScores], reported: ReportedTable) -> str:
    """Lays the table out for a document, with the command and the deviations behind every data set."""
    title = "# Table 2: Cell Tracking Challenge"
    return layout.as_markdown(title, rows(scores, reported), header_lines(scores, reported), origins(scores))


def as_json(scores: Sequence[CellsScores], reported: ReportedTable) -> str:
    """Writes our scores and the paper's cells for programs."""
    content = []
    for entry in scores:
        data = entry.provenance.data
        content.append(
            {
                "dataset": data,
                **as_mapping(entry),
                "reproduction": entry.provenance.profile == "paper" and not entry.of_authors,
                "reported": {measure: asdict(cell) for measure, cell in reported.get(data, {}).items()},
            }
        )
    return json.dumps({"notes": header_lines(scores, reported), "datasets": content}, indent=1) + "\n"


def _other(measures: CtcMeasures | None, measure: str) -> str:
    return number(getattr(measures, measure) if measures else None)


def _ours(entry: CellsScores, measure: str) -> str:
    mean = number(getattr(entry, measure))
    if len(entry.folds) < 2:
        return mean
    return f"{mean} ({', '.join(number(getattr(fold, measure)) for fold in entry.folds)})"


def _paper(cell: ReportedCell | None) -> list[str]:
    if cell is None:
        return ["-"] * 4
    second = UNKNOWN if cell.second_place is None else f"{cell.second_place:.3f}"
    confidences = (cell.confidence, cell.rank_confidence, cell.second_place_confidence)
    return [
        cell.text(3),
        cell.rank_text(),
        second,
        ", ".join(confidence or "-" for confidence in confidences),
    ]

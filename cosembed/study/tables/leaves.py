"""Makes Table 1b, leaves: our SBD and difference in count beside the paper's and others'.

This module knows scores and reported numbers.
"""

from __future__ import annotations

import numpy as np

from cosembed.study.scores import LeafMeasures, LeavesScores
from cosembed.study.tables import layout
from cosembed.study.tables.layout import Origin
from cosembed.study.tables.reported import ReportedCell, ReportedTable

PAPERS_DATA, PAPERS_PLANTS = "CVPPP-A1", 128
DOUBT = " ?"


def rows(scores: LeavesScores, reported: ReportedTable) -> list[list[str]]:
    """Gives header and a row for each method that the paper lists, the classical baseline, and ours."""
    table = [["method", "SBD in %", "|DiC|", "DiC", "FBD in %", "confidence: SBD, |DiC|", "source"]]
    for name, cells in reported.items():
        dice, count = cells["SBD"], cells["DiC"]
        sources = "; ".join(dict.fromkeys([dice.source, count.source]))
        confidences = f"{dice.confidence}, {count.confidence}"
        table.append([name, _cell(dice), _cell(count), "-", "-", confidences, sources])
    baseline = [plant.baseline for plant in scores.images.values()]
    ours: list[LeafMeasures] = list(scores.images.values())
    for name, measures in (("classical baseline, here", baseline), ("ours, here", ours)):
        counts = np.array([plant.DiC for plant in measures])
        dice_text = layout.mean_and_deviation([100 * plant.SBD for plant in measures])
        count_text = layout.mean_and_deviation(np.abs(counts))
        foreground_text = layout.mean_and_deviation([100 * plant.FBD for plant in measures])
        signed_text = f"{counts.mean():+.1f}"
        table.append([name, dice_text, count_text, signed_text, foreground_text, "measured", _data(scores)])
    return table


def header_lines(scores: LeavesScores, reported: ReportedTable) -> list[str]:
    """Says what a reader must know before the numbers."""
    made_by = scores.provenance
    lines = layout.not_a_reproduction([made_by.profile])
    lines.append(layout.origin_line(_data(scores), made_by))
    if reported and made_by.data != PAPERS_DATA:
        lines.append("The data are not the paper's (128 plants of CVPPP A1): the numbers are not comparable.")
    elif reported and len(scores.images) != PAPERS_PLANTS:
        lines.append(
            f"The paper tested {PAPERS_PLANTS} plants, not {len(scores.images)}: the numbers are not "
            "comparable."
        )
    lines.append(
        "Mean and sample standard deviation over images; DiC is found minus true leaves, FBD the Dice of the "
        "foreground."
    )
    if reported:
        lines[-1] += (
            " The paper's own row is three-fold cross-validation and so not directly comparable to the "
            f"other methods. '{DOUBT.strip()}': of low confidence."
        )
    return lines


def origins(scores: LeavesScores) -> list[Origin]:
    """Says what made our numbers and the baseline's."""
    return [Origin("ours and the baseline", scores.provenance)]


def text(scores: LeavesScores, reported: ReportedTable) -> str:
    """Lays the table out for a terminal."""
    return layout.as_text(rows(scores, reported), header_lines(scores, reported))


def markdown(scores: LeavesScores, reported: ReportedTable) -> str:
    """Lays the table out for a document."""
    title = "# Table 1b: leaves"
    return layout.as_markdown(title, rows(scores, reported), header_lines(scores, reported), origins(scores))


def _data(scores: LeavesScores) -> str:
    return f"{scores.provenance.data}, {len(scores.images)} plants tested"


def _cell(cell: ReportedCell) -> str:
    return cell.text(1) + (DOUBT if cell.confidence == "low" else "")

"""Table 1b, leaves: our SBD and difference in count beside the paper's and others'. Knows scores and reported numbers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.reading import read_json, reason
from cosembed.reporting.reported import Reported, load_reported
from cosembed.reporting.tables import NOT_A_REPRODUCTION, as_markdown, as_text, made_line, mean_and_deviation

MEASURES = ("SBD", "DiC", "baseline_SBD", "baseline_DiC")
PAPERS_DATA, PAPERS_PLANTS = "CVPPP-A1", 128
DOUBT = " ?"


@dataclass(frozen=True)
class LeafScores:
    """The scores of the experiment, as its metrics.json holds them.

    Attributes:
        images: Plant -> SBD 0..1 and signed difference in count, ours and the classical baseline's.
        deviations: (key, the paper's value, ours).
    """

    experiment: str
    data: str
    recipe: str
    profile: str
    split: str
    command: str
    deviations: Sequence[Sequence[Any]]
    images: Mapping[str, Mapping[str, float]]

    def column(self, measure: str) -> NDArray[np.float64]:
        """One measure of every plant."""
        return np.array([scores[measure] for scores in self.images.values()], np.float64)


def read_scores(path: Path) -> LeafScores:
    """Reads a metrics.json.

    Raises:
        DataError: It is damaged, or of another experiment.
    """
    try:
        scores = LeafScores(**read_json(path))
        known = all(
            isinstance(entry[measure], float | int)
            for entry in scores.images.values()
            for measure in MEASURES
        )
        if scores.experiment != "leaves" or not scores.images or not known:
            raise ValueError("another experiment, no images, or a score of another type")
        return scores
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{path}: is not the metrics of a leaf experiment ({reason(error)}); run --mode=evaluate again"
        ) from error


def rows(scores: LeafScores) -> list[list[str]]:
    """Header, the methods that the paper lists, the classical baseline, ours."""
    table = [["method", "SBD in %", "|DiC|", "DiC", "confidence: SBD, |DiC|", "source"]]
    for name, cells in load_reported("table1b").items():
        sbd, count = cells["SBD"], cells["DiC"]
        sources = list(dict.fromkeys([sbd.source, count.source]))
        table.append(
            [name, _cell(sbd), _cell(count), "-", f"{sbd.confidence}, {count.confidence}", "; ".join(sources)]
        )
    for name, prefix in (("classical baseline, here", "baseline_"), ("ours, here", "")):
        counts = scores.column(f"{prefix}DiC")
        sbd_text, count_text = (
            mean_and_deviation(100 * scores.column(f"{prefix}SBD")),
            mean_and_deviation(np.abs(counts)),
        )
        table.append([name, sbd_text, count_text, f"{counts.mean():+.1f}", "measured", scores.data])
    return table


def header_lines(scores: LeafScores) -> list[str]:
    """What a reader must know before the numbers."""
    lines = [] if scores.profile == "paper" else [NOT_A_REPRODUCTION.format(profile=scores.profile)]
    lines.append(made_line(scores.data, scores.recipe, scores.profile, scores.split, len(scores.deviations)))
    if not scores.data.startswith(PAPERS_DATA):
        lines.append("The data are not the paper's (128 plants of CVPPP A1): the numbers are not comparable.")
    elif len(scores.images) != PAPERS_PLANTS:
        lines.append(
            f"The paper tested {PAPERS_PLANTS} plants, not {len(scores.images)}: the numbers are not comparable."
        )
    lines.append(
        "Mean and sample standard deviation over images; DiC is found minus true leaves. The paper's own row is three-fold "
        f"cross-validation and so not directly comparable to the other methods. '{DOUBT.strip()}': of low confidence."
    )
    return lines


def text(scores: LeafScores) -> str:
    """For a terminal."""
    return as_text(rows(scores), header_lines(scores))


def markdown(scores: LeafScores) -> str:
    """For a document."""
    made = [("ours", scores.command, scores.deviations)]
    return as_markdown("# Table 1b: leaves", rows(scores), header_lines(scores), made)


def _cell(cell: Reported) -> str:
    return cell.text(1) + (DOUBT if cell.confidence == "low" else "")

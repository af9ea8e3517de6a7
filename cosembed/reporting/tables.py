"""Tables that put our scores beside the paper's. Knows scores and reported numbers, not how either was made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cosembed.errors import DataError
from cosembed.reporting.reported import load_reported

MEASURES = ("OP", "SEG", "TRA")
DIFFERENCE = (
    "The paper's values are of the challenge's test videos, whose truth is not public, with networks trained on both annotated "
    "videos. Ours are of annotated videos that the network was not trained on: the two are not directly comparable."
)
NOT_A_REPRODUCTION = "Profile {profile}: smaller than the paper's network and training. These numbers are not a reproduction."


@dataclass(frozen=True)
class DatasetScores:
    """The scores of one data set, as an experiment's metrics.json holds them.

    Attributes:
        dataset: The data set's name.
        recipe: paper or released.
        profile: The profile's name.
        protocol: crossval or submission.
        split: What trained and what was tested, one phrase.
        folds: One mapping per fold: train, test, SEG, DET, TRA, OP and error counts.
        command: What made them.
        deviations: (key, the paper's value, ours).
        SEG, DET, TRA, OP: Means over the folds; None where not scored.
        baseline: The same means for the classical baseline.
    """

    dataset: str
    recipe: str
    profile: str
    protocol: str
    split: str
    folds: list[dict[str, Any]]
    command: str
    deviations: list[list[Any]]
    SEG: float | None = None
    DET: float | None = None
    TRA: float | None = None
    OP: float | None = None
    baseline: dict[str, float | None] = field(default_factory=dict)


def read_scores(paths: Iterable[Path]) -> list[DatasetScores]:
    """Reads the metrics.json files that exist.

    Raises:
        DataError: One is damaged.
    """
    scores = []
    for path in paths:
        if path.exists():
            try:
                scores.append(DatasetScores(**json.loads(path.read_text())))
            except (ValueError, TypeError) as error:
                raise DataError(f"{path}: is not the metrics of an experiment ({error}); run --mode=evaluate again") from error
    return scores


def table2_rows(scores: Sequence[DatasetScores]) -> list[list[str]]:
    """Header and rows: per data set and measure the paper's rank and value, the 2nd place, ours, and the baseline."""
    reported = load_reported("table2")
    rows = [
        ["data set", "measure", "paper: rank", "paper: value", "2nd place", "ours", "baseline", "confidence of the paper's"]
    ]
    for entry in scores:
        for measure in MEASURES:
            cell = reported.get(entry.dataset, {}).get(measure)
            rows.append(
                [
                    entry.dataset if measure == MEASURES[0] else "",
                    measure,
                    (cell.rank or "not known") if cell else "-",
                    cell.text(3) if cell else "-",
                    f"{cell.second_place:.3f}" if cell and cell.second_place is not None else "-",
                    number(getattr(entry, measure)),
                    number(entry.baseline.get(measure)),
                    cell.confidence if cell else "-",
                ]
            )
    return rows


def header_lines(scores: Sequence[DatasetScores]) -> list[str]:
    """What a reader must know before the numbers."""
    profiles = sorted({entry.profile for entry in scores})
    lines = [
        f"Profile: {', '.join(profiles)}. Recipe: {', '.join(sorted({entry.recipe for entry in scores}))}. "
        f"Protocol: {', '.join(sorted({entry.protocol for entry in scores}))}."
    ]
    lines += [NOT_A_REPRODUCTION.format(profile=profile) for profile in profiles if profile != "paper"]
    lines.append(DIFFERENCE)
    lines += [f"{entry.dataset}: {entry.split}." for entry in scores]
    return lines


def table2_text(scores: Sequence[DatasetScores]) -> str:
    """For a terminal."""
    rows = table2_rows(scores)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*header_lines(scores), "", *lines]) + "\n"


def table2_markdown(scores: Sequence[DatasetScores]) -> str:
    """For a document, with the command behind every data set."""
    rows = table2_rows(scores)
    lines = [f"| {' | '.join(row)} |" for row in rows]
    lines.insert(1, "|---" * len(rows[0]) + "|")
    commands = [f"- {entry.dataset}: `{entry.command}`" for entry in scores]
    header = [line + "\n" for line in header_lines(scores)]
    return "\n".join(["# Table 2: Cell Tracking Challenge", "", *header, *lines, "", *commands]) + "\n"


def table2_json(scores: Sequence[DatasetScores]) -> str:
    """For programs: our scores and the paper's cells."""
    reported = load_reported("table2")
    content = [
        {
            **asdict(entry),
            "reported": {measure: asdict(cell) for measure, cell in reported.get(entry.dataset, {}).items()},
        }
        for entry in scores
    ]
    return json.dumps({"notes": header_lines(scores), "datasets": content}, indent=1) + "\n"


def number(value: float | None) -> str:
    """Three digits, or "not scored"."""
    return "not scored" if value is None else f"{value:.3f}"

"""Tables that put our scores beside the paper's. Knows scores and reported numbers, not how either was made."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.reading import read_json, reason
from cosembed.reporting.reported import UNKNOWN, Reported, load_reported

MEASURES = ("OP", "SEG", "TRA")
DIFFERENCE = (
    "Ours and the paper's values are not directly comparable: the paper's are of the challenge's test videos, whose truth is "
    "not public, with networks trained on all annotated videos; ours are of annotated videos, or parts of a video, that the "
    "network was not trained on."
)
RELEASED = "networks of the authors"
SEEN = (
    "Ours and the paper's values are not comparable: ours are of annotated videos that the authors' networks were trained on, "
    "the paper's of the challenge's test videos. Track those with --protocol=submission and send the result to the challenge."
)
NOT_A_REPRODUCTION = (
    "Profile {profile}: smaller than the paper's network and training. These numbers are not a reproduction."
)
WIDTH = 112


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
        baseline: The same means for the classical baseline, or None.
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
    baseline: dict[str, float | None] | None = None

    @property
    def of_authors(self) -> bool:
        """Made with a network that the authors trained, not with one of ours."""
        return self.protocol.endswith(RELEASED)


def read_scores(paths: Iterable[Path]) -> list[DatasetScores]:
    """Reads the metrics.json files that exist.

    Raises:
        DataError: One is damaged.
    """
    scores = []
    for path in paths:
        if path.exists():
            try:
                scores.append(DatasetScores(**read_json(path)))
            except (OSError, ValueError, TypeError) as error:
                raise DataError(
                    f"{path}: is not the metrics of an experiment ({reason(error)}); run --mode=evaluate again"
                ) from error
    return scores


def table2_rows(scores: Sequence[DatasetScores]) -> list[list[str]]:
    """Header and rows: per data set and measure ours (every fold in brackets), the baseline, and what is known of the paper's.

    The baseline and the paper have columns only if some data set has them.
    """
    reported = load_reported("table2")
    baselines = any(entry.baseline for entry in scores)
    known = any(entry.dataset in reported for entry in scores)
    header = ["data set (profile)", "measure", "ours"]
    header += ["baseline"] if baselines else []
    header += ["paper: value", "paper: rank", "2nd place", "confidence: value, rank, 2nd"] if known else []
    rows = [header]
    for entry in scores:
        for measure in MEASURES:
            row = [
                f"{entry.dataset} ({entry.profile})" if measure == MEASURES[0] else "",
                measure,
                _ours(entry, measure),
            ]
            row += [number((entry.baseline or {}).get(measure))] if baselines else []
            row += _paper(reported.get(entry.dataset, {}).get(measure)) if known else []
            rows.append(row)
    return rows


def header_lines(scores: Sequence[DatasetScores]) -> list[str]:
    """What a reader must know before the numbers, one sentence or two a line."""
    profiles = sorted({entry.profile for entry in scores} - {"paper"})
    lines = [NOT_A_REPRODUCTION.format(profile=profile) for profile in profiles]
    for entry in scores:
        profile = f"{entry.profile}, protocol {entry.protocol}"
        lines.append(made_line(entry.dataset, entry.recipe, profile, entry.split, len(entry.deviations)))
    reported = [entry for entry in scores if entry.dataset in load_reported("table2")]
    if any(not entry.of_authors for entry in reported):
        lines.append(DIFFERENCE)
    if any(entry.of_authors for entry in reported):
        lines.append(SEEN)
    if any(len(entry.folds) > 1 for entry in scores):
        lines.append("Ours is the mean over the folds; in brackets, every fold.")
    return lines


def mean_and_deviation(values: Sequence[float] | NDArray[np.float64]) -> str:
    """`78.3 ± 9.2`, as the paper prints it: mean and sample standard deviation, which one value has not."""
    spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{np.mean(values):.1f}{spread}"


def made_line(data: str, recipe: str, profile: str, split: str, deviations: int) -> str:
    """One sentence on what made a table's numbers."""
    changed = f"; values that differ from the profile paper: {deviations}" if deviations else ""
    return f"{data}: recipe {recipe}, profile {profile}; {split}{changed}."


def table2_text(scores: Sequence[DatasetScores]) -> str:
    """For a terminal."""
    return as_text(table2_rows(scores), header_lines(scores))


def table2_markdown(scores: Sequence[DatasetScores]) -> str:
    """For a document, with the command and the deviations behind every data set."""
    made = [(entry.dataset, entry.command, entry.deviations) for entry in scores]
    return as_markdown("# Table 2: Cell Tracking Challenge", table2_rows(scores), header_lines(scores), made)


def as_text(rows: list[list[str]], notes: Iterable[str]) -> str:
    """Notes and a table for a terminal; the first row is the header."""
    header, *body = _padded(rows)
    lines = ["  ".join(row).rstrip() for row in (header, ["-" * len(cell) for cell in header], *body)]
    wrapped = [
        textwrap.fill(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
        for line in notes
    ]
    return "\n".join([*wrapped, "", *lines]) + "\n"


def as_markdown(
    title: str,
    rows: list[list[str]],
    notes: Iterable[str],
    made: Iterable[tuple[str, str, Iterable[Sequence[Any]]]],
) -> str:
    """Title, notes, table, then for everything in it what made it: (name, command, deviations from the paper's profile)."""
    header, *body = _padded(rows)
    lines = [f"| {' | '.join(row)} |" for row in (header, ["-" * len(cell) for cell in header], *body)]
    details = []
    for name, command, deviations in made:
        details.append(f"- {name}: `{command}`")
        details += [
            f"  - {key}: paper {readable(theirs)}, here {readable(ours)}" for key, theirs, ours in deviations
        ]
    spaced = [line + "\n" for line in notes]
    return (
        "\n".join([title, "", *spaced, *lines, "", "Commands, and where their values differ:", "", *details])
        + "\n"
    )


def table2_json(scores: Sequence[DatasetScores]) -> str:
    """For programs: our scores and the paper's cells."""
    reported = load_reported("table2")
    content = []
    for entry in scores:
        cells = {measure: asdict(cell) for measure, cell in reported.get(entry.dataset, {}).items()}
        content.append(
            {
                **asdict(entry),
                "reproduction": entry.profile == "paper" and not entry.of_authors,
                "reported": cells,
            }
        )
    return json.dumps({"notes": header_lines(scores), "datasets": content}, indent=1) + "\n"


def readable(value: object) -> str:
    """A value of a spec, without the digits that only a computer cares for."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def number(value: float | None) -> str:
    """Three digits, or "not scored"."""
    return "not scored" if value is None else f"{value:.3f}"


def _ours(entry: DatasetScores, measure: str) -> str:
    if len(entry.folds) < 2:
        return number(getattr(entry, measure))
    return f"{number(getattr(entry, measure))} ({', '.join(number(fold[measure]) for fold in entry.folds)})"


def _paper(cell: Reported | None) -> list[str]:
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


def _padded(rows: list[list[str]]) -> list[list[str]]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]

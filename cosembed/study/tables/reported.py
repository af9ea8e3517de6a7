"""Reads a paper's own numbers, with source and confidence.

What is not known stays unknown. This module knows nothing of our numbers.

The file is not part of the package: whoever names an experiment names the file with the numbers to compare
with.
"""

from __future__ import annotations

import re
import typing
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from cosembed.errors import SpecError
from cosembed.files.reading import read_json, reason

UNKNOWN = "not known"
CONFIDENCES = ("high", "medium-high", "medium", "low-medium", "low")


@dataclass(frozen=True)
class ReportedCell:
    """Holds one cell of a table of the paper.

    Attributes:
        value: As printed, or None if not known.
        source: Where the value (or the bound) comes from.
        confidence: In the value (or the bound): one of `CONFIDENCES`.
        sd: Standard deviation, or None.
        bound: What follows for a value that is not known, for example `< 0.893` (Table 2).
        rank: Rank on the challenge's test videos, `1` or `1 or 2` (Table 2), with source and confidence.
        second_place: Value of the 2nd place (Table 2), with source and confidence.
    """

    value: float | None
    source: str
    confidence: str
    sd: float | None = None
    bound: str | None = None
    rank: str | None = None
    rank_source: str | None = None
    rank_confidence: str | None = None
    second_place: float | None = None
    second_place_source: str | None = None
    second_place_confidence: str | None = None

    def __post_init__(self) -> None:
        """Raises `TypeError` or `ValueError` for a field of another type, or a confidence that is none."""
        hints = typing.get_type_hints(type(self))
        for name in (entry.name for entry in fields(self)):
            value = getattr(self, name)
            if not isinstance(value, hints[name]):
                raise TypeError(f"'{name}' is {value!r}")
            if name.endswith("confidence") and value not in (None, *CONFIDENCES):
                raise ValueError(f"'{name}' is {value!r}, none of {', '.join(CONFIDENCES)}")

    def text(self, digits: int) -> str:
        """Prints the value with its standard deviation; one that is not known with its bound, if any."""
        if self.value is None:
            return UNKNOWN if self.bound is None else f"{UNKNOWN} ({self.bound})"
        spread = "" if self.sd is None else f" ± {self.sd:.{digits}f}"
        return f"{self.value:.{digits}f}{spread}"

    def rank_text(self) -> str:
        """Prints the rank as an ordinal, `1st or 2nd`, or "not known"."""
        suffixes = {"1": "st", "2": "nd", "3": "rd"}
        return re.sub(r"\d+", lambda match: match[0] + suffixes.get(match[0], "th"), self.rank or UNKNOWN)


# Row -> column -> cell.
ReportedTable = dict[str, dict[str, ReportedCell]]


@dataclass(frozen=True)
class Reported:
    """Holds the tables of the paper; one that is empty has nothing to compare with.

    Attributes:
        heart: Table 1a, class -> network.
        leaves: Table 1b, method -> measure.
        cells: Table 2, data set -> measure.
    """

    heart: ReportedTable = field(default_factory=dict)
    leaves: ReportedTable = field(default_factory=dict)
    cells: ReportedTable = field(default_factory=dict)


NOTHING_REPORTED = Reported()


def read_reported(path: Path) -> Reported:
    """Reads all tables of a file.

    Raises:
        SpecError: It is damaged: unknown keys, values of another type, missing columns.
    """
    try:
        content = read_json(path)
        return Reported(*(parse_table(content[name]) for name in ("table1a", "table1b", "table2")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpecError(
            f"{path}: the paper's numbers cannot be read ({reason(error)}); restore the file"
        ) from error


def parse_table(content: Any) -> ReportedTable:
    """Reads the rows of one table.

    Raises `ValueError`, `TypeError` or `KeyError` that names what is wrong.
    """
    rows = {}
    for row, cells in content["rows"].items():
        if list(cells) != content["columns"]:
            raise ValueError(f"row {row} has the columns {list(cells)}, not {content['columns']}")
        rows[row] = {name: ReportedCell(**cell) for name, cell in cells.items()}
    return rows

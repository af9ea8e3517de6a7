"""The paper's own numbers, with source and confidence; what is not known stays unknown. Knows nothing of ours."""

from __future__ import annotations

import importlib.resources
import json
import re
import typing
from dataclasses import dataclass, fields
from typing import Any

from cosembed.errors import SpecError

UNKNOWN = "not known"
CONFIDENCES = ("high", "medium-high", "medium", "low-medium", "low")


@dataclass(frozen=True)
class Reported:
    """One cell of a table of the paper.

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
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, hints[field.name]):
                raise TypeError(f"'{field.name}' is {value!r}")
            if field.name.endswith("confidence") and value not in (None, *CONFIDENCES):
                raise ValueError(f"'{field.name}' is {value!r}, none of {', '.join(CONFIDENCES)}")

    def text(self, digits: int) -> str:
        """The value with its standard deviation, else "not known" with its bound, if there is one."""
        if self.value is None:
            return UNKNOWN if self.bound is None else f"{UNKNOWN} ({self.bound})"
        spread = "" if self.sd is None else f" ± {self.sd:.{digits}f}"
        return f"{self.value:.{digits}f}{spread}"

    def rank_text(self) -> str:
        """The rank as an ordinal, `1st or 2nd`, or "not known"."""
        suffixes = {"1": "st", "2": "nd", "3": "rd"}
        return re.sub(r"\d+", lambda match: match[0] + suffixes.get(match[0], "th"), self.rank or UNKNOWN)


Table = dict[str, dict[str, Reported]]


def load_reported(table: str) -> Table:
    """A table of the paper: row -> column -> cell.

    Args:
        table: `table1a`, `table1b` or `table2`.

    Raises:
        SpecError: `experiments/reported.json` is damaged: unknown keys, values of another type, missing columns.
    """
    source = "experiments/reported.json"
    try:
        text = (importlib.resources.files("experiments") / "reported.json").read_text(encoding="utf-8")
        return parse_table(json.loads(text)[table])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpecError(f"{source}: {table} cannot be read ({error}); restore the file") from error


def parse_table(content: Any) -> Table:
    """Rows of one table of the file; raises `ValueError`, `TypeError` or `KeyError` that names what is wrong."""
    rows = {}
    for row, cells in content["rows"].items():
        if list(cells) != content["columns"]:
            raise ValueError(f"row {row} has the columns {list(cells)}, not {content['columns']}")
        rows[row] = {name: Reported(**cell) for name, cell in cells.items()}
    return rows

"""The paper's own numbers, with source and confidence; what is not known stays unknown. Knows nothing of ours."""

from __future__ import annotations

import importlib.resources
import json
from dataclasses import dataclass
from typing import Any

from cosembed.errors import SpecError

UNKNOWN = "not known"


@dataclass(frozen=True)
class Reported:
    """One cell of a table of the paper.

    Attributes:
        value: As printed, or None if not known.
        sd: Standard deviation, or None.
        rank: Rank on the challenge's test videos (Table 2).
        second_place: Value of the 2nd place (Table 2).
        bound: What follows for the value from rank and 2nd place, for example `< 0.893`.
        source: Where the value comes from.
        confidence: high, medium or low.
    """

    value: float | None
    source: str
    confidence: str
    sd: float | None = None
    rank: str | None = None
    second_place: float | None = None
    bound: str | None = None

    def text(self, digits: int) -> str:
        """The value, else its bound, else "not known"."""
        if self.value is None:
            return self.bound or UNKNOWN
        spread = "" if self.sd is None else f" ± {self.sd:.{digits}f}"
        return f"{self.value:.{digits}f}{spread}"


Table = dict[str, dict[str, Reported]]


def load_reported(table: str) -> Table:
    """A table of the paper: row -> column -> cell.

    Args:
        table: `table1a`, `table1b` or `table2`.

    Raises:
        SpecError: `experiments/reported.json` is damaged.
    """
    source = "experiments/reported.json"
    try:
        content: Any = json.loads((importlib.resources.files("experiments") / "reported.json").read_text(encoding="utf-8"))[
            table
        ]
        rows = {row: {name: Reported(**cell) for name, cell in cells.items()} for row, cells in content["rows"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise SpecError(f"{source}: {table} cannot be read ({error}); restore the file") from error
    for row, cells in rows.items():
        if list(cells) != content["columns"]:
            raise SpecError(
                f"{source}: {table}, row {row} has the columns {list(cells)}, not {content['columns']}; restore the file"
            )
    return rows

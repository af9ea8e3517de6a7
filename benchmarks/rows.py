"""Lays rows of measurements out as a table for people. It knows nothing of what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cosembed.study.tables.layout import as_text

Row = dict[str, object]


def table(rows: Sequence[Row], notes: Iterable[str] = ()) -> str:
    """Lays rows out as a table.

    Args:
        rows: At least one; all have the keys of the first one, which are the columns. None is an empty cell.
        notes: Lines below the table.
    """
    cells = [[_cell(row[name]) for name in rows[0]] for row in rows]
    return as_text([[name.replace("_", " ") for name in rows[0]], *cells], notes)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return "" if value is None else str(value)

"""Lays the scores of several trackers out: a row each, the mean over videos. Knows not how they were made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cosembed.metrics.ctc import ERROR_NAMES, ERRORS
from cosembed.metrics.measures import MEASURES

Row = dict[str, Any]
# What a table shows of all scores, and how it calls it.
COLUMNS = {
    **{name: name for name in ("SEG", "DET", "TRA", "LNK", "CHOTA")},
    "division_f1(0)": "Division F1",
    "division_f1(1)": "Division F1, a frame apart",
    "CT": "CT",
    **{name: ERROR_NAMES[name].capitalize() for name in ("ED", "EA", "EC")},
}


def means_over_videos(rows: Iterable[Row]) -> list[Row]:
    """Takes the mean of every score and the sum of every count over the videos, for each method.

    A score that is undefined for a video takes no part in its mean.
    """
    by_method: dict[str, list[Row]] = {}
    for row in rows:
        by_method.setdefault(row["method"], []).append(row)
    return [_mean(method, several) for method, several in by_method.items()]


def as_table(rows: Sequence[Row]) -> str:
    """Lays rows out as a table in Markdown."""
    known = [name for name in COLUMNS if any(row.get(name) is not None for row in rows)]
    titles = ["Video", "Linking", "Version", *(COLUMNS[name] for name in known)]
    lines = [titles, ["---"] * len(titles)]
    for row in rows:
        lines.append(
            [row["video"], row["method"], row["version"], *(_shown(row.get(name)) for name in known)]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _mean(method: str, rows: Sequence[Row]) -> Row:
    mean: Row = {
        "video": f"{len(rows)} videos: means, sums",
        "method": method,
        "version": rows[0]["version"],
    }
    for name in (*MEASURES, *ERRORS):
        values = [row[name] for row in rows if row.get(name) is not None]
        total = sum(values)
        mean[name] = None if not values else total if name in ERRORS else total / len(values)
    return mean


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)

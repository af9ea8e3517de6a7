"""Lays tables out as text and Markdown, with what made their numbers.

This module knows nothing of what the numbers measure.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed.study.scores import Provenance

NOT_A_REPRODUCTION = (
    "Profile {profile}: smaller than the paper's network and training. These numbers are not a reproduction."
)
WIDTH = 112


@dataclass(frozen=True)
class Origin:
    """Says what made the numbers of a row or column, which is called `name`."""

    name: str
    provenance: Provenance


def as_text(rows: Sequence[Sequence[str]], notes: Iterable[str]) -> str:
    """Lays notes and a table out for a terminal; the first row is the header."""
    header, *body = _padded(rows)
    lines = ["  ".join(row).rstrip() for row in (header, ["-" * len(cell) for cell in header], *body)]
    wrapped = [
        textwrap.fill(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
        for line in notes
    ]
    return "\n".join([*wrapped, "", *lines]) + "\n"


def as_markdown(
    title: str, rows: Sequence[Sequence[str]], notes: Iterable[str], origins: Iterable[Origin]
) -> str:
    """Lays out title, notes and table, then the commands behind it and where they deviate from the paper."""
    header, *body = _padded(rows)
    lines = [f"| {' | '.join(row)} |" for row in (header, ["-" * len(cell) for cell in header], *body)]
    details = []
    for origin in origins:
        details.append(f"- {origin.name}: `{origin.provenance.command}`")
        details += [
            f"  - {key}: paper {readable(theirs)}, here {readable(ours)}"
            for key, theirs, ours in origin.provenance.deviations
        ]
    spaced = [line + "\n" for line in notes]
    commands = ["", "Commands, and where their values differ:", "", *details]
    return "\n".join([title, "", *spaced, *lines, *commands]) + "\n"


def not_a_reproduction(profiles: Iterable[str]) -> list[str]:
    """Warns of every profile but the paper's, once each."""
    return [
        NOT_A_REPRODUCTION.format(profile=profile) for profile in sorted(set(profiles)) if profile != "paper"
    ]


def origin_line(data: str, provenance: Provenance, protocol: str = "") -> str:
    """Says in one sentence what made a table's numbers; `data` describes the data set."""
    count = len(provenance.deviations)
    changed = f"; values that differ from the profile paper: {count}" if count else ""
    profile = f"profile {provenance.profile}" + (f", protocol {protocol}" if protocol else "")
    return f"{data}: recipe {provenance.recipe}, {profile}; {provenance.split}{changed}."


def mean_and_deviation(values: Sequence[float] | NDArray[np.float64]) -> str:
    """Prints `78.3 ± 9.2` as the paper does: mean and sample standard deviation, which one value has not."""
    spread = f" ± {np.std(values, ddof=1):.1f}" if len(values) > 1 else ""
    return f"{np.mean(values):.1f}{spread}"


def readable(value: Any) -> str:
    """Prints a value of a spec without the digits that only a computer cares for."""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def number(value: float | None) -> str:
    """Prints three digits, or "not scored"."""
    return "not scored" if value is None else f"{value:.3f}"


def _padded(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]

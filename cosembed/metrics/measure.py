"""Says what a measure is: a number with the counts behind it, or the reason why there is none."""

from __future__ import annotations

from typing import NamedTuple


class Measure(NamedTuple):
    """Holds one measure of a result.

    Attributes:
        value: The number; None where it is undefined.
        counts: What it was computed from: name -> how many.
        undefined: Why there is no number, as the end of a sentence; empty if there is one.
    """

    value: float | None
    counts: dict[str, int]
    undefined: str = ""


def ratio(part: int, whole: int, counts: dict[str, int], undefined: str) -> Measure:
    """Divides two numbers; the measure is undefined, for the reason given, where `whole` is 0."""
    if not whole:
        return Measure(None, counts, undefined)
    return Measure(part / whole, counts)

"""Measures the time that is spent in parts of a stream. Knows nothing of what they do."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


class Stopwatch:
    """Adds up the time spent inside generators, and since it was made.

    Attributes:
        seconds: Stage -> wall time so far.
    """

    def __init__(self) -> None:
        """Starts with no stage."""
        self.seconds: dict[str, float] = {}
        self._begin = time.perf_counter()

    def timed(self, stage: str, items: Iterable[Item]) -> Iterator[Item]:
        """Yields items and adds the time that it takes to make them to a stage."""
        self.seconds.setdefault(stage, 0.0)
        begin = time.perf_counter()
        for item in items:
            self.seconds[stage] += time.perf_counter() - begin
            yield item
            begin = time.perf_counter()

    def stages(self, rest: str) -> dict[str, float]:
        """Returns the time of every stage, and under another name all that is left, in hundredths."""
        left = time.perf_counter() - self._begin - sum(self.seconds.values())
        return {stage: round(spent, 2) for stage, spent in (self.seconds | {rest: left}).items()}

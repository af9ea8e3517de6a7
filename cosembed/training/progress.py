"""Tells the person waiting how training goes: a bar on a terminal, otherwise a log line now and then.

This module knows no network.
"""

from __future__ import annotations

import sys
from types import TracebackType

from absl import logging
from tqdm import tqdm


class Progress:
    """Counts iterations, and shows loss, step time and remaining time."""

    def __init__(self, total: int, done: int, title: str) -> None:
        """`done` iterations were made by an earlier start of the same run."""
        self._total = total
        self._title = title
        self._every = max(1, total // 20)
        self._loss: float | None = None
        self._bar = tqdm(
            total=total,
            initial=done,
            desc=title,
            unit="step",
            disable=not sys.stderr.isatty(),
            smoothing=0.05,
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.close()

    def update(self, step: int, loss: float, seconds: float) -> None:
        """Counts an iteration that took `seconds`; the loss that is shown is a running mean."""
        self._loss = loss if self._loss is None else 0.95 * self._loss + 0.05 * loss
        self._bar.set_postfix(loss=f"{self._loss:.4f}", step_time=f"{seconds:.2f}s", refresh=False)
        self._bar.update()
        if self._bar.disable and (step % self._every == 0 or step == self._total):
            remaining = (self._total - step) * seconds / 60
            logging.info(
                "%s: step %d of %d, loss %.4f, %.2f s a step, about %.0f min left",
                self._title, step, self._total, self._loss, seconds, remaining,
            )  # fmt: skip

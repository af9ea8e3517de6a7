"""Tells the person waiting how training goes: a bar on a terminal, otherwise a log line now and then.

This module knows no network.
"""

from __future__ import annotations

import sys
from types import TracebackType

from absl import logging
from tqdm import tqdm


class Progress:
    """Counts iterations, and shows loss, step time, the share of waiting for data, and remaining time."""

    def __init__(self, total: int, done: int, title: str) -> None:
        """`done` iterations were made by an earlier start of the same run."""
        self._total = total
        self._title = title
        self._every = max(1, total // 20)
        self._loss: float | None = None
        self._seconds = self._waited = 0.0
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

    def update(self, step: int, loss: float, seconds: float, waited: float) -> None:
        """Counts an iteration.

        Args:
            step: Its number, counted from 1.
            loss: Its loss; what is shown is a running mean.
            seconds: How long it took.
            waited: How much of this the data were waited for; what is shown is the share since the last line,
                or on a terminal a running mean of it.
        """
        self._loss = loss if self._loss is None else 0.95 * self._loss + 0.05 * loss
        if not self._bar.disable:
            self._seconds, self._waited = 0.95 * self._seconds, 0.95 * self._waited
        self._seconds, self._waited = self._seconds + seconds, self._waited + waited
        waiting = self._waited / self._seconds if self._seconds else 0.0
        self._bar.set_postfix(
            loss=f"{self._loss:.4f}", step_time=f"{seconds:.2f}s", waiting=f"{waiting:.0%}", refresh=False
        )
        self._bar.update()
        if self._bar.disable and (step % self._every == 0 or step == self._total):
            remaining = (self._total - step) * seconds / 60
            logging.info(
                "%s: step %d of %d, loss %.4f, %.2f s a step, %.0f %% of it waiting for data, "
                "about %.0f min left",
                self._title, step, self._total, self._loss, seconds, 100 * waiting, remaining,
            )  # fmt: skip
            self._seconds = self._waited = 0.0

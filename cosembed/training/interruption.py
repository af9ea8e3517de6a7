"""Lets a loop finish its running step when the program is asked to end. Knows nothing of training."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


class Interruption:
    """Notes the first SIGINT (Ctrl-C) or SIGTERM (as of a batch system) instead of obeying it at once."""

    def __init__(self) -> None:
        """Notes nothing yet; see `postponed_interruption`."""
        self.noted: int | None = None
        self._before: dict[int, Any] = {}
        # Only the main thread may choose what signals do; one that is ignored (nohup) stays so.
        if threading.current_thread() is threading.main_thread():
            handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
            self._before = {
                number: handler
                for number, handler in handlers.items()
                if handler is not None and handler is not signal.SIG_IGN
            }
            for number in self._before:
                signal.signal(number, self._note)

    @property
    def is_noted(self) -> bool:
        """Whether the program was asked to end."""
        return self.noted is not None

    def restore(self) -> None:
        """Lets signals do what they did before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.noted = number
        # A second signal ends a step that takes too long.
        self.restore()


@contextmanager
def postponed_interruption() -> Iterator[Interruption]:
    """Yields an `Interruption`; what it has noted is obeyed when the block has ended.

    Raises:
        KeyboardInterrupt: Ctrl-C, or another signal that does not end the program by itself.
    """
    interruption = Interruption()
    try:
        yield interruption
    finally:
        interruption.restore()
    if interruption.noted is not None:
        signal.raise_signal(interruption.noted)
        raise KeyboardInterrupt

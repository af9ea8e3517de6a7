"""Says how far a loop over frames is: a bar on a terminal or in a notebook, else a log line now and then.

It knows nothing of frames.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from absl.logging import get_absl_logger
from tqdm import tqdm

Item = TypeVar("Item")
# So many seconds lie between two lines of a log.
SECONDS = 20
_SILENT = ContextVar("silent", default=False)


@contextmanager
def progress_shown(shown: bool) -> Iterator[None]:
    """Shows the progress of the loops inside the block, or hides it."""
    before = _SILENT.set(not shown)
    try:
        yield
    finally:
        _SILENT.reset(before)


def is_progress_shown() -> bool:
    """Tells whether loops show their progress here."""
    return not _SILENT.get()


def with_progress(items: Iterable[Item], total: int, title: str) -> Iterator[Item]:
    """Passes items on and says how many of them are done.

    Args:
        items: What the loop is over.
        total: The number of items.
        title: What the loop does, such as `tracking`.
    """
    bar, last = not _SILENT.get() and _can_draw(), time.monotonic()
    for count, item in enumerate(
        tqdm(items, total=total, desc=title, unit="frame", disable=not bar), start=1
    ):
        yield item
        if not bar and not _SILENT.get() and time.monotonic() - last > SECONDS:
            last = time.monotonic()
            get_absl_logger().info("%s: frame %d of %d", title, count, total)


def _can_draw() -> bool:
    """Tells whether a line can be written again: on a terminal, and in a notebook, whose kernel says so."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules

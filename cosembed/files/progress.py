"""Says how far a loop over frames or tiles is: a bar on a terminal or in a notebook, else a log line.

A line comes now and then and says how much time is left. Knows nothing of frames and tiles.
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


def with_progress(items: Iterable[Item], total: int, title: str, unit: str = "frame") -> Iterator[Item]:
    """Passes items on and says how many of them are done.

    Args:
        items: What the loop is over.
        total: The number of items.
        title: What the loop does, such as `tracking`.
        unit: What an item is called.
    """
    begin = time.monotonic()
    bar, last = not _SILENT.get() and _can_draw(), begin
    for count, item in enumerate(tqdm(items, total=total, desc=title, unit=unit, disable=not bar), start=1):
        yield item
        if not bar and not _SILENT.get() and time.monotonic() - last > SECONDS:
            last = time.monotonic()
            left = (last - begin) / count * (total - count)
            get_absl_logger().info(
                "%s: %s %d of %d, about %s left", title, unit, count, total, _duration(left)
            )


def _duration(seconds: float) -> str:
    """Says for people how long something takes: `40 s`, `12 min`, `3.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def _can_draw() -> bool:
    """Tells whether a line can be written again: on a terminal, and in a notebook, whose kernel says so."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules

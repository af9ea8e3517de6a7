"""Says how far a loop over frames is: a bar, or a log line now and then. Knows nothing of frames.

The bar is for terminals and notebooks; a log line is written where nobody watches.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

from absl import logging
from tqdm import tqdm

Item = TypeVar("Item")
SECONDS = 20
_wanted = ContextVar("progress is wanted", default=True)


def with_progress(items: Iterable[Item], total: int, title: str) -> Iterator[Item]:
    """Passes items on and says how many of them have passed.

    Args:
        items: What is passed on.
        total: Their number.
        title: What is being done, in a word.
    """
    if not _wanted.get():
        yield from items
        return
    watched, last = _is_watched(), time.monotonic()
    bar = tqdm(items, total=total, desc=title, unit="frame", disable=not watched)
    for count, item in enumerate(bar, start=1):
        yield item
        if not watched and time.monotonic() - last > SECONDS:
            last = time.monotonic()
            logging.info("%s: frame %d of %d", title, count, total)


@contextmanager
def progress(wanted: bool) -> Iterator[None]:
    """Lets the loops that begin in the block say how far they are, or keeps all of them silent."""
    before = _wanted.set(wanted)
    try:
        yield
    finally:
        _wanted.reset(before)


def _is_watched() -> bool:
    # The standard error of a notebook says that it is no terminal.
    return sys.stderr.isatty() or "ipykernel" in sys.modules

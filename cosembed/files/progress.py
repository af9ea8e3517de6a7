"""Says how far a loop over frames is: a bar on a terminal, otherwise a log line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from absl import logging
from tqdm import tqdm

Item = TypeVar("Item")
# So many seconds lie between two lines of a log.
SECONDS = 20


def with_progress(items: Iterable[Item], total: int, title: str) -> Iterator[Item]:
    """Passes items on and says how far they are.

    Args:
        items: What to pass on, one by one.
        total: How many there will be.
        title: What is done with them, in a word.
    """
    terminal, last = sys.stderr.isatty(), time.monotonic()
    for count, item in enumerate(
        tqdm(items, total=total, desc=title, unit="frame", disable=not terminal), start=1
    ):
        yield item
        if not terminal and time.monotonic() - last > SECONDS:
            last = time.monotonic()
            logging.info("%s: frame %d of %d", title, count, total)

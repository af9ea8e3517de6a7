"""Lets threads work beside a loop, with results in the order of what they are made from.

Knows nothing of what is computed. Threads do what processes would wherever the work is compiled code that
others run beside, and nothing has to be sent to them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
# Items that wait to be worked on, for each thread.
AHEAD = 2


def map_in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, name: str
) -> Iterator[Result]:
    """Applies a function to items while the next ones are made.

    Args:
        function: What the threads run.
        items: Made by this thread, and not more than a few ahead of the results.
        workers: How many threads there are; 0: this one, between the items.
        name: What the threads are called.

    Yields:
        The results in the order of the items.
    """
    if workers == 0:
        yield from map(function, items)
        return
    executor = ThreadPoolExecutor(workers, name)
    try:
        ahead: deque[Future[Result]] = deque()
        for item in items:
            ahead.append(executor.submit(function, item))
            # The queue is bounded: else a fast network would fill the memory with embeddings.
            if len(ahead) > AHEAD * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)

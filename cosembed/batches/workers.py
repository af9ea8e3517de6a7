"""Lets processes beside the training process make its batches.

`batches_by_workers` turns a source of batches into one that gives the same batches, made ahead by workers.
The source lies in shared memory once, and finished batches come back through slots of shared memory that are
used again and again. Any executor of `concurrent.futures` whose tasks run on this machine can take the place
of the workers. This module knows no images and no network.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from typing import NamedTuple

from absl import logging
from numpy.typing import NDArray

from cosembed.batches.pipeline import BatchSource
from cosembed.errors import DataError
from cosembed.files.reading import reason
from cosembed.processes.pool import MOST_DEATHS, WorkerDiedError, WorkerPool
from cosembed.processes.shared_memory import ArrayForm, FileHandle, SharedObject, Slot, share, write_arrays

# Slots per worker: one is being filled, one waits to be read.
SLOTS = 2


class _Ordered(NamedTuple):
    """Holds a batch that is being made, and the slot that it comes back in."""

    forms: Future[list[ArrayForm]]
    slot: Slot


class WorkerBatchSource:
    """Gives the batches of another source, made by the tasks of an executor; a `BatchSource`.

    Batches are ordered ahead in the order of their index, as many as there are slots.

    Args:
        source: Is pickled once; its arrays are shared.
        executor: Calls functions on this machine.
        slots: How many batches are ordered ahead.
        stop: The first index that is not ordered ahead any more.

    Raises:
        OSError: There is too little memory.
    """

    def __init__(self, source: BatchSource, executor: Executor, slots: int, stop: int) -> None:
        self.seed, self.signature = source.seed, source.signature
        self._executor, self._stop = executor, stop
        self._shared = share(source)
        self._slots = [Slot() for _ in range(slots)]
        self._free = list(self._slots)
        self._next = 0
        self._ordered: dict[int, _Ordered] = {}

    def batch(self, index: int) -> dict[str, NDArray]:
        """Makes the batch of step `index`, counted from 0.

        Raises:
            DataError: Every worker that makes this batch dies; other errors are those of the source.
        """
        if index not in self._ordered:
            self._start_at(index)
        ordered = self._ordered.pop(index)
        try:
            arrays = ordered.slot.read(ordered.forms.result())
        except WorkerDiedError as error:
            raise DataError(
                f"clip {index}, seed {self.seed}: {MOST_DEATHS} worker processes died while they made it; "
                "see whether memory runs out, or train with --workers=0 to see what the clip does"
            ) from error
        self._free.append(ordered.slot)
        self._order()
        return arrays

    def close(self) -> None:
        """Gives the shared memory back; the executor must have ended all tasks."""
        self._shared.close()
        for slot in self._slots:
            slot.close()

    def _start_at(self, index: int) -> None:
        """Orders from an index on; what else was ordered has to be finished before its slots are used."""
        for forms, slot in self._ordered.values():
            if not forms.cancel():
                forms.exception()
            self._free.append(slot)
        self._ordered.clear()
        self._next = index
        self._order(at_least=1)

    def _order(self, at_least: int = 0) -> None:
        while self._free and (self._next < self._stop or at_least > 0):
            slot = self._free.pop()
            forms = self._executor.submit(_make_batch, self._shared, slot.file, self._next)
            self._ordered[self._next] = _Ordered(forms, slot)
            self._next, at_least = self._next + 1, at_least - 1


def _make_batch(shared: SharedObject, slot: FileHandle, index: int) -> list[ArrayForm]:
    """Makes a batch in a worker."""
    source: BatchSource = shared.load()
    return write_arrays(slot, source.batch(index))


@contextmanager
def batches_by_workers(source: BatchSource, workers: int, stop: int) -> Iterator[BatchSource]:
    """Yields a source of the same batches, made by worker processes while the block runs.

    Where the machine does not let processes share memory, the source itself is yielded, and the log says so.

    Args:
        source: The source; drop it, so that what it holds is in memory only once.
        workers: How many processes make batches; with 0 the source itself is yielded.
        stop: The number of batches: none after it is made ahead.
    """
    if workers == 0:
        yield source
        return
    try:
        pool = WorkerPool(workers)
    except OSError as error:
        logging.warning(
            "batches are made in the training process: there is no room in /dev/shm for workers (%s); make "
            "it larger to have them",
            reason(error),
        )
        yield source
        return
    try:
        made = WorkerBatchSource(source, pool, SLOTS * workers, stop)
    except OSError as error:
        pool.shutdown()
        logging.warning(
            "batches are made in the training process: there is no memory to share with workers (%s)",
            reason(error),
        )
        yield source
        return
    del source
    try:
        yield made
    finally:
        pool.shutdown(wait=True)
    made.close()

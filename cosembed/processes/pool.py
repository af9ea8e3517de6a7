"""Runs functions in worker processes that end with this one and are replaced where they are killed.

A `WorkerPool` is an executor of `concurrent.futures`, put together of `ProcessPoolExecutor`s of one process
each: so it is known which task a dead process was working on, and all others go on. Processes are spawned,
never forked. This module knows nothing of what they compute.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import connection, get_context, parent_process
from typing import Any

from absl import logging

# A task that so many processes died of is not tried again.
MOST_DEATHS = 3
# A worker computes with one thread: there are as many workers as cores.
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


class WorkerDiedError(Exception):
    """Every process that worked on a task was killed, or died of it."""


@dataclass
class _Task:
    """Holds a call, its outcome to be, and how many processes died of it."""

    call: Callable[[], Any]
    future: Future
    deaths: int = 0


@dataclass(frozen=True)
class _Finished:
    """Says that a process has ended a task, or that it died."""

    process: ProcessPoolExecutor
    task: _Task
    outcome: Future


@dataclass
class _Queue:
    """Holds the tasks that wait for a process, and the processes that wait for a task."""

    tasks: deque[_Task] = field(default_factory=deque)
    processes: deque[ProcessPoolExecutor] = field(default_factory=deque)


class WorkerPool(Executor):
    """Calls functions in `count` worker processes, in the order in which they were submitted.

    What is submitted and what it returns is pickled. A process starts with its first task. It ignores Ctrl-C
    and SIGTERM, which this process answers, and ends when this process ends, however that happens.

    Args:
        count: How many processes there are, at least 1.

    Raises:
        OSError: The system lacks what processes need to speak with each other, such as room in /dev/shm.
    """

    def __init__(self, count: int) -> None:
        self._events: queue.SimpleQueue[_Task | _Finished | None] = queue.SimpleQueue()
        self._closed = False
        self._processes = [_new_process() for _ in range(count)]
        # One thread decides everything, because processes tell of their end in threads of their own.
        self._manager = threading.Thread(target=self._manage, name="worker pool", daemon=True)
        self._manager.start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future:
        """Schedules a call, as `Executor.submit` describes it.

        The future raises `WorkerDiedError` where every process that worked on it died.
        """
        if self._closed:
            raise RuntimeError("the pool is shut down")
        task = _Task(partial(fn, *args, **kwargs), Future())
        self._events.put(task)
        return task.future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the processes after the tasks they work on; tasks that wait for a process are cancelled."""
        del cancel_futures
        if not self._closed:
            self._closed = True
            self._events.put(None)
        if wait:
            self._manager.join()

    def _manage(self) -> None:
        waiting = _Queue(processes=deque(self._processes))
        while (event := self._events.get()) is not None:
            if isinstance(event, _Finished):
                self._end(event, waiting)
            else:
                waiting.tasks.append(event)
            while waiting.tasks and waiting.processes:
                self._begin(waiting.tasks.popleft(), waiting.processes)
        for task in waiting.tasks:
            task.future.cancel()
        for process in self._processes:
            process.shutdown(wait=True)
        # What ended meanwhile still has an outcome.
        while not self._events.empty():
            event = self._events.get()
            if isinstance(event, _Finished):
                _hand_on(event.outcome, event.task.future)
            elif event is not None:
                event.future.cancel()

    def _begin(self, task: _Task, processes: deque[ProcessPoolExecutor]) -> None:
        """Gives a task to a process, unless it was cancelled."""
        if not task.future.running() and not task.future.set_running_or_notify_cancel():
            return
        process = processes.popleft()
        try:
            try:
                outcome = _submit(process, task.call)
            except BrokenProcessPool:
                # It was killed while it had nothing to do.
                process = self._replace(process)
                outcome = _submit(process, task.call)
        except (OSError, BrokenProcessPool) as error:
            processes.append(process)
            task.future.set_exception(error)
            return
        outcome.add_done_callback(lambda done: self._events.put(_Finished(process, task, done)))

    def _end(self, event: _Finished, waiting: _Queue) -> None:
        """Hands an outcome on; a task that a process died of comes first again."""
        if not isinstance(event.outcome.exception(), BrokenProcessPool):
            waiting.processes.append(event.process)
            _hand_on(event.outcome, event.task.future)
            return
        logging.warning("a worker process was killed or died; another one takes its place")
        waiting.processes.append(self._replace(event.process))
        event.task.deaths += 1
        if event.task.deaths < MOST_DEATHS:
            waiting.tasks.appendleft(event.task)
        else:
            event.task.future.set_exception(WorkerDiedError(f"{MOST_DEATHS} processes died of it"))

    def _replace(self, process: ProcessPoolExecutor) -> ProcessPoolExecutor:
        """Gives a new process for a dead one; the dead one again where the system has no room for another."""
        process.shutdown(wait=True)
        try:
            fresh = _new_process()
        except OSError:
            return process
        self._processes[self._processes.index(process)] = fresh
        return fresh


def _new_process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_prepare_worker)


def _submit(process: ProcessPoolExecutor, call: Callable[[], Any]) -> Future:
    """Submits a call; the process that this may start is deaf to what asks the program to end."""
    with _signals_blocked():
        return process.submit(call)


def _hand_on(outcome: Future, future: Future) -> None:
    error = outcome.exception()
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(outcome.result())


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Blocks SIGINT and SIGTERM in this thread, and so in the processes that it starts meanwhile."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare_worker() -> None:
    """Runs first in a worker."""
    for name in _ONE_THREAD:
        os.environ[name] = "1"
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)

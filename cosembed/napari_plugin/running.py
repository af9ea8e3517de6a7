"""Runs a command in a process of its own, reads what it prints, and ends it. Knows no Qt and no command."""

from __future__ import annotations

import atexit
import os
import queue
import re
import signal
import subprocess
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

# So long a command has for an end of its own: a training saves a checkpoint after the running step.
GRACE_SECONDS = 60.0
_PROGRESS = re.compile(
    r"(?P<title>[^:\]]+): \w+ (?P<done>\d+) of (?P<total>\d+)\b.*?(?:about (?P<left>.+) left)?$"
)


class Progress(NamedTuple):
    """Says how far a loop of a command is; `left` is the time it will take, empty if unknown."""

    title: str
    done: int
    total: int
    left: str


def parse_progress(line: str) -> Progress | None:
    """Reads a line of `files.progress` or of a training; None if it is another one."""
    found = _PROGRESS.search(line.strip())
    if found is None:
        return None
    return Progress(found["title"].strip(), int(found["done"]), int(found["total"]), found["left"] or "")


class RunningCommand:
    """Is one command in a process group of its own, whose lines are collected while it runs.

    It is cancelled when this program ends.
    """

    def __init__(self, command: Sequence[str]) -> None:
        """Starts the command.

        Raises:
            OSError: There is no such program.
        """
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._killer: threading.Timer | None = None
        atexit.register(self.cancel)

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            for line in stream:
                self._lines.put(line.rstrip("\n"))

    def new_lines(self) -> list[str]:
        """Gives the lines that were printed since the last call."""
        return [self._lines.get() for _ in range(self._lines.qsize())]

    def status(self) -> int | None:
        """Gives the exit status, negative after a signal; None while it runs or its lines still come."""
        status = self._process.poll()
        if status is None or self._reader.is_alive():
            return None
        if self._killer is not None:
            self._killer.cancel()
        atexit.unregister(self.cancel)
        return status

    def cancel(self, grace: float = GRACE_SECONDS) -> None:
        """Asks the process group to end as Ctrl-C does, and kills it after `grace` seconds."""
        if self._killer is None:
            # Commands tidy up after Ctrl-C, but one started by a program that ignores it ignores it, too.
            ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
            self._signal(signal.SIGTERM if ignored else signal.SIGINT)
            self._killer = threading.Timer(grace, self._signal, [signal.SIGKILL])
            self._killer.daemon = True
            self._killer.start()

    def _signal(self, number: signal.Signals) -> None:
        # Its own processes may outlive it, and still write.
        if self._process.poll() is None or self._reader.is_alive():
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

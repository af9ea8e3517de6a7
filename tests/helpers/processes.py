"""Finds, and kills, processes that a program has started."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path


def spawned_children(parent: int) -> list[int]:
    """The ids of a process's children that multiprocessing spawned to work, not to keep its books."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            is_child = f"\nPPid:\t{parent}\n" in status.read_text()
            command = (status.parent / "cmdline").read_text()
        except OSError:
            continue
        if is_child and "spawn_main" in command:
            found.append(int(status.parent.name))
    return found


def kill_workers_once(running: subprocess.Popen, is_time: Callable[[], bool], seconds: float) -> None:
    """Kills the two workers of a program as soon as it is time, which it must be before so many seconds."""
    end = time.monotonic() + seconds
    while not is_time():
        assert time.monotonic() < end and running.poll() is None
        time.sleep(0.02)
    killed = spawned_children(running.pid)
    assert len(killed) == 2
    for process in killed:
        os.kill(process, signal.SIGKILL)

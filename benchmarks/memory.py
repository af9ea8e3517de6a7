"""Reads the peak memory of this process."""

from __future__ import annotations

import resource
from pathlib import Path


def peak_gigabytes() -> float:
    """Returns the most memory that this process has held.

    Linux's VmHWM rather than `ru_maxrss`, which a new process inherits from the one that started it.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e9
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9

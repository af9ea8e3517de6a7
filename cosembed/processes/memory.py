"""Says how much memory this process and those it starts may take. Knows nothing of what they do."""

from __future__ import annotations

import os
from pathlib import Path

# The limit of a container or a batch job, and what is used of it; absent where there is none.
_GROUP = Path("/sys/fs/cgroup")


def available_memory() -> int | None:
    """Counts the bytes that can be had without swapping; None where the system does not say."""
    known = [free for free in (_of_machine(), _of_group()) if free is not None]
    return min(known, default=None)


def _of_machine() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _of_group() -> int | None:
    try:
        limit, used = (int((_GROUP / name).read_text()) for name in ("memory.max", "memory.current"))
        # What only caches files can be taken back.
        fields = dict(line.split() for line in (_GROUP / "memory.stat").read_text().splitlines())
        return max(0, limit - used + int(fields.get("inactive_file", 0)))
    except (OSError, ValueError):
        return None

"""Finds processes that a program has started."""

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

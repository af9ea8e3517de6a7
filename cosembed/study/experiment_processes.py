"""Runs experiments, each in a process of its own: one after the other, or all at once on a cluster.

Knows commands, not what they do.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from absl import flags

from cosembed.processes.cluster import shared_scheduler


def given_arguments(flag_values: flags.FlagValues, names: Iterable[str]) -> list[str]:
    """Gives those of the named flags that the user set, as arguments of another command."""
    given = [flag_values[name] for name in names if flag_values[name].present]
    return [argument for flag in given for argument in flag.serialize().splitlines()]


def run_commands(commands: Mapping[str, Sequence[str]], scheduler: str = "") -> dict[str, int]:
    """Runs every command, also those after one that failed.

    Args:
        commands: Name -> module and its arguments.
        scheduler: That of the cluster to which all commands, started at once, hand their work, as of
            `processes.cluster.connected`; empty: they run one after the other.

    Returns:
        Name -> exit status; of a process that a signal ended 128 and the signal, as shells do.

    Raises:
        ClusterError: The cluster cannot be used.
    """
    if not scheduler or not commands:
        return {name: _run(name, command) for name, command in commands.items()}
    with shared_scheduler(scheduler) as address, ThreadPoolExecutor(len(commands)) as threads:
        running = {
            name: threads.submit(_run, name, [*command, f"--scheduler={address}"])
            for name, command in commands.items()
        }
        return {name: status.result() for name, status in running.items()}


def _run(name: str, command: Sequence[str]) -> int:
    print(f"== {name}", flush=True)
    status = subprocess.run([sys.executable, "-m", *command], check=False).returncode
    return 128 - status if status < 0 else status


def exit_if_failed(statuses: Mapping[str, int]) -> None:
    """Names what failed and exits with the highest status, or returns if nothing failed."""
    failed = [name for name, status in statuses.items() if status]
    if failed:
        print(
            f"error: failed: {', '.join(failed)}; see the messages above, then run the same command again",
            file=sys.stderr,
        )
        sys.exit(max(statuses.values()))

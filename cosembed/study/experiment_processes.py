"""Runs experiments one after the other, each in a process of its own. Knows commands, not what they do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence

from absl import flags


def given_arguments(flag_values: flags.FlagValues, names: Iterable[str]) -> list[str]:
    """Gives those of the named flags that the user set, as arguments of another command."""
    given = [flag_values[name] for name in names if flag_values[name].present]
    return [argument for flag in given for argument in flag.serialize().splitlines()]


def run_one_after_another(commands: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Runs every command, also those after one that failed.

    Args:
        commands: Name -> module and its arguments.

    Returns:
        Name -> exit status; of a process that a signal ended 128 and the signal, as shells do.
    """
    statuses = {}
    for name, command in commands.items():
        print(f"== {name}", flush=True)
        status = subprocess.run([sys.executable, "-m", *command], check=False).returncode
        statuses[name] = 128 - status if status < 0 else status
    return statuses


def exit_if_failed(statuses: Mapping[str, int]) -> None:
    """Names what failed and exits with the highest status, or returns if nothing failed."""
    failed = [name for name, status in statuses.items() if status]
    if failed:
        print(
            f"error: failed: {', '.join(failed)}; see the messages above, then run the same command again",
            file=sys.stderr,
        )
        sys.exit(max(statuses.values()))

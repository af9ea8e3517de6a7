"""What a generator hands to the oracle."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

Rng = np.random.Generator
T = TypeVar("T")


class Case(NamedTuple):
    """One hostile input on disk.

    Attributes:
        read: Calls the reader; an `InputError` is a refusal.
        check: Raises `AssertionError` if what was read is not what the file says.
        refuse: Why it would be wrong to accept the input; empty if it may be accepted.
        output: The folder that the reader may write.
    """

    read: Callable[[], Any]
    check: Callable[[Any], None] = lambda result: None
    refuse: str = ""
    output: Path | None = None


def pick(rng: Rng, choices: tuple[T, ...] | list[T]) -> T:
    """One of the choices, of whatever types."""
    return choices[int(rng.integers(len(choices)))]


def odd_file(rng: Rng, path: Path) -> str:
    """Puts something that is no file at `path`; says why it must be refused."""
    kind = pick(
        rng, ["absent", "empty", "folder", "pipe", "loop", "dangling link", "text", "noise", "device"]
    )
    path.unlink(missing_ok=True)
    match kind:
        case "empty":
            path.touch()
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "loop":
            path.symlink_to(path.name)
        case "dangling link":
            path.symlink_to("nowhere")
        case "text":
            path.write_text("<html>404</html>\n" * int(rng.integers(1, 50)))
        case "noise":
            path.write_bytes(rng.bytes(int(rng.integers(1, 5000))))
        case "device":
            path.symlink_to("/dev/zero")
    return f"it is {kind}"

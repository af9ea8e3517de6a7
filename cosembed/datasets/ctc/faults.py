"""Words what is wrong with a result or ground-truth folder. Knows no files' content."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from cosembed.errors import DataError


@dataclass(frozen=True)
class Fault:
    """Says one thing that is wrong: `file: sentence`. A warning does not make a folder invalid."""

    file: str
    sentence: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.file}: {'warning: ' if self.warning else ''}{self.sentence}"


def require_valid(folder: Path, faults: Iterable[Fault]) -> None:
    """Refuses a folder that has faults.

    Raises:
        DataError: A fault is no warning; names the first such and the number of the others.
    """
    grave = [fault for fault in faults if not fault.warning]
    if grave:
        others = f" (and {len(grave) - 1} more)" if len(grave) > 1 else ""
        raise DataError(f"{folder}: {grave[0]}{others}; cosembed validate lists every fault")


def fault_of(path: Path, error: DataError) -> Fault:
    """Turns the error of a reader, which begins with the file's path, into a fault that begins with its name.

    Args:
        path: The file or folder that was read, where the error names none.
        error: What the reader raised.
    """
    file, separator, sentence = str(error).partition(": ")
    return Fault(Path(file).name, sentence) if separator else Fault(path.name, str(error))


def size_text(shape: tuple[int, ...]) -> str:
    """Writes the size of an image [H, W] for a sentence."""
    return f"{shape[1]} x {shape[0]} pixels"

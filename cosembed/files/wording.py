"""Words that depend on a number. Knows nothing of what is counted."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """Writes a number and its noun: "1 frame", "2 frames", "0 frames".

    Args:
        number: How many there are.
        noun: In the singular; its plural ends in an s.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"

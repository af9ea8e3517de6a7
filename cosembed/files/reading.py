"""Reads files that anyone may have made: checks them before they are opened, and reads small texts.

Knows no format.

What is wrong raises `OSError` or `ValueError`, which readers turn into a sentence of their own.
"""

from __future__ import annotations

import json
import math
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cosembed.errors import DataError

# One image or volume, decoded: 16,384 x 16,384 pixels of 16 bits. Decoders hold up to three copies for a
# moment.
MAX_DECODED_BYTES = 2**29
# The longest legitimate text, the history of a training run, has some megabytes; specs and the like are
# pages.
MAX_TEXT_BYTES, MAX_PAGES_BYTES = 2**25, 2**16


def check_regular(path: Path) -> None:
    """Checks that a path is a file: a pipe or a device could be read for ever.

    Raises:
        OSError: There is nothing.
        ValueError: It is a folder, a pipe or a device.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is a folder, a pipe or a device, not a file")


def check_extent(name: str, shape: Iterable[int], value_bytes: int) -> None:
    """Checks what a header says, before anything is allocated.

    Args:
        name: The file's name, for the message.
        shape: The sizes along all axes, in any order.
        value_bytes: How many bytes one value has.

    Raises:
        DataError: There is nothing, or more than `MAX_DECODED_BYTES`.
    """
    sizes = tuple(int(size) for size in shape)
    if min(sizes, default=0) < 1 or math.prod(sizes) * value_bytes > MAX_DECODED_BYTES:
        raise DataError(
            f"{name}: states a size of {' x '.join(map(str, sizes))} values of {value_bytes} bytes; "
            f"at most {MAX_DECODED_BYTES >> 20} MB can be read at once: "
            "the file is damaged or too large, replace or cut it"
        )


def read_text(path: Path, most_bytes: int = MAX_TEXT_BYTES) -> str:
    """Reads a UTF-8 text of at most so many bytes, without its byte order mark.

    Raises:
        OSError: There is no file, or it may not be read.
        ValueError: It is no file, too large, or no text.
    """
    check_regular(path)
    if path.stat().st_size > most_bytes:
        raise ValueError(f"it is larger than {most_bytes >> 10} kB")
    return path.read_text(encoding="utf-8-sig")


def reason(error: BaseException) -> str:
    """Returns what an error says, short enough for a sentence: its first line."""
    text = (str(error).splitlines() or [""])[0][:200]
    return f"{text} is missing" if isinstance(error, KeyError) else text or type(error).__name__


def read_json(path: Path) -> Any:
    """Reads the content of a JSON file; raises as `read_text`, and `ValueError` for what is no JSON."""
    try:
        return json.loads(read_text(path))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error

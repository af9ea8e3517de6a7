"""Files that anyone may have made: what is refused before it is opened, and small texts."""

import json
import os
from pathlib import Path

import pytest

from cosembed.errors import DataError
from cosembed.files.reading import (
    MAX_DECODED_BYTES,
    check_extent,
    check_regular,
    read_json,
    read_text,
    reason,
)


def test_pipes_devices_and_folders_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    check_regular(tmp_path / "file")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ValueError, match="it is a folder, a pipe or a device"):
            check_regular(path)
    with pytest.raises(FileNotFoundError):
        check_regular(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("shape", "value_bytes"), [((0, 5), 1), ((-1, 5), 1), ((), 1), ((2**15, 2**14 + 1), 1)]
)
def test_absurd_sizes_are_refused_by_name(shape: tuple[int, ...], value_bytes: int) -> None:
    with pytest.raises(DataError, match=r"^t000\.tif: states a size of"):
        check_extent("t000.tif", shape, value_bytes)


def test_the_largest_size_is_allowed() -> None:
    check_extent("t000.tif", (MAX_DECODED_BYTES // 2,), 2)


def test_texts_are_utf8_of_limited_size_without_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "größe".encode())
    assert read_text(path) == "größe"
    with pytest.raises(ValueError, match="it is larger than 0 kB"):
        read_text(path, most_bytes=5)
    path.write_bytes(b"\xff")
    with pytest.raises(ValueError, match="codec can't decode"):
        read_text(path)


def test_json_that_is_nested_without_end_is_an_error_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"a": [1]}))
    assert read_json(path) == {"a": [1]}
    for text in ("{", "[" * 200_000):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"."):
            read_json(path)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("first\nsecond"), "first"),
        (KeyError("SEG"), "'SEG' is missing"),
        (RuntimeError(), "RuntimeError"),
        (ValueError("x" * 300), "x" * 200),
    ],
)
def test_the_reason_of_an_error_fits_a_sentence(error: Exception, text: str) -> None:
    assert reason(error) == text

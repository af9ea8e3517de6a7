"""Writing so that what is written is complete or absent, whatever ends the program. Knows no file format.

A file or folder is made under a hidden name beside its place, `.<name>.<random>.partial`, and renamed when it is complete.
Its maker holds a lock on it, which the system releases however the maker ends: a partial without its maker was left by one
that was killed, and is removed when its place is written again.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from cosembed.errors import OutputError


def atomic_write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` beside `path`, then renames it into place; a reader sees the old file or the new one."""
    with atomic_file(path) as partial, partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def atomic_write_text(path: Path, content: str) -> None:
    """As `atomic_write_bytes`, for UTF-8 text."""
    atomic_write_bytes(path, content.encode())


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields an empty file beside `path` that takes its place when the block ends without an error.

    Raises:
        OSError: It cannot be written; its `filename` is `path`.
    """
    with _partial(path, lambda partial: partial.touch(exist_ok=False)) as partial:
        yield partial


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields an empty folder beside `path` that takes its name when the block ends without an error.

    Raises:
        OutputError: `path` exists already; nothing is overwritten.
        OSError: It cannot be written; its `filename` is `path`.
    """
    refuse_existing(path)
    with _partial(path, Path.mkdir) as partial:
        yield partial
        refuse_existing(path)


def remove_folder(path: Path) -> None:
    """Removes a folder, if it is there, so that no part of it is ever taken for the whole."""
    if path.exists():
        partial = _hidden_name(path)
        os.rename(path, partial)
        shutil.rmtree(partial)


def refuse_existing(path: Path) -> None:
    """Raises `OutputError` unless `path` is absent or an empty folder."""
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise OutputError(f"{path}: exists already; choose another output folder or remove it first")


def lock(descriptor: int) -> bool | None:
    """Locks an open file for this program until it is closed or the program ends, be it by kill -9.

    Returns:
        Whether the lock was free; None if the file system has no locks (some network ones).
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@contextmanager
def _partial(path: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    partial = _hidden_name(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        make(partial)
        with _opened(partial) as descriptor:
            lock(descriptor)
            yield partial
            os.replace(partial, path)
    except BaseException as error:
        _remove(partial)
        if isinstance(error, OSError) and str(partial) in str(error.filename or partial):
            error.filename = str(path)
        raise


def _hidden_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")


def _remove_leftovers(path: Path) -> None:
    for leftover in path.parent.glob(f".{escape(path.name)}.????????.partial"):
        # Gone: that of another program which ended just now.
        with suppress(FileNotFoundError), _opened(leftover) as descriptor:
            if lock(descriptor):
                _remove(leftover)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)

"""Writes files and folders that are complete or absent, whatever ends the program. Knows no file format.

A file or folder is made under a hidden name beside its place, `.<name>.<random>.partial`, and renamed when it
is complete. Its maker holds a lock on it, which the system releases however the maker ends: a partial without
its maker was left by one that was killed, and is removed when its place is written again.

Some empty folders cannot be replaced by a rename: the working folder, a mount, one whose parent cannot be
written. The content is made in such a folder, under a hidden name, and moved up, file by file, when it is
complete. `finish_moving` does the rest if the program is killed meanwhile.

A symbolic link stays, and what it leads to is written. A pipe, a device, or an open file of a process
(/dev/stdout) is never replaced: the complete content is passed on to it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from cosembed.errors import OutputError

_MOST_LINKS = 40
# What a folder that cannot be replaced is filled from; complete, as it has no name of a partial.
_COMPLETE = ".content.complete"
_LEFTOVER = re.compile(r"\..*\.[0-9a-f]{8}\.partial")
_OPEN_FILES = re.compile(r"/proc/[^/]+(/task/[^/]+)?/fd|/dev/fd")


def atomic_write_bytes(path: Path, content: bytes) -> None:
    """Writes bytes beside `path`, then renames them into place; a reader sees the old file or the new one."""
    with atomic_file(path) as partial, partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def atomic_write_text(path: Path, content: str) -> None:
    """Writes text as UTF-8, otherwise as `atomic_write_bytes`."""
    # A file's name that is not UTF-8, quoted in a text, is escaped there.
    atomic_write_bytes(path, content.encode(errors="backslashreplace"))


def atomic_write_lines(path: Path, lines: Iterable[str]) -> None:
    """Writes lines as UTF-8, each ended, one after the other, otherwise as `atomic_write_text`."""
    with atomic_file(path) as partial, partial.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(f"{line}\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields an empty file that takes the place of `path` when the block ends without an error.

    Args:
        path: A file, which need not exist; a link to one; or a pipe or device, to which the content is passed
            on.

    Raises:
        OSError: It cannot be written; its `filename` is `path`.
    """
    target = _follow(path)
    if _is_stream(target):
        with tempfile.TemporaryDirectory() as folder:
            content = Path(folder) / "content"
            content.touch()
            yield content
            _pass_on(content, target, path)
    else:
        with _partial(path, target, lambda partial: partial.touch(exist_ok=False)) as partial:
            yield partial


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields an empty folder that takes the place of `path` when the block ends without an error.

    Args:
        path: A folder that does not exist yet or is empty, or a link to such a one.

    Raises:
        OutputError: `path` exists already; nothing is overwritten.
        OSError: It cannot be written; its `filename` is `path`.
    """
    finish_moving(path)
    refuse_existing(path)
    target = _follow(path)
    if not _must_stay(target):
        with _partial(path, target, Path.mkdir) as partial:
            yield partial
            refuse_existing(path)
        return
    with _partial(path, target / _COMPLETE, Path.mkdir) as partial:
        yield partial
        refuse_existing(path)
    _move_up(target)


def finish_moving(path: Path) -> None:
    """Moves the content of a folder up, if the program that did so was killed on the way.

    Args:
        path: Any folder, which need not exist. One in which another program is at work is left alone.
    """
    target = _follow(path)
    if (target / _COMPLETE).is_dir():
        with _opened(target) as descriptor:
            if lock(descriptor) is not False:
                _move_up(target)


@contextmanager
def locked_folder(path: Path) -> Iterator[None]:
    """Keeps other programs from writing to a folder, as far as they ask, while the block does so.

    Args:
        path: A folder that exists.

    Raises:
        OutputError: Another program is at work there.
    """
    with _opened(_follow(path)) as descriptor:
        if lock(descriptor) is False:
            raise OutputError(
                f"{path}: another run is writing to it; wait for its end, or choose another output folder"
            )
        yield


@contextmanager
def reserved_folder(path: Path, size: int) -> Iterator[None]:
    """Keeps the place of a folder for this program while the block computes what it will hold.

    The folder is made, empty, and locked; `atomic_folder` may replace it meanwhile. It is removed if it is
    still empty at the end and was not there before.

    Args:
        path: As for `atomic_folder`.
        size: So many bytes must be free; a file of that size is made and removed.

    Raises:
        OutputError: `path` exists already, or another program has reserved it.
        OSError: It cannot be written; its `filename` is `path`.
    """
    finish_moving(path)
    refuse_existing(path)
    target = _follow(path)
    is_new = not target.exists()
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        error.filename = str(path)
        raise
    with locked_folder(path):
        try:
            # The other run may have ended between the two looks at the folder.
            refuse_existing(path)
            _test_space(path, target, size)
            yield
        finally:
            if is_new:
                # It holds the result, or something of somebody else.
                with suppress(OSError):
                    target.rmdir()


def remove_folder(path: Path) -> None:
    """Removes a folder, if it is there, so that no part of it is ever taken for the whole.

    A link to it stays.
    """
    if path.exists():
        target = _follow(path)
        partial = _hidden_name(target)
        os.rename(target, partial)
        shutil.rmtree(partial)


def refuse_existing(path: Path) -> None:
    """Raises `OutputError` unless `path` is absent or a folder that is empty but for partials."""
    if path.exists() and not (
        path.is_dir() and all(_LEFTOVER.fullmatch(entry.name) for entry in path.iterdir())
    ):
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


def _follow(path: Path) -> Path:
    """Returns where symbolic links lead in the end: anything, or nothing that exists.

    Raises:
        OSError: They lead in a circle.
    """
    target = path
    for _ in range(_MOST_LINKS):
        if _open_files(target) or not target.is_symlink():
            # A path such as "." or ".." has no name of its own beside which a partial could lie.
            return target if target.name not in ("", "..") else target.resolve()
        target = target.parent / target.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def _move_up(folder: Path) -> None:
    """Moves what lies in a folder's hidden folder of complete content into the folder itself."""
    content = folder / _COMPLETE
    for entry in sorted(content.iterdir()):
        entry.rename(folder / entry.name)
    content.rmdir()


def _must_stay(folder: Path) -> bool:
    """Tells whether a folder exists and cannot, or should not, be replaced by another."""
    return folder.is_dir() and (
        folder.samefile(Path.cwd()) or folder.is_mount() or not os.access(folder.parent, os.W_OK)
    )


def _test_space(path: Path, folder: Path, size: int) -> None:
    """Raises `OSError` unless a file of so many bytes can be made where the folder's content will be."""
    place = folder / "space" if _must_stay(folder) else folder
    probe = _hidden_name(place)
    try:
        with probe.open("xb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        probe.unlink(missing_ok=True)


def _open_files(path: Path) -> bool:
    """Tells whether a path is an open file of a process: /proc/self/fd/1 only looks like a link."""
    return _OPEN_FILES.fullmatch(os.path.realpath(path.parent)) is not None


def _is_stream(target: Path) -> bool:
    """Tells whether bytes can only be passed on to a path: an open file, a pipe, a device."""
    return _open_files(target) or (target.exists() and not target.is_file() and not target.is_dir())


def _pass_on(content: Path, target: Path, path: Path) -> None:
    """Writes the content of a file to a stream; errors name `path`, as the caller does."""
    try:
        own = target.parent.resolve() == Path("/proc/self/fd").resolve()
        if own and target.name.isdecimal():
            # Opened anew, a regular file would be written from its beginning, over what this program has
            # printed.
            sys.stdout.flush()
            stream = os.fdopen(os.dup(int(target.name)), "wb")
        else:
            stream = target.open("ab")
        with stream, content.open("rb") as file:
            shutil.copyfileobj(file, stream)
    except OSError as error:
        error.filename = str(path)
        raise


@contextmanager
def _partial(path: Path, target: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    """Yields what `make` makes beside `target` and then renames it to that; errors name `path`."""
    partial = _hidden_name(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(target)
        make(partial)
        with _opened(partial) as descriptor:
            lock(descriptor)
            yield partial
            os.replace(partial, target)
    except BaseException as error:
        _remove(partial)
        if isinstance(error, OSError) and str(partial) in str(error.filename or partial):
            error.filename = str(path)
        raise


def _hidden_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")


def _remove_leftovers(path: Path) -> None:
    for leftover in path.parent.glob(f".{escape(path.name)}.????????.partial"):
        # It may be gone by now: another program that ended just now has removed its own.
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

"""Turns the outcome of a program into its exit status and at most one sentence.

0: done; 1: a fault of ours or of the machine; 2: the user's input or flags are wrong; 130: interrupted with
Ctrl-C; 141: whoever read the output went away. This module knows no flags and no command. It imports nothing
heavy, so that a program is in its hands from its first moment on.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import NoReturn, TextIO

from cosembed.errors import CosembedError, InputError

INTERRUPTED, NO_READER = 128 + signal.SIGINT, 128 + signal.SIGPIPE
_REMEDIES = {
    errno.ENOSPC: "free space on the disk and run the same command again",
    errno.EDQUOT: "free space on the disk and run the same command again",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f) and run the same command again",
    errno.EIO: "check the disk and run the same command again",
    errno.EROFS: "choose a folder that can be written",
    errno.EACCES: "choose a file or folder that you may read and write",
    errno.EPERM: "choose a file or folder that you may read and write",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path, a file is in the place of a folder",
    errno.EEXIST: "check the path, a file is in the place of a folder",
    errno.EISDIR: "check the path, a folder is in the place of a file",
    errno.ENAMETOOLONG: "choose a shorter path",
}


def exit_as_deserved(program: Callable[[], None]) -> NoReturn:
    """Calls a program and exits with the status that its outcome deserves.

    Raises:
        SystemExit: Always, unless the program raises what is a fault of ours: that passes, with its
            traceback.
    """
    try:
        _print_any_character()
        try:
            _call(program)
        finally:
            _flush()
    except KeyboardInterrupt as interrupt:
        _exit_interrupted(interrupt)
    except BrokenPipeError:
        _discard(sys.stdout, sys.stderr)
        sys.exit(NO_READER)
    sys.exit(0)


def hear_ctrl_c() -> None:
    """Makes Ctrl-C one line also where `exit_as_deserved` was not reached: while a program is imported."""

    def told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            _exit_interrupted(error)
        sys.__excepthook__(kind, error, trace)

    sys.excepthook = told


def fail(sentence: str) -> NoReturn:
    """Prints a sentence on standard error and exits with the status of wrong input."""
    print(f"error: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(2)


def sentence_about(error: OSError) -> str | None:
    """Says what is wrong with a file, and what to do; None if the error may be a fault of ours."""
    known = error.errno in _REMEDIES
    if not known and not error.filename:
        return None
    remedy = (
        _REMEDIES[error.errno or 0]
        if known
        else "check the disk and the path, and run the same command again"
    )
    return f"{error.filename or 'the output'}: {error.strerror}; {remedy}"


def _call(program: Callable[[], None]) -> None:
    try:
        program()
    except InputError as error:
        fail(str(error))
    except CosembedError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        raise
    except OSError as error:
        sentence = sentence_about(error)
        if sentence is None:
            raise
        fail(sentence)


def _exit_interrupted(interrupt: KeyboardInterrupt) -> NoReturn:
    """Says that the program was interrupted, and what is kept if the exception says so."""
    # What is cleaned up now must not be interrupted by an impatient second Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):
        kept = f": {interrupt}" if str(interrupt) else ""
        print(f"interrupted{kept}", file=sys.stderr)
    sys.exit(INTERRUPTED)


def _flush() -> None:
    """Writes what is still in the buffer of standard output, where an error can be told."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard(sys.stdout)
        fail(f"the output: {error.strerror}; {_REMEDIES.get(error.errno or 0, 'write it elsewhere')}")


def _print_any_character() -> None:
    """A path with a letter that the terminal's encoding lacks is printed with that letter escaped."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _discard(*streams: TextIO) -> None:
    """Python flushes its streams once more when it ends; there is nobody to tell of an error then."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in streams:
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)

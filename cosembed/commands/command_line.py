"""Runs a command line: reads its flags, calls it, and decides the exit status. Knows no command.

0: done; 2: the user's input or flags are wrong (one sentence on stderr, no traceback); 1: anything else. As
shells have it, 130 after Ctrl-C and 141 when the reader of the output has gone (`... | head -1`).
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence

from absl import flags, logging

from cosembed.errors import CosembedError, InputError

INTERRUPTED, READER_GONE = 130, 141
HELP = {"--help", "-h", "-help"}
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


def run(
    main: Callable[[], None],
    argv: Sequence[str] | None = None,
    flag_values: flags.FlagValues = flags.FLAGS,
    description: str = "",
) -> None:
    """Parses flags, calls `main`, and exits with the status that the outcome deserves.

    Args:
        main: The command; it reads `flag_values`.
        argv: The program's name and its arguments; those of this process if not given.
        flag_values: The command's flags; left-over positional arguments are an error.
        description: The help text above the flags; the docstring of `__main__` if not given.
    """
    arguments = list(sys.argv if argv is None else argv)
    guarded(lambda: _parse_and_call(main, arguments, flag_values, description))


def guarded(call: Callable[[], None]) -> None:
    """Calls a function and turns its errors into one sentence and an exit status."""
    for stream in (sys.stdout, sys.stderr):
        # A path that the terminal's encoding cannot say is shown by escapes, for it must not end the program.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        call()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted: what is complete is kept, nothing is half-written", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # Python would try to write what is left when it ends, and fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(READER_GONE)
    except InputError as error:
        fail(str(error))
    except CosembedError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        known = error.errno in _REMEDIES
        if not known and not error.filename:
            raise
        otherwise = "check the disk and the path, and run the same command again"
        remedy = _REMEDIES[error.errno or 0] if known else otherwise
        fail(f"{error.filename or 'the output folder'}: {error.strerror}; {remedy}")


def fail(sentence: str) -> None:
    """Says what is wrong with the input, and exits with status 2."""
    print(f"error: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(2)


def require(flag_values: flags.FlagValues, *names: str) -> None:
    """Raises `InputError` unless the user gave each of the named flags a value."""
    for name in names:
        if not flag_values[name].value:
            raise InputError(f"--{name} is missing; see --help")


def log_to_terminal() -> None:
    """Shows what is logged as plain lines."""
    logging.set_verbosity(logging.INFO)
    logging.get_absl_handler().setFormatter(None)


def _parse_and_call(
    main: Callable[[], None], arguments: list[str], flag_values: flags.FlagValues, description: str
) -> None:
    if HELP & set(arguments[1:]):
        _print_help(arguments[0], flag_values, description or sys.modules["__main__"].__doc__ or "")
        return
    try:
        rest = flag_values(arguments)
    except flags.Error as error:
        raise InputError(f"{error}; see --help") from error
    if len(rest) > 1:
        raise InputError(f"unexpected argument '{rest[1]}': options are written --name=value; see --help")
    # The logger reads absl's own flags, which are not among those of a command.
    flags.FLAGS.mark_as_parsed()
    logging.use_absl_handler()
    main()


def _print_help(program: str, flag_values: flags.FlagValues, description: str) -> None:
    print(description.strip(), end="\n\n")
    ours = ("__main__", program, "cosembed", "experiments", "benchmarks")
    modules = flag_values.flags_by_module_dict()
    for flag in [
        flag
        for module, items in modules.items()
        if module.split(".")[0] in ours or module in ours
        for flag in items
    ]:
        default = "" if flag.default in (None, False, "", []) else f" (default: {flag.default})"
        print(f"  --{flag.name}: {flag.help}{default}")

"""What every command line shares: exit statuses and one-sentence errors. Knows no command.

0: done; 2: the user's input or flags are wrong (one sentence on stderr, no traceback); 1: anything else.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Sequence

from absl import app, flags

from cosembed.errors import CosembedError, InputError

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


def run(main: Callable[[], None], argv: Sequence[str] | None = None) -> None:
    """Parses absl flags, calls `main`, and exits with the status that the outcome deserves.

    The module's docstring of `__main__` is the help text. Left-over positional arguments are an error.
    """
    arguments = list(sys.argv if argv is None else argv)
    wants_help = {"--help", "-h", "-help"} & set(arguments[1:])
    if wants_help:
        _print_help()
        sys.exit(0)
    try:
        rest = flags.FLAGS(arguments)
    except flags.Error as error:
        _fail(f"{error}; see --help")
    if len(rest) > 1:
        _fail(f"unexpected argument '{rest[1]}': options are written --name=value; see --help")
    try:
        app.run(lambda _: _guarded(main), argv=[arguments[0]], flags_parser=lambda args: args)
    except KeyboardInterrupt:
        sys.exit(130)


def _guarded(main: Callable[[], None]) -> None:
    try:
        main()
    except InputError as error:
        _fail(str(error))
    except CosembedError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        known = error.errno in _REMEDIES
        if not known and not error.filename:
            raise
        remedy = (
            _REMEDIES[error.errno or 0]
            if known
            else "check the disk and the path, and run the same command again"
        )
        _fail(f"{error.filename or 'the output folder'}: {error.strerror}; {remedy}")


def _fail(sentence: str) -> None:
    print(f"error: {' '.join(sentence.split())}", file=sys.stderr)
    sys.exit(2)


def _print_help() -> None:
    main_module = sys.modules["__main__"]
    print((main_module.__doc__ or "").strip(), end="\n\n")
    ours = ("__main__", sys.argv[0], "cosembed", "experiments", "benchmarks")
    modules = flags.FLAGS.flags_by_module_dict()
    for flag in [
        flag
        for module, items in modules.items()
        if module.split(".")[0] in ours or module in ours
        for flag in items
    ]:
        default = "" if flag.default in (None, False, "", []) else f" (default: {flag.default})"
        print(f"  --{flag.name}: {flag.help}{default}")

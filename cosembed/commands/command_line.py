"""What every command line shares: flags, help, and log messages. Knows no command.

Flags are absl's, written --name=value. A command of `cosembed` has a `FlagValues` of its own; the programs of
a checkout use absl's global one.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from absl import flags, logging

from cosembed.commands.exit_status import exit_as_deserved, fail
from cosembed.errors import InputError

_HELP = {"--help", "-help", "-h"}
# Flags of these modules are shown by a program that uses absl's global flags; those of absl itself are not.
_OURS = ("__main__", "cosembed", "experiments", "benchmarks")


def run(
    main: Callable[[], None],
    argv: Sequence[str] | None = None,
    flag_values: flags.FlagValues = flags.FLAGS,
    help_text: str | None = None,
) -> None:
    """Parses flags, calls `main`, and exits with the status that the outcome deserves.

    Args:
        main: Reads its flags from `flag_values`.
        argv: The program's name and its arguments; those of this process by default.
        flag_values: Where the program's flags are defined.
        help_text: What --help prints above the flags; the docstring of the program's module by default.

    Raises:
        SystemExit: Always, unless `main` raises what is a fault of ours.
    """
    arguments = list(sys.argv if argv is None else argv)
    exit_as_deserved(partial(_parse_and_call, main, arguments, flag_values, help_text))


def _parse_and_call(
    main: Callable[[], None], arguments: list[str], flag_values: flags.FlagValues, help_text: str | None
) -> None:
    if _HELP & set(arguments[1:]):
        _print_help(sys.modules["__main__"].__doc__ if help_text is None else help_text, flag_values)
        return
    try:
        # A second run in one process begins anew.
        flag_values.unparse_flags()
        rest = flag_values(arguments)
    except flags.Error as error:
        fail(f"{error}; see --help")
    if len(rest) > 1:
        fail(f"unexpected argument '{rest[1]}': options are written --name=value; see --help")
    _start_logging()
    main()


def require(flag_values: flags.FlagValues, *names: str) -> None:
    """Raises `InputError` unless each of some flags was given a value."""
    for name in names:
        if not flag_values[name].value:
            raise InputError(f"--{name} is missing; see --help")


def _start_logging() -> None:
    """Sends log messages from `INFO` on to standard error, in absl's format."""
    # absl's handler refuses to work before its own flags are parsed.
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
    logging.use_absl_handler()
    if flags.FLAGS["verbosity"].using_default_value:
        logging.set_verbosity(logging.INFO)


def _print_help(text: str | None, flag_values: flags.FlagValues) -> None:
    print(inspect.cleandoc(text or ""), end="\n\n")
    for flag in _shown_flags(flag_values):
        default = "" if flag.default in (None, False, "", []) else f" (default: {flag.default})"
        print(f"  --{flag.name}: {flag.help}{default}")


def _shown_flags(flag_values: flags.FlagValues) -> Iterator[flags.Flag]:
    for module, defined in flag_values.flags_by_module_dict().items():
        if module.split(".")[0] in _OURS or module == sys.argv[0]:
            yield from defined

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

from cosembed.commands.exit_status import exit_as_deserved
from cosembed.errors import InputError

HELP = {"--help", "-h", "-help"}
# Flags of these modules are shown by a program that uses absl's global flags; those of absl itself are not.
_OURS = ("__main__", "cosembed", "experiments", "benchmarks")


def run(
    main: Callable[..., None],
    argv: Sequence[str] | None = None,
    flag_values: flags.FlagValues = flags.FLAGS,
    description: str = "",
    most_words: int = 0,
) -> None:
    """Parses flags, calls `main`, and exits with the status that the outcome deserves.

    Args:
        main: The command; it reads `flag_values`, and is given the words that are no flags.
        argv: The program's name and its arguments; those of this process if not given.
        flag_values: The command's flags.
        description: The help text above the flags; the docstring of `__main__` if not given.
        most_words: So many words that are no flags are allowed; more are an error.

    Raises:
        SystemExit: Always, unless `main` raises what is a fault of ours.
    """
    arguments = list(sys.argv if argv is None else argv)
    exit_as_deserved(partial(_parse_and_call, main, arguments, flag_values, description, most_words))


def require(flag_values: flags.FlagValues, *names: str) -> None:
    """Raises `InputError` unless the user gave each of the named flags a value."""
    for name in names:
        if not flag_values[name].value:
            raise InputError(f"--{name} is missing; see --help")


def _parse_and_call(
    main: Callable[..., None],
    arguments: list[str],
    flag_values: flags.FlagValues,
    description: str,
    most_words: int,
) -> None:
    if HELP & set(arguments[1:]):
        _print_help(flag_values, description or sys.modules["__main__"].__doc__ or "")
        return
    try:
        rest = flag_values(arguments)
    except flags.Error as error:
        raise InputError(f"{error}; see --help") from error
    words = rest[1:]
    if len(words) > most_words:
        raise InputError(
            f"unexpected argument '{words[most_words]}': options are written --name=value; see --help"
        )
    _start_logging()
    main(*words)


def _start_logging() -> None:
    """Sends log messages from `INFO` on to standard error, as plain lines."""
    # absl's handler refuses to work before its own flags are parsed; those of a command are others.
    if not flags.FLAGS.is_parsed():
        flags.FLAGS.mark_as_parsed()
    logging.use_absl_handler()
    logging.get_absl_handler().setFormatter(None)
    if flags.FLAGS["verbosity"].using_default_value:
        logging.set_verbosity(logging.INFO)


def _print_help(flag_values: flags.FlagValues, description: str) -> None:
    print(inspect.cleandoc(description), end="\n\n")
    for flag in _shown_flags(flag_values):
        default = "" if flag.default in (None, False, "", []) else f" (default: {flag.default})"
        # absl adds a second line to the help of a flag that can be repeated.
        print(f"  --{flag.name}: {flag.help.partition(chr(10))[0].rstrip(';')}{default}")


def _shown_flags(flag_values: flags.FlagValues) -> Iterator[flags.Flag]:
    for module, defined in flag_values.flags_by_module_dict().items():
        if module.split(".")[0] in _OURS or module == sys.argv[0]:
            yield from defined

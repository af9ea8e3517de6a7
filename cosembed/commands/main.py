"""The program `cosembed`: lists its commands, or hands over to the module of the one that is named.

A command's module holds its help text as docstring, `define_flags` and `main`, and `MOST_WORDS` if it takes
words that are no flags. It is imported only when it is
asked for, so that the list comes at once; what is imported here is little, for Ctrl-C to be heard from the
beginning.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from cosembed import __version__
from cosembed.commands.exit_status import exit_as_deserved
from cosembed.errors import InputError

# In the order in which a new user meets them.
COMMANDS = {
    "demo": "cosembed.commands.demo",
    "track": "cosembed.commands.track",
    "merge": "cosembed.commands.merge",
    "networks": "cosembed.commands.networks",
    "train": "cosembed.commands.train",
    "suggest-spec": "cosembed.commands.suggest_spec",
    "evaluate": "cosembed.commands.evaluate",
    "validate": "cosembed.commands.validate",
    "report": "cosembed.commands.report",
    "convert": "cosembed.commands.convert",
    "simulate": "cosembed.commands.simulate",
    "import-network": "cosembed.commands.import_network",
}
INTRODUCTION = """\
cosembed segments and tracks cells in videos with cosine embeddings and recurrent hourglass networks.

    cosembed COMMAND --name=value ...    as in cosembed track --network=NAME --input=VIDEO --output=RESULT
    cosembed COMMAND --help
    cosembed --version
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command that the first argument names; exits with its status.

    Args:
        argv: The program's name and its arguments; those of this process if not given.

    Raises:
        SystemExit: Always, unless there is a fault of ours.
    """
    exit_as_deserved(partial(_dispatch, list(sys.argv if argv is None else argv)[1:]))


def first_line(module: str) -> str:
    """Reads the first line of a module's docstring without running the module."""
    import ast
    from importlib.resources import files

    package, _, name = module.rpartition(".")
    source = (files(package) / f"{name}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def _dispatch(arguments: list[str]) -> None:
    name = arguments[0] if arguments else "--help"
    if name in COMMANDS:
        _run(name, arguments[1:])
    elif name in ("--help", "-help", "-h"):
        _list_commands()
    elif name == "--version":
        print(f"cosembed {__version__}")
    elif name.startswith("-"):
        raise InputError(f"'{name}': the name of a command comes first; there are {', '.join(COMMANDS)}")
    else:
        _refuse(name)


def _run(name: str, arguments: list[str]) -> None:
    import importlib

    from absl import flags

    from cosembed.commands import command_line

    module = importlib.import_module(COMMANDS[name])
    flag_values = flags.FlagValues()
    module.define_flags(flag_values)
    program = [f"cosembed {name}", *arguments]
    command_line.run(
        partial(module.main, flag_values),
        program,
        flag_values,
        module.__doc__ or "",
        getattr(module, "MOST_WORDS", 0),
    )


def _list_commands() -> None:
    width = max(map(len, COMMANDS))
    print(INTRODUCTION)
    for command, module in COMMANDS.items():
        print(f"  {command:{width}}  {first_line(module)}")


def _refuse(name: str) -> None:
    import difflib

    nearest = difflib.get_close_matches(name.lower().replace("_", "-"), COMMANDS, n=1, cutoff=0.5)
    remedy = f"did you mean '{nearest[0]}'?" if nearest else f"there are {', '.join(COMMANDS)}"
    raise InputError(f"'{name}' is not a command of cosembed; {remedy}")

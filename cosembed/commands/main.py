"""The program `cosembed`: lists its commands, and hands over to the module of the one that is named.

A command's module holds its help text as docstring, `define_flags` and `main`; it is imported only when it is
asked for, so that the list and the help come at once.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

import cosembed
from cosembed.commands import command_line

# In the order in which a new user meets them.
COMMANDS = {
    "track": "cosembed.commands.track",
    "train": "cosembed.commands.train",
    "suggest-spec": "cosembed.commands.suggest_spec",
    "evaluate": "cosembed.commands.evaluate",
    "validate": "cosembed.commands.validate",
    "simulate": "cosembed.commands.simulate",
    "import-network": "cosembed.commands.import_network",
}
INTRODUCTION = """\
cosembed segments and tracks cells in videos with cosine embeddings and recurrent hourglass networks.

    cosembed COMMAND --name=value ...
    cosembed COMMAND --help
"""


def main(argv: Sequence[str] | None = None) -> None:
    """Runs the command that the first argument names; exits with its status.

    Args:
        argv: The program's name and its arguments; those of this process if not given.
    """
    command_line.guarded(lambda: _dispatch(list(sys.argv if argv is None else argv)[1:]))


def first_line(module: str) -> str:
    """Reads the first line of a module's docstring without importing the module."""
    found = importlib.util.find_spec(module)
    assert found is not None and found.origin is not None
    text = ast.get_docstring(ast.parse(Path(found.origin).read_text(encoding="utf-8")))
    assert text is not None
    return text.splitlines()[0]


def _dispatch(arguments: list[str]) -> None:
    name = arguments[0] if arguments else "--help"
    if name in command_line.HELP:
        width = max(map(len, COMMANDS))
        print(INTRODUCTION)
        for command, module in COMMANDS.items():
            print(f"  {command:{width}}  {first_line(module)}")
    elif name == "--version":
        print(f"cosembed {cosembed.__version__}")
    elif name not in COMMANDS:
        nearest = difflib.get_close_matches(name, COMMANDS, n=1, cutoff=0.5)
        remedy = f"did you mean '{nearest[0]}'?" if nearest else f"there are {', '.join(COMMANDS)}"
        command_line.fail(f"'{name}' is not a command of cosembed; {remedy}")
    else:
        module = importlib.import_module(COMMANDS[name])
        flag_values = flags.FlagValues()
        module.define_flags(flag_values)
        command_line.run(
            lambda: module.main(flag_values),
            [f"cosembed {name}", *arguments[1:]],
            flag_values,
            module.__doc__ or "",
        )

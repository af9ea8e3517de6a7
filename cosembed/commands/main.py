"""The program `cosembed`: lists the commands, or starts the one that is named.

It imports a command only to run it, and reads the descriptions of all others from their files.
"""

from __future__ import annotations

import sys
from functools import partial

from cosembed import __version__
from cosembed.commands.exit_status import exit_as_deserved, fail

# In the order in which a newcomer needs them.
COMMANDS = ("track", "train", "evaluate", "validate", "simulate", "suggest-spec", "import-network")
_INTRODUCTION = """\
Segments and tracks cells in videos with cosine embeddings and recurrent hourglass networks.

    cosembed COMMAND --name=value ...      for example: cosembed track --network=RUN --input=VIDEO
    --output=RESULT cosembed COMMAND --help                the flags of a command, with an example cosembed
    --version

Commands:
"""


def main() -> None:
    """Runs `cosembed` with the arguments of this process, and exits with the status that the outcome
    deserves.

    Raises:
        SystemExit: Always, unless there is a fault of ours.
    """
    exit_as_deserved(partial(_dispatch, sys.argv[1:]))


def _dispatch(arguments: list[str]) -> None:
    if not arguments or arguments[0] in ("--help", "-help", "-h"):
        _list_commands()
    elif arguments[0] == "--version":
        print(f"cosembed {__version__}")
    elif arguments[0] in COMMANDS:
        _start(*arguments)
    else:
        _refuse(arguments[0])


def _start(name: str, *arguments: str) -> None:
    import importlib

    from cosembed.commands import command_line

    module = importlib.import_module(f"cosembed.commands.{_module_of(name)}")
    command_line.run(module.main, [f"cosembed {name}", *arguments], module.FLAGS, module.__doc__)


def _list_commands() -> None:
    print(_INTRODUCTION)
    width = max(map(len, COMMANDS))
    for name in COMMANDS:
        print(f"  {name:{width}}  {describe(name)}")


def describe(name: str) -> str:
    """Gives the first line of a command's docstring, read from its source, which is not run."""
    import ast
    from importlib.resources import files

    source = (files("cosembed.commands") / f"{_module_of(name)}.py").read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]


def _refuse(word: str) -> None:
    import difflib

    if word.startswith("-"):
        fail(f"'{word}': the name of a command comes first; cosembed alone lists the commands")
    nearest = difflib.get_close_matches(word.lower().replace("_", "-"), COMMANDS, n=1, cutoff=0.5)
    suggestion = f"did you mean 'cosembed {nearest[0]}'? " if nearest else ""
    fail(f"'{word}' is not a command; {suggestion}cosembed alone lists the commands")


def _module_of(name: str) -> str:
    return name.replace("-", "_")

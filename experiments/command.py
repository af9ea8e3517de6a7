"""Starts an experiment of the catalogue as a program.

This module knows the command line, not what the experiment does.
"""

from __future__ import annotations

import shlex
import sys

from absl import flags

from cosembed.commands import command_line
from cosembed.study.experiment import Experiment
from cosembed.study.flags import define_flags, run_from_flags
from cosembed.study.folds import Item
from cosembed.study.task import Spec


def run(experiment: Experiment[Spec, Item]) -> None:
    """Runs an experiment as the program of its module."""
    define_flags(flags.FLAGS)
    command_line.run(lambda: run_from_flags(experiment, flags.FLAGS, command_of(experiment.name)))


def command_of(name: str) -> str:
    """Gives the command line that started the program of an experiment, as one would type it."""
    return shlex.join(["python", "-m", f"experiments.{name}", *sys.argv[1:]])

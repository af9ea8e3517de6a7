"""Trains on a person's own annotated videos, as a spec file says.

This module knows flags and the spec file, not the paper's data sets. A training that starts from a network
gets that network's form, as far as the spec file and --set say nothing else.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed import specs
from cosembed.errors import InputError
from cosembed.networks.description import describe_network
from cosembed.study import flags as study_flags
from cosembed.study.experiment import Experiment
from cosembed.study.tasks.cells import CellsTask

EXPERIMENT = Experiment(name="own", dataset="", task=CellsTask())


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of every experiment and those for own videos, unless they are defined already."""
    study_flags.define_flags(flag_values)
    study_flags.define_own_flags(flag_values)


def run_from_flags(flag_values: flags.FlagValues, command: str) -> None:
    """Trains, tests on what did not train, and reports, as parsed flags say.

    Args:
        flag_values: Flags that `define_flags` defined, parsed.
        command: The command line, for tables and reports.

    Raises:
        InputError: Flags, the spec file or data that cannot be used.
    """
    spec_file = flag_values.spec
    if not spec_file:
        raise InputError("--spec is missing: write one with cosembed suggest-spec; see --help")
    recipe, profile = study_flags.recipe_and_profile(flag_values)
    start = describe_network(flag_values.start_from).spec if flag_values.start_from else None
    overrides = specs.parse_assignments(flag_values.set)
    spec = specs.resolve_file(Path(spec_file), recipe, profile, overrides, start)
    study_flags.run_spec(EXPERIMENT, spec, flag_values, command)

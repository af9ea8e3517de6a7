"""Trains a network on your own annotated videos, tests it on what it did not see, and reports.

    cosembed suggest-spec --data=data/mydata --output=mydata.yaml
    cosembed train --spec=mydata.yaml --data_dir=data --out_dir=runs --name=mydata --profile=cpu

The data set's folder below --data_dir is named in the spec. Interrupted, the same command continues. Results,
scores and report.html go to OUT_DIR/NAME; the trained network is the folder OUT_DIR/NAME/test_... that
`cosembed track` takes.
"""

from __future__ import annotations

import shlex
import sys

from absl import flags

from cosembed.study import flags as study_flags


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    study_flags.define_flags(flag_values)
    study_flags.define_own_flags(flag_values)


def main(flag_values: flags.FlagValues) -> None:
    """Trains, tests and reports.

    Raises:
        InputError: Flags, the spec file or data that cannot be used.
    """
    from cosembed.study import own_data

    own_data.run_from_flags(flag_values, shlex.join(["cosembed", *sys.argv[1:]]))

"""The catalogue of experiments: one thin module for each row of the paper, and the paper's own numbers.

A module is data: its docstring names the paper's section, the command, the expected row and the expected
time. `command.py` starts an experiment as a program; `reproduce` and `reproduce_ctc` start several.
"""

import sys
from pathlib import Path

from cosembed.commands.exit_status import hear_ctrl_c

if sys.argv[0] == "-m":
    # `python -m experiments.NAME` looks for NAME: its imports take seconds, and Ctrl-C is heard during them.
    hear_ctrl_c()

# The paper's numbers, which our own are shown beside.
REPORTED = Path(__file__).with_name("reported.json")

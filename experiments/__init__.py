"""The catalogue of experiments: one thin module for each row of the paper, and the paper's own numbers.

A module is data: its docstring names the paper's section, the command, the expected row and the expected
time. `command.py` starts an experiment as a program; `reproduce` and `reproduce_ctc` start several.
"""

from pathlib import Path

# The paper's numbers, which our own are shown beside.
REPORTED = Path(__file__).with_name("reported.json")

"""Scores a Cell Tracking Challenge result folder: SEG, DET, TRA, OP, and the errors behind them.

    cosembed evaluate --result_dir=01_RES --ground_truth_dir=01_GT --json=scores.json

--json=- prints the JSON and no text. --json=PATH writes through links, and to pipes.

Truth of one kind is enough: a score without its truth is printed as "not scored" (null in the file).
"""

from __future__ import annotations

import json
from pathlib import Path

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.wording import counted


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string("result_dir", "", "Folder of maskNNN.tif and res_track.txt.", flag_values=flag_values)
    flags.DEFINE_string("ground_truth_dir", "", "Folder with TRA, SEG, or both.", flag_values=flag_values)
    flags.DEFINE_string(
        "json", "", "Also write the scores to this file; - prints them as JSON.", flag_values=flag_values
    )


def main(flag_values: flags.FlagValues) -> None:
    """Prints the scores."""
    from cosembed.files.writing import atomic_write_text
    from cosembed.metrics.ctc import ERROR_NAMES, evaluate_ctc

    command_line.require(flag_values, "result_dir", "ground_truth_dir")
    if flag_values.json and Path(flag_values.json).is_dir():
        raise InputError(f"--json={flag_values.json}: is a folder; give the name of a file")
    scores = evaluate_ctc(flag_values.result_dir, flag_values.ground_truth_dir)
    content = json.dumps(scores, indent=1) + "\n"
    if flag_values.json == "-":
        print(content, end="")
        return
    for name in ("SEG", "DET", "TRA", "OP"):
        print(f"{name} {'not scored' if scores[name] is None else format(scores[name], '.6f')}")
    if scores["TRA"] is not None:
        print(", ".join(f"{scores[name]} {meaning} ({name})" for name, meaning in ERROR_NAMES.items()))
    print(
        f"{counted(scores['frames'], 'mask')}, {counted(scores['seg_frames'], 'frame')} with SEG truth; "
        f"py-ctcmetrics {scores['py-ctcmetrics']}"
    )
    if flag_values.json:
        atomic_write_text(Path(flag_values.json), content)

"""Scores a Cell Tracking Challenge result folder: segmentation, detection, tracks and divisions.

    cosembed evaluate --result_dir=01_RES --ground_truth_dir=01_GT --json=scores.json
    cosembed evaluate --result_dir=01_RES --ground_truth_dir=01_GT --table=cells.csv --frames_table=frames.csv

--json=- prints the JSON and no text. --json=PATH writes through links, and to pipes.

Truth of one kind is enough: a score without its truth is printed as "not scored" (null in the file). What
every measure means is in docs/reference/measures.md.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.wording import counted

_OUTPUTS = ("json", "table", "frames_table")


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string("result_dir", "", "Folder of maskNNN.tif and res_track.txt.", flag_values=flag_values)
    flags.DEFINE_string("ground_truth_dir", "", "Folder with TRA, SEG, or both.", flag_values=flag_values)
    flags.DEFINE_string(
        "json", "", "Also write the scores to this file; - prints them as JSON.", flag_values=flag_values
    )
    flags.DEFINE_string(
        "table", "", "CSV file to write, with a line for each true cell.", flag_values=flag_values
    )
    flags.DEFINE_string(
        "frames_table", "", "CSV file to write, with a line for each frame.", flag_values=flag_values
    )


def main(flag_values: flags.FlagValues) -> None:
    """Prints the scores."""
    from cosembed.files.writing import atomic_write_text
    from cosembed.metrics.ctc import evaluate_folders
    from cosembed.metrics.score_tables import CellRow, FrameRow, as_csv

    command_line.require(flag_values, "result_dir", "ground_truth_dir")
    _check_outputs(flag_values)
    scores, cells, frames = evaluate_folders(flag_values.result_dir, flag_values.ground_truth_dir)
    if flag_values.table and not cells:
        raise InputError(
            f"--table={flag_values.table}: {flag_values.ground_truth_dir} has no true track to list; "
            "leave the flag out, or add TRA truth"
        )
    content = json.dumps(scores, indent=1) + "\n"
    if flag_values.json == "-":
        print(content, end="")
    else:
        _print_scores(scores)
    outputs = {
        flag_values.json if flag_values.json != "-" else "": content,
        flag_values.table: as_csv(cells, CellRow._fields),
        flag_values.frames_table: as_csv(frames, FrameRow._fields),
    }
    for name, text in outputs.items():
        if name:
            atomic_write_text(Path(name), text)


def _check_outputs(flag_values: flags.FlagValues) -> None:
    """Refuses files that cannot be written, or would be written twice."""
    names = {flag: str(flag_values[flag].value) for flag in _OUTPUTS if flag_values[flag].value}
    for flag, name in names.items():
        if Path(name).is_dir():
            raise InputError(f"--{flag}={name}: is a folder; give the name of a file")
        if list(names.values()).count(name) > 1:
            raise InputError(f"--{flag}={name}: another flag names the same file; give each its own")


def _print_scores(scores: dict[str, Any]) -> None:
    from cosembed.metrics.ctc import ERROR_NAMES
    from cosembed.metrics.measures import MEASURES

    for name in MEASURES[:4]:
        print(f"{name} {'not scored' if scores[name] is None else format(scores[name], '.6f')}")
    if scores["TRA"] is not None:
        print(", ".join(f"{scores[name]} {meaning} ({name})" for name, meaning in ERROR_NAMES.items()))
        for name in MEASURES[4:]:
            if name in scores["undefined"]:
                print(f"{name} undefined: {scores['undefined'][name]}")
            else:
                counts = ", ".join(
                    f"{count} {what.replace('_', ' ')}" for what, count in scores["counts"][name].items()
                )
                print(f"{name} {scores[name]:.6f} ({counts})")
    print(
        f"{counted(scores['frames'], 'mask')}, {counted(scores['seg_frames'], 'frame')} with SEG truth; "
        f"py-ctcmetrics {scores['py-ctcmetrics']}"
    )

"""Compares our linking with that of other trackers, on the same masks and by the same measures.

    python -m benchmarks.rivals --result_dir=01_RES --ground_truth_dir=01_GT --json=rivals.json
    python -m benchmarks.rivals --result_dir=01_RES --ground_truth_dir=01_GT --rivals=btrack

The rivals are btrack and LapTrack (pip install "cosembed[rivals]") and the classical baseline's assignment,
each on the masks of our result. --baseline_dir scores a result of python -m benchmarks.classical_baseline,
too. trackastra takes no part: its weights are to be had from a hub only.
"""

from __future__ import annotations

import importlib.metadata
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags
from numpy.typing import NDArray

import cosembed
from benchmarks.rivals_linking import LINKERS, link_masks
from cosembed.baselines.cells import write_result
from cosembed.baselines.linking import measure_frames
from cosembed.commands import command_line
from cosembed.datasets.ctc.mask_files import mask_files, read_labels
from cosembed.errors import InputError
from cosembed.files.writing import atomic_write_text
from cosembed.metrics import evaluate_ctc
from cosembed.preprocessing.label_overlap import present_labels

FLAGS = flags.FLAGS
SHOWN = ("SEG", "DET", "TRA", "LNK", "NS", "FN", "FP", "ED", "EA", "EC")
# How far a cell may move between frames, in diameters of the middle cell.
REACH = 1.5

flags.DEFINE_string("result_dir", "", "Our result folder: maskNNN.tif and res_track.txt.")
flags.DEFINE_string("ground_truth_dir", "", "Its truth: TRA, SEG, or both.")
flags.DEFINE_list("rivals", list(LINKERS), "Which of them to compare with.")
flags.DEFINE_string("baseline_dir", "", "A result folder of the classical baseline, for the same frames.")
flags.DEFINE_float("reach", None, "Pixels a cell may move between frames; 1.5 diameters, if left out.")
flags.DEFINE_string("json", "", "File to write the scores to.")


def main() -> None:
    """Scores our result and the rivals' links of its masks.

    Raises:
        InputError: A flag is missing or unknown, a package is not installed, or a folder cannot be used.
    """
    for name in ("result_dir", "ground_truth_dir"):
        if not getattr(FLAGS, name):
            raise InputError(f"--{name} is missing; see --help")
    rows = compare(
        Path(FLAGS.result_dir),
        Path(FLAGS.ground_truth_dir),
        FLAGS.rivals,
        FLAGS.reach,
        Path(FLAGS.baseline_dir) if FLAGS.baseline_dir else None,
    )
    print(as_table(rows))
    if FLAGS.json:
        atomic_write_text(Path(FLAGS.json), json.dumps(rows, indent=1) + "\n")


def compare(
    result: Path,
    truth: Path,
    rivals: Sequence[str],
    reach: float | None = None,
    baseline: Path | None = None,
) -> list[dict[str, Any]]:
    """Scores our result as it is, then its masks as every rival links them.

    Args:
        result: Our result folder.
        truth: Its ground-truth folder.
        rivals: Names of `LINKERS`.
        reach: How far a cell may move between frames, in pixels; None takes 1.5 diameters of the middle cell.
        baseline: The classical baseline's result folder, which has masks of its own.

    Returns:
        For each, what it is (`method`, `version`), `seconds` of processor time of its linking, `reach`,
        and the scores and counts.

    Raises:
        InputError: A rival is unknown or not installed.
    """
    versions = {name: _version(name) for name in rivals}
    rows = [_row("ours", cosembed.__version__, result, truth)]
    if baseline:
        rows.append(_row("classical baseline, own masks", cosembed.__version__, baseline, truth))
    masks = _masks_from_one(result)
    measured = measure_frames(masks)
    if reach is None:
        areas = np.concatenate([frame.areas for frame in measured])
        reach = REACH * 2 * float(np.sqrt(np.median(areas) / np.pi)) if len(areas) else 1.0
    for name in rivals:
        begun = time.process_time()
        tables, tracks = link_masks(name, measured, masks[0].shape, reach)
        seconds = time.process_time() - begun
        labels = (table[mask] for table, mask in zip(tables, masks, strict=True))
        with tempfile.TemporaryDirectory() as folder:
            write_result(labels, tracks, Path(folder) / "RES")
            row = _row(f"our masks, linked by {name}", versions[name], Path(folder) / "RES", truth)
        rows.append(row | {"seconds": round(seconds, 2), "reach": round(reach, 1)})
    return rows


def as_table(rows: Sequence[dict[str, Any]]) -> str:
    """Lays the scores out as a table in Markdown."""
    known = [name for name in SHOWN if any(row.get(name) is not None for row in rows)]
    lines = [["", "Version", *known], ["---"] * (len(known) + 2)]
    for row in rows:
        values = [row.get(name) for name in known]
        shown = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in values]
        lines.append([row["method"], row["version"], *shown])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _masks_from_one(result: Path) -> list[NDArray[np.int64]]:
    """Reads the masks and numbers every frame's labels from 1: no link between frames is left in them."""
    masks = []
    for path in mask_files(result, "mask").values():
        labels = read_labels(path)
        table = np.zeros(int(labels.max()) + 1, np.int64)
        present = present_labels(labels)
        table[present] = np.arange(1, len(present) + 1)
        masks.append(table[labels])
    return masks


def _row(method: str, version: str, result: Path, truth: Path) -> dict[str, Any]:
    """Scores one result folder."""
    scores = evaluate_ctc(result, truth)
    return {"method": method, "version": version} | {name: scores.get(name) for name in SHOWN}


def _version(name: str) -> str:
    """Finds the version of a rival's package; our own has one where it is not installed, too."""
    if name not in LINKERS:
        raise InputError(f"--rivals={name}: is unknown; choose among {', '.join(LINKERS)}")
    package = LINKERS[name][0]
    if package == "cosembed":
        return cosembed.__version__
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise InputError(
            f"--rivals={name}: {package} is not installed; install it with pip install 'cosembed[rivals]'"
        ) from error


if __name__ == "__main__":
    command_line.run(main)

"""Scores our result and the rivals' links of its masks by the same measures. Knows no network, no flags."""

from __future__ import annotations

import importlib.metadata
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import cosembed
from benchmarks.rivals_linking import LINKERS, link_masks
from benchmarks.rivals_table import Row
from cosembed.baselines.cells import write_result
from cosembed.baselines.linking import measure_frames
from cosembed.datasets.ctc.mask_files import mask_files, read_labels
from cosembed.errors import InputError
from cosembed.metrics import evaluate_ctc
from cosembed.metrics.ctc import ERRORS
from cosembed.metrics.measures import MEASURES
from cosembed.preprocessing.label_overlap import present_labels

# How far a cell may move between frames, in diameters of the middle cell.
REACH = 1.5


class PreparedVideo(NamedTuple):
    """Holds the folders of a video that is ready to be compared.

    Attributes:
        name: The video's name.
        result: Our result folder.
        truth: The ground-truth folder of its frames.
        baseline: The classical baseline's result folder, with masks of its own, if there is one.
    """

    name: str
    result: Path
    truth: Path
    baseline: Path | None


def compare(video: PreparedVideo, versions: dict[str, str], reach: float | None = None) -> list[Row]:
    """Scores our result as it is, then its masks as every rival links them.

    Args:
        video: Our result and its truth; also the classical baseline's result, which has masks of its own.
        versions: Names of `LINKERS`, each with the version of its package.
        reach: How far a cell may move between frames, in pixels; None takes 1.5 diameters of the middle cell.

    Returns:
        For each, what it is (`video`, `method`, `version`), `seconds` of processor time of its linking and
        `reach` where it was linked here, and all scores and counts.

    Raises:
        DataError: A result or the truth cannot be used.
    """
    rows = [_row(video, "ours", cosembed.__version__, video.result)]
    if video.baseline:
        rows.append(_row(video, "classical baseline, own masks", cosembed.__version__, video.baseline))
    masks = _masks_from_one(video.result)
    measured = measure_frames(masks)
    if reach is None:
        areas = np.concatenate([frame.areas for frame in measured])
        reach = REACH * 2 * float(np.sqrt(np.median(areas) / np.pi)) if len(areas) else 1.0
    for name, version in versions.items():
        begun = time.process_time()
        tables, tracks = link_masks(name, measured, masks[0].shape, reach)
        seconds = time.process_time() - begun
        labels = (table[mask] for table, mask in zip(tables, masks, strict=True))
        with tempfile.TemporaryDirectory() as folder:
            write_result(labels, tracks, Path(folder) / "RES")
            row = _row(video, f"our masks, linked by {name}", version, Path(folder) / "RES")
        rows.append(row | {"seconds": round(seconds, 2), "reach": round(reach, 1)})
    return rows


def version_of(name: str) -> str:
    """Finds the version of a rival's package; our own has one where it is not installed, too.

    Raises:
        InputError: The rival is unknown, or its package is not installed.
    """
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


def _row(video: PreparedVideo, method: str, version: str, result: Path) -> Row:
    """Scores one result folder."""
    scores = evaluate_ctc(result, video.truth)
    named = {"video": video.name, "method": method, "version": version}
    return named | {name: scores[name] for name in (*MEASURES, *ERRORS)}

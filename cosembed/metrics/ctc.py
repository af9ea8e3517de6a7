"""The Cell Tracking Challenge's scores SEG, DET and TRA with the errors behind them; py-ctcmetrics counts.

SEG: mean IoU over reference masks, matched where more than half of the mask is covered (Maška et al. 2014). DET and TRA: 1
minus the weighted number of corrections that turn the result into the reference, normalised (Matula et al. 2015). OP is
(SEG + TRA) / 2.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed.data.ctc import read_labels
from cosembed.data.sequence import Track
from cosembed.data.tracks import read_tracks
from cosembed.data.validation import mask_files, require_valid
from cosembed.errors import DataError

# Names of the error counts: split vertices, missed and false vertices, edges to delete, to add, and of wrong kind.
ERRORS = ("NS", "FN", "FP", "ED", "EA", "EC")


def evaluate_ctc(result_dir: str | Path, ground_truth_dir: str | Path) -> dict[str, Any]:
    """Scores a result folder.

    Args:
        result_dir: maskNNN.tif, and res_track.txt if there is TRA truth.
        ground_truth_dir: With TRA (man_trackNNN.tif, man_track.txt), SEG (man_segNNN.tif), or both.

    Returns:
        SEG, DET, TRA, OP (None where the truth for it is absent), the counts `ERRORS` of TRA (None without), `frames`,
        `seg_frames`, `seg_objects`, and the version of py-ctcmetrics.

    Raises:
        DataError: A folder without truth or masks, or files that contradict each other.
    """
    result, truth = Path(result_dir), Path(ground_truth_dir)
    masks = mask_files(result, "mask")
    markers, segmented = mask_files(truth / "TRA", "man_track"), mask_files(truth / "SEG", "man_seg")
    if not markers and not segmented:
        raise DataError(f"{truth}: holds neither TRA/man_track000.tif nor SEG/man_seg000.tif; give the ground-truth folder")
    if not masks:
        raise DataError(f"{result}: holds no masks (mask000.tif, ...); give the result folder")
    require_valid(result, tracked=bool(markers))
    scores: dict[str, Any] = dict.fromkeys(("SEG", "DET", "TRA", "OP", *ERRORS))
    scores |= {"frames": len(masks), "seg_frames": len(segmented), "seg_objects": None}
    if segmented:
        scores |= _seg(masks, segmented)
    if markers:
        scores |= _tra(masks, markers, read_tracks(result / "res_track.txt"), read_tracks(truth / "TRA" / "man_track.txt"))
    if scores["SEG"] is not None and scores["TRA"] is not None:
        scores["OP"] = (scores["SEG"] + scores["TRA"]) / 2
    scores["py-ctcmetrics"] = importlib.metadata.version("py-ctcmetrics")
    return scores


def frame_seg(mask: NDArray, truth: NDArray) -> float:
    """SEG of one frame: mean over the true masks of the IoU with the mask that covers more than half of it, else 0.

    Args:
        mask: Labels [H, W].
        truth: Labels [H, W].

    Returns:
        0..1; NaN if the truth is empty.
    """
    overlap = np.zeros((int(truth.max()) + 1, int(mask.max()) + 1), np.int64)
    np.add.at(overlap, (truth.astype(np.intp), mask.astype(np.intp)), 1)
    true_area, area = overlap.sum(axis=1), overlap.sum(axis=0)
    present = np.flatnonzero(true_area)
    present = present[present > 0]
    if not len(present):
        return float("nan")
    overlap[:, 0] = 0
    best = overlap[present].argmax(axis=1)
    shared = overlap[present, best]
    iou = shared / (true_area[present] + area[best] - shared)
    return float(np.where(2 * shared > true_area[present], iou, 0.0).mean())


def _seg(masks: Mapping[int, Path], segmented: Mapping[int, Path]) -> dict[str, Any]:
    from ctc_metrics.metrics import seg
    from ctc_metrics.scripts.evaluate import match_computed_to_reference_masks

    pairs = _pairs(masks, segmented)
    matches = match_computed_to_reference_masks(*pairs, threads=1)
    objects = sum(map(len, matches["labels_ref"]))
    return {"SEG": float(seg(matches["labels_ref"], matches["ious"])), "seg_objects": objects}


def _tra(
    masks: Mapping[int, Path], markers: Mapping[int, Path], tracks: tuple[Track, ...], true_tracks: tuple[Track, ...]
) -> dict[str, Any]:
    from ctc_metrics.metrics import det, tra
    from ctc_metrics.scripts.evaluate import match_computed_to_reference_masks
    from ctc_metrics.utils.representations import count_acyclic_graph_correction_operations

    if set(masks) != set(markers):
        number = min(set(masks) ^ set(markers))
        where = "a mask but no TRA truth" if number in masks else "TRA truth but no mask"
        raise DataError(f"frame {number}: there is {where}; result and truth must cover the same frames")
    matches = match_computed_to_reference_masks(*_pairs(masks, markers), threads=1)
    vertices = sum(map(len, matches["labels_ref"]))
    if not vertices:
        raise DataError(f"{next(iter(markers.values())).parent}: all masks are empty; there is nothing to score TRA against")
    if not any(matches["labels_comp"]):
        # py-ctcmetrics cannot count an empty result: everything is missed.
        edges = sum(track.end - track.begin for track in true_tracks) + sum(track.parent > 0 for track in true_tracks)
        return {"DET": 0.0, "TRA": 0.0} | dict.fromkeys(ERRORS, 0) | {"FN": vertices, "EA": edges}
    counts = count_acyclic_graph_correction_operations(
        np.array(true_tracks).reshape(-1, 4),
        np.array(tracks).reshape(-1, 4),
        *(matches[name] for name in ("labels_ref", "labels_comp", "mapped_ref", "mapped_comp")),
    )
    score, _, _ = tra(**counts)
    return {"DET": float(det(**counts)), "TRA": float(score)} | {name: int(counts[name]) for name in ERRORS}


def _pairs(masks: Mapping[int, Path], truth: Mapping[int, Path]) -> tuple[list[str], list[str]]:
    """Paths of truth and of the masks of the same frames, checked to be of one size."""
    for number, path in truth.items():
        if number not in masks:
            raise DataError(f"{path}: the result has no mask {number}; result and truth must cover the same frames")
        shapes = read_labels(path).shape, read_labels(masks[number]).shape
        if shapes[0] != shapes[1]:
            raise DataError(f"{masks[number]}: is {shapes[1]} (height, width), its truth {path} {shapes[0]}; make them equal")
    return [str(path) for path in truth.values()], [str(masks[number]) for number in truth]

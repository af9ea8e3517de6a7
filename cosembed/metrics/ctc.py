"""Computes the Cell Tracking Challenge's scores SEG, DET and TRA with the errors behind them.

SEG is the mean IoU over reference masks, matched where more than half of the mask is covered (Maška et al.
2014). DET and TRA are 1 minus the weighted number of corrections that turn the result into the reference,
normalised (Matula et al. 2015). OP is (SEG + TRA) / 2.

py-ctcmetrics counts and scores. Masks are matched here, because its matching adds labels in the masks' own
integer type, which overflows without a word, and loses a label where an image has no background. This module
knows folders, not how they were made.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.faults import require_valid
from cosembed.datasets.ctc.mask_files import mask_files, read_labels
from cosembed.datasets.ctc.track_table import Track, read_tracks
from cosembed.datasets.ctc.validation import check_result, check_truth
from cosembed.errors import DataError
from cosembed.preprocessing.label_overlap import LabelOverlap, label_overlap, present_labels

# Corrections, as the challenge abbreviates them: vertices to split, to add, to delete; edges to delete, to
# add, to change in kind.
ERROR_NAMES = {
    "NS": "merged cells",
    "FN": "missed cells",
    "FP": "false cells",
    "ED": "false links",
    "EA": "missing links",
    "EC": "links of wrong kind",
}
ERRORS = tuple(ERROR_NAMES)


class _Matches(NamedTuple):
    """Holds the labels of truth and result, the matched pairs and their IoU, as py-ctcmetrics takes them.

    Every list has a list for each frame.
    """

    labels_ref: list[list[int]]
    labels_comp: list[list[int]]
    mapped_ref: list[list[int]]
    mapped_comp: list[list[int]]
    ious: list[list[float]]


def evaluate_ctc(result_dir: str | Path, ground_truth_dir: str | Path) -> dict[str, Any]:
    """Scores a result folder.

    SEG looks at the frames with SEG truth only; result masks of other frames do not matter to it. DET and TRA
    need a mask for every frame of the TRA truth, and no others.

    Args:
        result_dir: The folder of maskNNN.tif, and of res_track.txt if there is TRA truth.
        ground_truth_dir: The folder of TRA (man_trackNNN.tif, man_track.txt), SEG (man_segNNN.tif), or both.

    Returns:
        SEG, DET, TRA, OP (0..1; None where the truth for it is absent or holds no object); the numbers of
        corrections behind TRA (None without): NS masks that cover several cells, to be split; FN missed and
        FP false cells; ED links to delete, EA to add, EC of the wrong kind (within a track or to a parent).
        Also `frames` of the result, `seg_frames`, `seg_objects` and `tra_objects` of the truth, and the
        version of `py-ctcmetrics`.

    Raises:
        DataError: A folder holds no truth or no masks, or files are damaged or contradict each other.
    """
    result, truth = Path(result_dir), Path(ground_truth_dir)
    masks = mask_files(result, "mask")
    markers, segmented = mask_files(truth / "TRA", "man_track"), mask_files(truth / "SEG", "man_seg")
    if not markers and not segmented:
        raise DataError(
            f"{truth}: holds neither TRA/man_track000.tif nor SEG/man_seg000.tif; "
            "give the ground-truth folder"
        )
    if not masks:
        raise DataError(f"{result}: holds no masks (mask000.tif, ...); give the result folder")
    _check_frames(result, masks, markers, segmented)
    require_valid(result, check_result(result, tracked=bool(markers), warnings=False))
    require_valid(truth, check_truth(truth, warnings=False))
    scores: dict[str, Any] = dict.fromkeys(("SEG", "DET", "TRA", "OP", *ERRORS))
    scores |= {"frames": len(masks), "seg_frames": len(segmented), "seg_objects": None, "tra_objects": None}
    if segmented:
        scores |= _seg(_match(masks, segmented))
    if markers:
        tracks, true_tracks = (
            read_tracks(result / "res_track.txt"),
            read_tracks(truth / "TRA" / "man_track.txt"),
        )
        scores |= _tra(_match(masks, markers), tracks, true_tracks, min(markers))
    if scores["SEG"] is not None and scores["TRA"] is not None:
        scores["OP"] = (scores["SEG"] + scores["TRA"]) / 2
    scores["py-ctcmetrics"] = importlib.metadata.version("py-ctcmetrics")
    return scores


def frame_seg(mask: NDArray, truth: NDArray) -> float:
    """Computes SEG of one frame: the mean over the true masks of their IoU with the mask that covers them.

    A mask covers a true one if it has more than half of its pixels; a true mask that none covers counts 0.

    Args:
        mask: Labels [H, W] of the result; 0 is background.
        truth: Labels [H, W].

    Returns:
        0..1; NaN if the truth is empty.
    """
    pairs = _covering(truth, mask)
    scores = dict.fromkeys(present_labels(truth), 0.0)
    if not scores:
        return float("nan")
    scores |= zip(pairs.first.tolist(), pairs.iou.tolist(), strict=True)
    return float(np.mean(list(scores.values())))


def _covering(truth: NDArray, mask: NDArray) -> LabelOverlap:
    """Returns the pairs of a true label and the one label of `mask` that covers more than half of it."""
    pairs = label_overlap(truth, mask)
    return pairs.pick(2 * pairs.shared > pairs.first_area)


def _check_frames(
    result: Path, masks: Mapping[int, Path], markers: Mapping[int, Path], segmented: Mapping[int, Path]
) -> None:
    digits = len(next(iter(masks.values())).stem) - len("mask")
    for number, path in sorted({**segmented, **markers}.items()):
        if number not in masks:
            raise DataError(
                f"{result / f'mask{number:0{digits}d}.tif'}: is missing, but there is truth, {path}; both "
                "must cover the same frames"
            )
    unmatched = sorted(set(masks) - set(markers))
    if markers and unmatched:
        folder = next(iter(markers.values())).parent
        raise DataError(
            f"{masks[unmatched[0]]}: has no truth in {folder}; result and truth must cover the same frames"
        )


def _match(masks: Mapping[int, Path], truth: Mapping[int, Path]) -> _Matches:
    found = []
    for number, path in truth.items():
        labels, true_labels = read_labels(masks[number]), read_labels(path)
        if labels.shape != true_labels.shape:
            sizes = [f"{width} x {height} pixels" for height, width in (labels.shape, true_labels.shape)]
            raise DataError(
                f"{masks[number]}: is {sizes[0]}, but its truth {path} {sizes[1]}; make them equal"
            )
        pairs = _covering(true_labels, labels)
        matched = (pairs.first.tolist(), pairs.second.tolist(), pairs.iou.tolist())
        found.append([present_labels(true_labels), present_labels(labels), *matched])
    return _Matches(*map(list, zip(*found, strict=True)))


def _seg(matches: _Matches) -> dict[str, Any]:
    from ctc_metrics.metrics import seg

    objects = sum(map(len, matches.labels_ref))
    return {"SEG": float(seg(matches.labels_ref, matches.ious)) if objects else None, "seg_objects": objects}


def _tra(
    matches: _Matches, tracks: tuple[Track, ...], true_tracks: tuple[Track, ...], first: int
) -> dict[str, Any]:
    """Scores tracks whose first frame has the number `first`."""
    from ctc_metrics.metrics import det, tra
    from ctc_metrics.utils.representations import count_acyclic_graph_correction_operations

    vertices = sum(map(len, matches.labels_ref))
    if not vertices:
        return {"tra_objects": 0}
    if not any(matches.labels_comp):
        # py-ctcmetrics cannot count an empty result: everything is missed.
        links = sum(track.end - track.begin + (track.parent > 0) for track in true_tracks)
        missed = dict.fromkeys(ERRORS, 0) | {"FN": vertices, "EA": links}
        return {"DET": 0.0, "TRA": 0.0, "tra_objects": vertices} | missed
    # It counts frames from 0, whatever their numbers.
    tables = [
        np.array(table, int).reshape(-1, 4) - np.array([0, first, first, 0])
        for table in (true_tracks, tracks)
    ]
    # Nor can it count a single frame; an empty frame behind it changes nothing.
    frames = [[*values, []] for values in matches[:4]]
    counts = count_acyclic_graph_correction_operations(*tables, *frames)
    score, _, _ = tra(**counts)
    errors = {name: int(counts[name]) for name in ERRORS}
    return {"DET": float(det(**counts)), "TRA": float(score), "tra_objects": vertices} | errors

"""Scores result folders: SEG, DET and TRA of the Cell Tracking Challenge, and all measures of tracks.

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
from cosembed.metrics.comparison import compare_tracks
from cosembed.metrics.measure import Measure
from cosembed.metrics.measures import MEASURES, measure_tracks
from cosembed.metrics.score_tables import CellRow, FrameRow, SegFrame, cell_rows, frame_rows
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


class Evaluation(NamedTuple):
    """Holds everything that comparing a result with its truth gives.

    Attributes:
        scores: As `evaluate_ctc` returns them.
        cells: A row for each true track, in the order of their labels; none without TRA truth.
        frames: A row for each frame that has truth.
    """

    scores: dict[str, Any]
    cells: list[CellRow]
    frames: list[FrameRow]


def evaluate_ctc(result_dir: str | Path, ground_truth_dir: str | Path) -> dict[str, Any]:
    """Scores a result folder.

    SEG looks at the frames with SEG truth only; result masks of other frames do not matter to it. DET, TRA
    and all measures of tracks need a mask for every frame of the TRA truth, and no others.

    Args:
        result_dir: The folder of maskNNN.tif, and of res_track.txt if there is TRA truth.
        ground_truth_dir: The folder of TRA (man_trackNNN.tif, man_track.txt), SEG (man_segNNN.tif), or both.

    Returns:
        SEG, DET, TRA, OP (0..1; None where the truth for it is absent or holds no object); the numbers of
        corrections behind TRA (None without): NS masks that cover several cells, to be split; FN missed and
        FP false cells; ED links to delete, EA to add, EC of the wrong kind (within a track or to a parent).
        Also `frames` of the result, `seg_frames`, `seg_objects` and `tra_objects` of the truth, and the
        version of `py-ctcmetrics`.
        The further measures of `measures.MEASURES`, which docs/reference/measures.md defines; `counts`: the
        counts behind each of all measures, by name; and `undefined`: for each that is None, the reason.

    Raises:
        DataError: A folder holds no truth or no masks, or files are damaged or contradict each other.
    """
    return evaluate_folders(result_dir, ground_truth_dir).scores


def evaluate_folders(result_dir: str | Path, ground_truth_dir: str | Path) -> Evaluation:
    """Scores a result folder as a whole, by cells and by frames.

    Args:
        result_dir: As for `evaluate_ctc`.
        ground_truth_dir: As for `evaluate_ctc`.

    Returns:
        The scores with their tables.

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
    measures = dict.fromkeys(MEASURES, Measure(None, {}, "there is no TRA truth"))
    measures["SEG"] = Measure(None, {}, "there is no SEG truth")
    scores: dict[str, Any] = dict.fromkeys(ERRORS)
    scores |= {"frames": len(masks), "seg_frames": len(segmented), "seg_objects": None, "tra_objects": None}
    seg_frames: dict[int, SegFrame] = {}
    comparison = None
    if segmented:
        matches = _match(masks, segmented)
        measures["SEG"] = _seg(matches)
        seg_frames = {
            number: SegFrame(len(labels), float(sum(ious)))
            for number, labels, ious in zip(segmented, matches.labels_ref, matches.ious, strict=True)
        }
        scores["seg_objects"] = measures["SEG"].counts["objects"]
    if markers:
        tracks, true_tracks = (
            read_tracks(result / "res_track.txt"),
            read_tracks(truth / "TRA" / "man_track.txt"),
        )
        matches = _match(masks, markers)
        scores["tra_objects"] = sum(map(len, matches.labels_ref))
        comparison = compare_tracks(
            true_tracks, tracks, zip(markers, matches.mapped_ref, matches.mapped_comp, strict=True)
        )
        if scores["tra_objects"]:
            corrections = _count_corrections(matches, tracks, true_tracks, min(markers))
            scores |= {name: corrections[name] for name in ERRORS}
            measures |= _graph_measures(corrections)
            measures |= measure_tracks(comparison, true_tracks, tracks, matches[:4])
        else:
            empty = Measure(None, {}, "the TRA truth holds no marker")
            measures |= dict.fromkeys(set(MEASURES) - {"SEG"}, empty)
    measures["OP"] = _mean(measures["SEG"], measures["TRA"])
    scores = {name: measures[name].value for name in MEASURES[:4]} | scores
    scores |= {name: measures[name].value for name in MEASURES[4:]}
    scores["py-ctcmetrics"] = importlib.metadata.version("py-ctcmetrics")
    scores["counts"] = {name: measure.counts for name, measure in measures.items()}
    scores["undefined"] = {name: measure.undefined for name, measure in measures.items() if measure.undefined}
    return Evaluation(
        scores,
        [] if comparison is None else cell_rows(comparison),
        frame_rows(comparison, markers, seg_frames),
    )


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


def _seg(matches: _Matches) -> Measure:
    from ctc_metrics.metrics import seg

    counts = {"objects": sum(map(len, matches.labels_ref)), "matched": sum(map(len, matches.ious))}
    if not counts["objects"]:
        return Measure(None, counts, "the SEG truth holds no mask")
    return Measure(float(seg(matches.labels_ref, matches.ious)), counts)


def _mean(seg: Measure, tra: Measure) -> Measure:
    """Computes OP."""
    if seg.value is None or tra.value is None:
        return Measure(None, {}, seg.undefined or tra.undefined)
    return Measure((seg.value + tra.value) / 2, {})


def _count_corrections(
    matches: _Matches, tracks: tuple[Track, ...], true_tracks: tuple[Track, ...], first: int
) -> dict[str, int]:
    """Counts the corrections of tracks whose first frame has the number `first`, as py-ctcmetrics does."""
    from ctc_metrics.utils.representations import count_acyclic_graph_correction_operations

    vertices = sum(map(len, matches.labels_ref))
    if not any(matches.labels_comp):
        # py-ctcmetrics cannot count an empty result: everything is missed.
        links = sum(track.end - track.begin + (track.parent > 0) for track in true_tracks)
        missed = {"FN": vertices, "EA": links, "num_vertices": vertices, "num_edges": links}
        return dict.fromkeys(ERRORS, 0) | missed
    # It counts frames from 0, whatever their numbers.
    tables = [
        np.array(table, int).reshape(-1, 4) - np.array([0, first, first, 0])
        for table in (true_tracks, tracks)
    ]
    # Nor can it count a single frame; an empty frame behind it changes nothing.
    frames = [[*values, []] for values in matches[:4]]
    counts = count_acyclic_graph_correction_operations(*tables, *frames)
    return {name: int(count) for name, count in counts.items()}


def _graph_measures(corrections: Mapping[str, int]) -> dict[str, Measure]:
    """Computes the measures that weigh corrections."""
    from ctc_metrics.metrics import det, lnk, tra

    counts = {name: corrections[name] for name in ERRORS}
    vertices, links = {"markers": corrections["num_vertices"]}, {"links": corrections["num_edges"]}
    of_vertices, of_links = ({name: counts[name] for name in names} for names in (ERRORS[:3], ERRORS[3:]))
    linking = Measure(None, of_links | links, "the truth has no link")
    if links["links"]:
        linking = Measure(float(lnk(**corrections)), of_links | links)
    return {
        "DET": Measure(float(det(**corrections)), of_vertices | vertices),
        "TRA": Measure(float(tra(**corrections)[0]), counts | vertices | links),
        "LNK": linking,
    }

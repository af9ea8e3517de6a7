"""Finds the classical tracker's values on frames with truth: segmentation first, then linking.

It is a search along one value after the other, of few candidates each, which are relative to the cells' size
in the truth. Nothing but the given frames is looked at.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.baselines.cells import write_result
from cosembed.baselines.linking import link_cells, measure_frames
from cosembed.baselines.segmentation import segment_cells
from cosembed.baselines.values import FEATURES, SEEDS, BaselineValues
from cosembed.datasets.ctc.mask_files import mask_files, read_labels
from cosembed.datasets.magnification import disc_width
from cosembed.metrics import evaluate_ctc
from cosembed.metrics.ctc import frame_seg
from cosembed.preprocessing.label_overlap import label_overlap, present_labels

# Frames for the segmentation are chosen evenly, up to so many pixels and frames; at least two.
MOST_PIXELS, MOST_FRAMES = 3_000_000, 6
ROUNDS = 2
THRESHOLDS = (0.03, 0.08, 0.17, 0.3, 0.5, 0.75, 1.1)
# DET's weights of a cell to be split, to be added and to be deleted (Matula et al. 2015).
SPLIT, ADD, DELETE = 5, 10, 1


class TrainingVideo(NamedTuple):
    """Holds frames to tune on and the folder of their truth, whose numbers count from 0."""

    frames: Sequence[NDArray]
    truth: Path


@dataclass(frozen=True)
class TunedBaseline:
    """Holds the values found and how they scored on the frames that they were found on.

    Attributes:
        values: The best values.
        segmentation: SEG plus DET on the frames that the segmentation was tuned on, 0 to 2.
        frames: How many frames those were.
        tracking: TRA on all frames, mean over the videos; None without TRA truth.
        tried: How many sets of values were tried, of segmentation and of linking.
    """

    values: BaselineValues
    segmentation: float
    frames: int
    tracking: float | None
    tried: tuple[int, int]


class _Sample(NamedTuple):
    """Holds one frame with its SEG truth and its TRA truth; either may be absent."""

    frame: NDArray
    masks: NDArray | None
    markers: NDArray | None


def tune_baseline(videos: Sequence[TrainingVideo], start: BaselineValues | None = None) -> TunedBaseline:
    """Finds the values of the best SEG plus DET on some annotated frames, then those of the best TRA.

    Args:
        videos: What to tune on; at least one, with truth in the challenge's layout.
        start: Values to begin with; None derives them from the size of the cells in the truth.

    Returns:
        The best values that were tried; equal input gives equal values.

    Raises:
        DataError: Truth that is damaged.
    """
    samples = [sample for video in videos for sample in _samples(video, len(videos))]
    area = _typical_area(samples)
    first = start or _start(area)
    segmentation = _Search(lambda values: _segmentation_score(samples, values))
    segmentation.along(first, _first_look(first, area))
    for _ in range(ROUNDS):
        before = segmentation.best
        for axis in _segmentation_axes(area):
            segmentation.along(before, axis(segmentation.best))
        if segmentation.best == before:
            break
    tracked = [video for video in videos if mask_files(video.truth / "TRA", "man_track")]
    if not tracked:
        return TunedBaseline(
            segmentation.best, segmentation.best_score, len(samples), None, (segmentation.tried, 0)
        )
    linking = _Search(_tracking_scorer(tracked, segmentation.best))
    linking.along(segmentation.best, ())
    for axis in _linking_axes(area):
        linking.along(segmentation.best, axis(linking.best))
    return TunedBaseline(
        linking.best,
        segmentation.best_score,
        len(samples),
        linking.best_score,
        (segmentation.tried, linking.tried),
    )


class _Search:
    """Keeps the best of all values tried; of equal ones, the first."""

    def __init__(self, score: Callable[[BaselineValues], float]) -> None:
        self._score = score
        self._scores: dict[BaselineValues, float] = {}

    @property
    def best(self) -> BaselineValues:
        """Returns the values of the highest score."""
        return max(self._scores, key=lambda values: self._scores[values])

    @property
    def best_score(self) -> float:
        """Returns the highest score."""
        return max(self._scores.values())

    @property
    def tried(self) -> int:
        """Returns how many values were tried."""
        return len(self._scores)

    def along(self, start: BaselineValues, candidates: Iterable[BaselineValues]) -> None:
        """Tries `start` and the candidates."""
        for values in (start, *candidates):
            if values not in self._scores:
                self._scores[values] = self._score(values)


def _samples(video: TrainingVideo, videos: int) -> list[_Sample]:
    """Chooses frames of a video evenly among those with SEG truth, or with TRA truth if none has SEG."""
    masks, markers = mask_files(video.truth / "SEG", "man_seg"), mask_files(video.truth / "TRA", "man_track")
    numbers = sorted(masks or markers)
    pixels = int(np.prod(video.frames[0].shape[:2]))
    count = max(2, min(MOST_FRAMES, MOST_PIXELS // pixels) // videos)
    chosen = (
        {numbers[i] for i in np.linspace(0, len(numbers) - 1, count).round().astype(int)} if numbers else ()
    )
    return [
        _Sample(
            np.asarray(video.frames[number]),
            read_labels(masks[number]) if number in masks else None,
            read_labels(markers[number]) if number in markers else None,
        )
        for number in sorted(chosen)
    ]


def _typical_area(samples: Sequence[_Sample]) -> float:
    """Computes the median area of the true cells in pixels."""
    truths = [sample.markers if sample.masks is None else sample.masks for sample in samples]
    areas = [np.bincount(truth.ravel())[1:] for truth in truths if truth is not None]
    known = np.concatenate([area[area > 0] for area in areas]) if areas else np.zeros(0)
    return float(np.median(known)) if len(known) else 500.0


def _start(area: float) -> BaselineValues:
    """Derives values to begin with from the cells' area."""
    diameter = disc_width(area)
    return BaselineValues(
        seed_scale=round(diameter / 8, 1),
        smallest=max(4, int(area / 8)),
        reach=round(diameter, 1),
        division=round(diameter, 1),
    )


def _first_look(start: BaselineValues, area: float) -> list[BaselineValues]:
    """Gives values that differ in what decides most: feature and threshold."""
    windows = {"texture": round(disc_width(area) / 20, 1)}
    return [
        replace(start, feature=feature, threshold=threshold, smoothing=windows.get(feature, start.smoothing))
        for feature in FEATURES
        for threshold in THRESHOLDS
    ]


_Axis = Callable[[BaselineValues], list[BaselineValues]]


def _segmentation_axes(area: float) -> list[_Axis]:
    """Lists the searches of the segmentation: each gives candidates around the best values so far."""
    diameter = disc_width(area)
    windows = [0, *(int(diameter * share) // 2 * 2 + 1 for share in (2, 4, 8))]
    scales = [round(diameter * share, 1) for share in (1 / 16, 1 / 11, 1 / 7, 1 / 5, 0.28)]
    areas = [max(4, int(area * share)) for share in (1 / 16, 1 / 8, 1 / 4, 0.4)]
    return [
        _fixed("seed_scale", scales),
        _fixed("seeds", SEEDS),
        # Another background needs another threshold.
        lambda best: [
            replace(best, window=window, threshold=threshold)
            for window in windows
            if window != best.window
            for threshold in (*THRESHOLDS[:3], best.threshold)
        ],
        _relative("smoothing", (0.5, 0.7, 1.4, 2.0)),
        _fixed("share", (0.0, 0.3, 0.45, 0.6)),
        _fixed("smallest", areas),
        _relative("threshold", (0.7, 0.85, 1.2, 1.5)),
    ]


def _linking_axes(area: float) -> list[_Axis]:
    """Lists the searches of the linking."""
    lengths = [round(disc_width(area) * share, 1) for share in (0.5, 1.0, 1.5, 2.5)]
    return [
        _fixed("shortest", (1, 2, 3, 5)),
        _fixed("reach", lengths),
        _fixed("division", [0.0, *lengths]),
        _fixed("likeness", (0.3, 0.5, 0.7)),
    ]


def _fixed(name: str, candidates: Sequence[Any]) -> _Axis:
    """Makes a search over given candidates of one value."""
    return lambda best: [replace(best, **{name: candidate}) for candidate in candidates]


def _relative(name: str, factors: Sequence[float]) -> _Axis:
    """Makes a search over multiples of the best value so far, of three digits."""

    def candidates(best: BaselineValues) -> list[BaselineValues]:
        multiples: list[Any] = [float(f"{getattr(best, name) * factor:.3g}") for factor in factors]
        return _fixed(name, multiples)(best)

    return candidates


def _segmentation_score(samples: Sequence[_Sample], values: BaselineValues) -> float:
    """Scores the segmentation: SEG plus DET, over all cells of the samples; what has no truth counts 0."""
    covered = cells = corrections = markers = 0.0
    for sample in samples:
        found = segment_cells(sample.frame, values)
        if sample.masks is not None and (count := len(present_labels(sample.masks))):
            covered += count * frame_seg(found, sample.masks)
            cells += count
        if sample.markers is not None:
            corrections += _corrections(found, sample.markers)
            markers += len(present_labels(sample.markers))
    detected = max(0.0, 1 - corrections / (ADD * markers)) if markers else 0.0
    return (covered / cells if cells else 0.0) + detected


def _corrections(found: NDArray, markers: NDArray) -> int:
    """Sums the weighted corrections of one frame's cells, as DET counts them."""
    pairs = label_overlap(markers, found)
    pairs = pairs.pick(2 * pairs.shared > pairs.first_area)
    used = len(np.unique(pairs.second))
    merged = len(pairs.first) - used
    missed = len(present_labels(markers)) - len(pairs.first)
    return SPLIT * merged + ADD * missed + DELETE * (len(present_labels(found)) - used)


def _tracking_scorer(
    videos: Sequence[TrainingVideo], values: BaselineValues
) -> Callable[[BaselineValues], float]:
    """Segments the videos once; returns what links them by other values and computes the mean TRA."""
    segmented = [[segment_cells(frame, values) for frame in video.frames] for video in videos]
    measured = [measure_frames(labels) for labels in segmented]

    def score(candidate: BaselineValues) -> float:
        scores = []
        for video, labels, frames in zip(videos, segmented, measured, strict=True):
            tables, tracks = link_cells(frames, candidate)
            masks = (table[frame] for table, frame in zip(tables, labels, strict=True))
            with tempfile.TemporaryDirectory() as folder:
                write_result(masks, tracks, Path(folder) / "RES")
                scores.append(evaluate_ctc(Path(folder) / "RES", video.truth)["TRA"])
        known = [found for found in scores if found is not None]
        return float(np.mean(known)) if known else 0.0

    return score

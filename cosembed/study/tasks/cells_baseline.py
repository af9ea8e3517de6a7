"""Tunes the classical baseline on the frames that train a fold, and tracks a tested video with it.

The values are written beside the baseline's result, so that a score always has the values that made it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from absl import logging

from cosembed.baselines.cells import write_baseline
from cosembed.baselines.record import read_tuned, write_tuned
from cosembed.baselines.tuning import TrainingVideo, TunedBaseline, tune_baseline
from cosembed.datasets.ctc.reader import write_truth_cut
from cosembed.files.writing import remove_folder
from cosembed.study.folds import Fold
from cosembed.study.protocols import VideoRange
from cosembed.study.tasks.cells_files import frames_of


def make_baseline(fold: Fold[VideoRange], tested: VideoRange, result: Path) -> TunedBaseline | None:
    """Tracks a tested video by the baseline unless that has been done.

    Args:
        fold: Says which frames train; those are the ones that the values are tuned on.
        tested: The frames to track.
        result: The folder to write. The values are in the file of its name with the ending `.json`.

    Returns:
        The values with their scores on the training frames; None where nothing trains, and the defaults were
        used.

    Raises:
        DataError: The file of the values is damaged.
    """
    record = result.with_suffix(".json")
    if result.exists() and (record.exists() or not fold.train):
        return read_tuned(record) if fold.train else None
    remove_folder(result)
    if not fold.train:
        write_baseline(frames_of(tested), result)
        return None
    tuned = tune_on(fold.train)
    logging.info("%s: classical baseline, tuned on the training frames: %s", fold.name, tuned)
    write_tuned(record, tuned)
    write_baseline(frames_of(tested), result, tuned.values)
    return tuned


def tune_on(ranges: tuple[VideoRange, ...]) -> TunedBaseline:
    """Tunes the baseline on frames of annotated videos.

    Raises:
        DataError: There is no truth for these frames.
    """
    with tempfile.TemporaryDirectory() as folder:
        videos = []
        for number, frames in enumerate(ranges):
            truth = Path(folder) / f"{number}_GT"
            write_truth_cut(frames.root, frames.video, frames.begin, frames.end, truth)
            videos.append(TrainingVideo(frames_of(frames), truth))
        return tune_baseline(videos)

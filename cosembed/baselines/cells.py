"""Tracks cells by a classical method to compare with: threshold, watershed, assignment of cells to cells.

It learns nothing. Its few values are those of `BaselineValues`, which `tune_baseline` finds on frames with
truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.baselines.linking import link_cells, measure_frames
from cosembed.baselines.segmentation import segment_cells
from cosembed.baselines.values import BaselineValues
from cosembed.datasets.ctc.track_table import Track, write_tracks
from cosembed.files.writing import atomic_folder
from cosembed.images.tiff import write_mask


def track_cells(
    frames: Iterable[NDArray], values: BaselineValues | None = None
) -> tuple[NDArray[np.uint16], list[Track]]:
    """Segments every frame and links the cells.

    Args:
        frames: The video, frame by frame, as `segment_cells` takes them; at least one.
        values: How to do it; None takes the defaults, which suit bright cells of some 500 pixels.

    Returns:
        Labels uint16 [T, H, W] and the track table.
    """
    values = values or BaselineValues()
    segmented = [segment_cells(frame, values) for frame in frames]
    tables, tracks = link_cells(measure_frames(segmented), values)
    return np.stack([table[labels] for table, labels in zip(tables, segmented, strict=True)]), tracks


def write_baseline(frames: Iterable[NDArray], output: Path, values: BaselineValues | None = None) -> None:
    """Tracks a video by the baseline and writes a result folder, complete or not at all.

    Args:
        frames: The video, frame by frame; at least one.
        output: The folder to write.
        values: As in `track_cells`.

    Raises:
        OutputError: `output` exists.
    """
    write_result(*track_cells(frames, values), output)


def write_result(labels: Iterable[NDArray[np.uint16]], tracks: Iterable[Track], output: Path) -> None:
    """Writes masks and tracks as a result folder, complete or not at all.

    Args:
        labels: Frame by frame, [H, W] with the tracks' labels.
        tracks: The track table.
        output: The folder to write.

    Raises:
        OutputError: `output` exists.
    """
    with atomic_folder(output) as folder:
        for index, mask in enumerate(labels):
            write_mask(folder / f"mask{index:03d}.tif", mask)
        write_tracks(folder / "res_track.txt", tracks)

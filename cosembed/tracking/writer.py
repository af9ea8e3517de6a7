"""Writes tracks as a Cell Tracking Challenge result folder (released code, steps 13 to 15).

maskNNN.tif      uint16, original size, zlib
res_track.txt    label begin end parent
tracks.csv       label, parent, frame, y, x, area: one row per instance and frame; centroid and area in original pixels
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import Track, write_tracks
from cosembed.files.progress import with_progress
from cosembed.files.writing import atomic_folder, atomic_write_text
from cosembed.images.reading import read_image
from cosembed.images.tiff import write_mask
from cosembed.preprocessing.geometry import Grid
from cosembed.specs import UpsamplingSpec
from cosembed.tracking.tracker import TrackingResult
from cosembed.tracking.upsample import upsample_labels


class Region(NamedTuple):
    """One instance in one frame: centroid and area in original pixels."""

    y: float
    x: float
    area: int


def write_result(
    output: Path, result: TrackingResult, grid: Grid, image_shape: tuple[int, int], upsampling: UpsamplingSpec
) -> list[Track]:
    """Upsamples, repairs and writes a result, complete or not at all.

    Args:
        output: The folder to write.
        result: Tracks at network resolution.
        grid: Where network pixels lie in the original image.
        image_shape: Height and width of the original images.
        upsampling: Method and sigma.

    Returns:
        The repaired track table.

    Raises:
        OutputError: `output` exists.
    """
    regions: dict[int, dict[int, Region]] = {}
    digits = max(3, len(str(len(result.labels) - 1)))
    with atomic_folder(output) as folder:
        for frame, labels in enumerate(with_progress(result.labels, len(result.labels), "writing")):
            mask = upsample_labels(labels, grid, image_shape, upsampling)
            write_mask(folder / f"mask{frame:0{digits}d}.tif", mask)
            for label, region in measure_regions(mask).items():
                regions.setdefault(label, {})[frame] = region
        tracks = repair_tracks(result.tracks, regions)
        kept = {track.label for track in tracks}
        erased = [label for label in regions if label not in kept]
        for frame in sorted({frame for label in erased for frame in regions[label]}):
            path = folder / f"mask{frame:0{digits}d}.tif"
            mask = read_image(path)
            write_mask(path, np.where(np.isin(mask, erased), 0, mask).astype(np.uint16))
        write_tracks(folder / "res_track.txt", tracks)
        atomic_write_text(folder / "tracks.csv", _csv(cell_rows(tracks, regions)))
    return tracks


class FinishedVideo(NamedTuple):
    """Tracks at the images' own size, repaired, as a result folder holds them.

    Attributes:
        labels: uint16 [T, H, W]; 0 is background.
        tracks: The repaired track table.
        regions: Label -> frame -> region, of the tracks that were kept.
    """

    labels: NDArray[np.uint16]
    tracks: list[Track]
    regions: dict[int, dict[int, Region]]


class CellRow(NamedTuple):
    """One line of tracks.csv: a cell in a frame, its centroid and area in original pixels."""

    label: int
    parent: int
    frame: int
    y: float
    x: float
    area: int


def finish_video(
    result: TrackingResult, grid: Grid, image_shape: tuple[int, int], upsampling: UpsamplingSpec
) -> FinishedVideo:
    """Upsamples and repairs a result in memory; the same labels and tracks as `write_result` writes.

    Args:
        result: Tracks at network resolution.
        grid: Where network pixels lie in the original image.
        image_shape: Height and width of the original images.
        upsampling: Method and sigma.
    """
    labels = np.empty((len(result.labels), *image_shape), np.uint16)
    regions: dict[int, dict[int, Region]] = {}
    for frame, small in enumerate(with_progress(result.labels, len(result.labels), "upsampling")):
        labels[frame] = upsample_labels(small, grid, image_shape, upsampling)
        for label, region in measure_regions(labels[frame]).items():
            regions.setdefault(label, {})[frame] = region
    tracks = repair_tracks(result.tracks, regions)
    kept = {track.label: regions[track.label] for track in tracks}
    erased = [label for label in regions if label not in kept]
    for frame in sorted({frame for label in erased for frame in regions[label]}):
        labels[frame][np.isin(labels[frame], erased)] = 0
    return FinishedVideo(labels, tracks, kept)


def cell_rows(tracks: list[Track], regions: Mapping[int, Mapping[int, Region]]) -> list[CellRow]:
    """Lists every cell of every frame, by label and then by frame; centroids have two decimals."""
    return [
        CellRow(track.label, track.parent, frame, round(region.y, 2), round(region.x, 2), region.area)
        for track in sorted(tracks)
        for frame, region in sorted(regions[track.label].items())
    ]


def repair_tracks(tracks: list[Track], regions: Mapping[int, Mapping[int, Region]]) -> list[Track]:
    """The table that fits the upsampled masks.

    Tracks without pixels or with gaps are dropped, first and last frames follow the masks, lost parents become 0.

    Args:
        tracks: The table at network resolution.
        regions: Label -> frame -> region, of the upsampled masks.
    """
    kept: dict[int, Track] = {}
    for track in tracks:
        frames = sorted(regions.get(track.label, ()))
        if frames and frames[-1] - frames[0] + 1 == len(frames):
            kept[track.label] = track._replace(begin=frames[0], end=frames[-1])
    return [track if track.parent in kept else track._replace(parent=0) for track in kept.values()]


def measure_regions(mask: NDArray[np.uint16]) -> dict[int, Region]:
    """Centroid and area of every label of a mask [H, W]."""
    rows, columns = np.nonzero(mask)
    labels = mask[rows, columns]
    area = np.bincount(labels)
    y, x = (np.bincount(labels, weights=axis) / np.maximum(area, 1) for axis in (rows, columns))
    return {
        int(label): Region(float(y[label]), float(x[label]), int(area[label]))
        for label in np.flatnonzero(area)
    }


def _csv(rows: list[CellRow]) -> str:
    lines = [",".join(CellRow._fields)]
    lines += [f"{row.label},{row.parent},{row.frame},{row.y:.2f},{row.x:.2f},{row.area}" for row in rows]
    return "\n".join(lines) + "\n"

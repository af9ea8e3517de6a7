"""Writes tracks as a Cell Tracking Challenge result folder (steps 13 to 15 of `cosembed.tracking`).

maskNNN.tif      the labels of a frame: uint16, original size, compressed with zlib
res_track.txt    one row for each track: label begin end parent
tracks.csv       one row for each instance and frame: label, parent, frame, y, x, area; the last three are the
                 centroid and the area in original pixels

Knows tracks and result folders, not how the tracks were found.
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
    """Describes one instance in one frame by its centroid (y, x) and its area, in original pixels."""

    y: float
    x: float
    area: int


def write_result(
    output: Path, result: TrackingResult, grid: Grid, image_shape: tuple[int, int], upsampling: UpsamplingSpec
) -> list[Track]:
    """Upsamples, repairs and writes a result, complete or not at all (steps 13 to 15).

    Args:
        output: The folder to write, which must not exist.
        result: The tracks at network resolution.
        grid: Where the network's pixels lie in the original image.
        image_shape: Height and width of the original images.
        upsampling: The method of upsampling, and the sigma of its Gaussian in original pixels.

    Returns:
        The repaired track table.

    Raises:
        OutputError: The folder exists already.
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
        atomic_write_text(folder / "tracks.csv", _format_csv(cell_rows(tracks, regions)))
    return tracks


class FinishedVideo(NamedTuple):
    """Holds repaired tracks at the original images' size, as a result folder holds them.

    Attributes:
        labels: uint16 [T, H, W]; 0 is background.
        tracks: The repaired track table.
        regions: For every label of the table its frames, and its region in each.
    """

    labels: NDArray[np.uint16]
    tracks: list[Track]
    regions: dict[int, dict[int, Region]]


class CellRow(NamedTuple):
    """Describes a cell in a frame, as a row of tracks.csv does; centroid and area are in original pixels."""

    label: int
    parent: int
    frame: int
    y: float
    x: float
    area: int


def finish_video(
    result: TrackingResult, grid: Grid, image_shape: tuple[int, int], upsampling: UpsamplingSpec
) -> FinishedVideo:
    """Upsamples and repairs a result in memory, with the labels and tracks that `write_result` writes.

    Args:
        result: The tracks at network resolution.
        grid: Where the network's pixels lie in the original image.
        image_shape: Height and width of the original images.
        upsampling: The method of upsampling, and the sigma of its Gaussian in original pixels.
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
    """Makes the track table fit the upsampled masks (step 14).

    Tracks without pixels or with gaps are dropped, first and last frames follow the masks, and lost parents
    become 0.

    Args:
        tracks: The table at network resolution.
        regions: For every label the frames in which the upsampled masks have it, and its region there.
    """
    kept: dict[int, Track] = {}
    for track in tracks:
        frames = sorted(regions.get(track.label, ()))
        if frames and frames[-1] - frames[0] + 1 == len(frames):
            kept[track.label] = track._replace(begin=frames[0], end=frames[-1])
    return [track if track.parent in kept else track._replace(parent=0) for track in kept.values()]


def measure_regions(mask: NDArray[np.uint16]) -> dict[int, Region]:
    """Measures the centroid and the area of every label of a mask uint16 [H, W], the background left out."""
    rows, columns = np.nonzero(mask)
    labels = mask[rows, columns]
    area = np.bincount(labels)
    y, x = (np.bincount(labels, weights=axis) / np.maximum(area, 1) for axis in (rows, columns))
    return {
        int(label): Region(float(y[label]), float(x[label]), int(area[label]))
        for label in np.flatnonzero(area)
    }


def _format_csv(rows: list[CellRow]) -> str:
    lines = [",".join(CellRow._fields)]
    lines += [f"{row.label},{row.parent},{row.frame},{row.y:.2f},{row.x:.2f},{row.area}" for row in rows]
    return "\n".join(lines) + "\n"

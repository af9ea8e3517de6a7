"""Writes tracks as a Cell Tracking Challenge result folder (released code, steps 13 to 15).

maskNNN.tif      uint16, original size, zlib
res_track.txt    label begin end parent
tracks.csv       label, parent, frame, y, x, area: one row per instance and frame; centroid and area in
original pixels
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

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


class TableRow(NamedTuple):
    """One row of tracks.csv: an instance in one frame; centroid in original pixels, to two decimals."""

    label: int
    parent: int
    frame: int
    y: float
    x: float
    area: int


class MaskStore(Protocol):
    """Holds a mask uint16 [H, W] per frame: an array [T, H, W], or files."""

    def __getitem__(self, frame: int, /) -> NDArray: ...

    def __setitem__(self, frame: int, mask: NDArray[np.uint16], /) -> None: ...


class MaskFolder:
    """Holds the masks of a video as files, maskNNN.tif.

    Args:
        folder: Where the files lie.
        frames: Number of frames, which decides how many digits a name has.
    """

    def __init__(self, folder: Path, frames: int) -> None:
        self._folder = folder
        self._digits = max(3, len(str(frames - 1)))

    def __getitem__(self, frame: int, /) -> NDArray:
        return read_image(self._path(frame))

    def __setitem__(self, frame: int, mask: NDArray[np.uint16], /) -> None:
        write_mask(self._path(frame), mask)

    def _path(self, frame: int) -> Path:
        return self._folder / f"mask{frame:0{self._digits}d}.tif"


@dataclass(frozen=True)
class RestoredTracks:
    """The tracks of masks at the original resolution.

    Attributes:
        tracks: The track table that fits the masks.
        regions: Label -> frame -> region.
    """

    tracks: list[Track]
    regions: dict[int, dict[int, Region]]

    def table(self) -> list[TableRow]:
        """Returns the rows of tracks.csv, by label and frame."""
        return [
            TableRow(track.label, track.parent, frame, round(region.y, 2), round(region.x, 2), region.area)
            for track in sorted(self.tracks)
            for frame, region in sorted(self.regions[track.label].items())
        ]


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
    with atomic_folder(output) as folder:
        masks = MaskFolder(folder, len(result.labels))
        restored = restore_resolution(result, grid, image_shape, upsampling, masks)
        write_tables(folder, restored)
    return restored.tracks


def restore_resolution(
    result: TrackingResult,
    grid: Grid,
    image_shape: tuple[int, int],
    upsampling: UpsamplingSpec,
    masks: MaskStore,
) -> RestoredTracks:
    """Upsamples a result frame by frame into a store of masks, and repairs tracks and masks.

    Args:
        result: Tracks at network resolution.
        grid: Where network pixels lie in the original image.
        image_shape: Height and width of the original images.
        upsampling: Method and sigma.
        masks: Receives every mask; those of tracks that cannot be kept are erased from it.

    Returns:
        The repaired track table and the regions of the masks.
    """
    regions: dict[int, dict[int, Region]] = {}
    for frame, labels in enumerate(with_progress(result.labels, len(result.labels), "writing")):
        mask = upsample_labels(labels, grid, image_shape, upsampling)
        masks[frame] = mask
        for label, region in measure_regions(mask).items():
            regions.setdefault(label, {})[frame] = region
    tracks = repair_tracks(result.tracks, regions)
    kept = {track.label for track in tracks}
    erased = [label for label in regions if label not in kept]
    for frame in sorted({frame for label in erased for frame in regions[label]}):
        mask = masks[frame]
        masks[frame] = np.where(np.isin(mask, erased), 0, mask).astype(np.uint16)
    return RestoredTracks(tracks, regions)


def write_tables(folder: Path, restored: RestoredTracks) -> None:
    """Writes res_track.txt and tracks.csv."""
    write_tracks(folder / "res_track.txt", restored.tracks)
    lines = [",".join(TableRow._fields)]
    lines += [f"{r.label},{r.parent},{r.frame},{r.y:.2f},{r.x:.2f},{r.area}" for r in restored.table()]
    atomic_write_text(folder / "tracks.csv", "\n".join(lines) + "\n")


def repair_tracks(tracks: list[Track], regions: Mapping[int, Mapping[int, Region]]) -> list[Track]:
    """The table that fits the upsampled masks.

    Tracks without pixels or with gaps are dropped, first and last frames follow the masks, lost parents
    become 0.

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

"""Writes tracks as a Cell Tracking Challenge result folder (steps 13 to 15 of `cosembed.tracking`).

maskNNN.tif      the labels of a frame: uint16, original size, compressed with zlib
res_track.txt    one row for each track: label begin end parent
tracks.csv       one row for each instance and frame: label, parent, frame, y, x, area, and what follows
lineages.csv     one row for each track: birth, death, fate, parent, daughters, path length

Knows tracks and result folders, not how the tracks were found.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import Track, write_tracks
from cosembed.files.packed_arrays import PackedArrays
from cosembed.files.progress import with_progress
from cosembed.files.writing import atomic_folder, atomic_write_lines
from cosembed.images.calibration import UNKNOWN, Calibration
from cosembed.images.tiff import write_mask
from cosembed.preprocessing.geometry import Grid
from cosembed.specs import UpsamplingSpec
from cosembed.tracking.cell_tables import cells_table, lineages_table
from cosembed.tracking.clean_up import CleanTracks, clean_up
from cosembed.tracking.label_maps import FrameTables, relabelled
from cosembed.tracking.measured import Measured, Row, collect
from cosembed.tracking.regions import Images, Region, Shape, image_or_none, region_columns, shape_columns
from cosembed.tracking.tracker import TrackingResult, check_number
from cosembed.tracking.upsample import upsample_labels


class CellRow(NamedTuple):
    """Describes a cell in a frame, as a row of tracks.csv does; centroid and area are in original pixels."""

    label: int
    parent: int
    frame: int
    y: float
    x: float
    area: int


class MaskStore(Protocol):
    """Takes the mask uint16 [H, W] of every frame: an array [T, H, W], or files."""

    def __setitem__(self, frame: int, mask: NDArray[np.uint16], /) -> None: ...


class MaskFolder:
    """Writes the masks of a video as the files maskNNN.tif.

    Args:
        folder: Where the files will lie.
        frames: The number of frames; the last one's number decides how many digits a name has.
        first: The first frame's number in the files' names; masks are indexed from 0 all the same.
        digits: The least number of digits in a name.
    """

    def __init__(self, folder: Path, frames: int, first: int = 0, digits: int = 3) -> None:
        self._folder = folder
        self._first = first
        self._digits = max(digits, len(str(first + frames - 1)))

    def __setitem__(self, frame: int, mask: NDArray[np.uint16], /) -> None:
        write_mask(self._folder / f"mask{self._first + frame:0{self._digits}d}.tif", mask)


@dataclass(frozen=True)
class RestoredTracks:
    """Holds the tracks that fit the masks of the original images' size.

    Attributes:
        tracks: The repaired track table.
        regions: For every label of the table its frames, and its region in each.
        shapes: The same of its shape; None if shapes were not measured.
    """

    tracks: list[Track]
    regions: Measured[Region]
    shapes: Measured[Shape] | None = None

    def numbered_from(self, first: int) -> RestoredTracks:
        """Returns the same tracks, their frames counted from `first` in place of 0."""
        return RestoredTracks(
            [track._replace(begin=track.begin + first, end=track.end + first) for track in self.tracks],
            self.regions.numbered_from(first),
            self.shapes and self.shapes.numbered_from(first),
        )

    def rows(self) -> list[CellRow]:
        """Lists every cell of every frame, by label and then by frame; centroids have two decimals."""
        return [
            CellRow(track.label, track.parent, frame, round(region.y, 2), round(region.x, 2), region.area)
            for track in sorted(self.tracks)
            for frame, region in self.regions[track.label].items()
        ]


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
    with atomic_folder(output) as folder:
        masks = MaskFolder(folder, len(result.maps))
        restored = restore_resolution(result, grid, image_shape, upsampling, masks)
        write_tables(folder, restored, range(len(result.maps)))
    return restored.tracks


def restore_resolution(
    result: TrackingResult,
    grid: Grid,
    image_shape: tuple[int, int],
    upsampling: UpsamplingSpec,
    masks: MaskStore,
    images: Images | None = None,
    *,
    with_shapes: bool = True,
) -> RestoredTracks:
    """Upsamples a result frame by frame into a store of masks and repairs both (steps 13 and 14).

    A result that is to be cleaned up in its original size is cleaned up and joined to lineages in place of
    being repaired (steps 10 to 12). Cells are measured when they are upsampled, since what follows renames or
    erases them, but changes no outline.

    Args:
        result: The tracks at network resolution.
        grid: Where the network's pixels lie in the original image.
        image_shape: Height and width of the original images.
        upsampling: The method of upsampling, and the sigma of its Gaussian in original pixels.
        masks: Receives the mask of every frame, without tracks that cannot be kept.
        images: The frames, for the mean intensity of cells, which is not a number without.
        with_shapes: Whether shapes are measured, beside regions.

    Returns:
        The repaired track table, and what was measured of its tracks.

    Raises:
        DataError: There are more tracks than 16-bit masks can hold.
        OutputError: There is no space for temporary files.
    """
    upsampled, cells = PackedArrays(), _Cells([], [], [])
    for frame, labels in enumerate(with_progress(result.maps, len(result.maps), "upsampling")):
        mask = upsample_labels(labels, grid, image_shape, upsampling)
        upsampled.append(mask)
        present, regions = region_columns(mask)
        cells.labels.append(present)
        cells.regions.append(regions)
        if with_shapes:
            cells.shapes.append(shape_columns(mask, image_or_none(images, frame)))
    if result.to_clean_up is None:
        cleaned = _repaired(result.tracks, cells)
    else:
        areas = FrameTables()
        for present, regions in zip(cells.labels, cells.regions, strict=True):
            areas.append_columns(present, regions["area"])
        cleaned = clean_up(upsampled, areas, result.to_clean_up)
        check_number(cleaned.tracks)
    for frame, mask in enumerate(with_progress(upsampled, len(upsampled), "writing")):
        tracks, shown = cleaned.labels.columns(frame)
        masks[frame] = relabelled(mask, tracks, shown)
        cells.rename(frame, tracks, shown)
    return RestoredTracks(
        cleaned.tracks,
        cells.joined(Region, cells.regions),
        cells.joined(Shape, cells.shapes) if with_shapes else None,
    )


class _Cells(NamedTuple):
    """Holds the labels of every frame, and what was measured of them."""

    labels: list[NDArray[np.int32]]
    regions: list[NDArray[np.void]]
    shapes: list[NDArray[np.void]]

    def rename(self, frame: int, names: NDArray[np.int32], labels: NDArray[np.int32]) -> None:
        """Calls the labels of a frame by their names, and drops those without one."""
        places = np.searchsorted(self.labels[frame], labels)
        self.labels[frame] = names
        for columns in (self.regions, self.shapes):
            if columns:
                columns[frame] = columns[frame][places]

    def joined(self, row: Callable[..., Row], columns: list[NDArray[np.void]]) -> Measured[Row]:
        """Joins what was measured of all frames."""
        return collect(row, range(len(self.labels)), self.labels, columns)


def _repaired(tracks: list[Track], cells: _Cells) -> CleanTracks:
    """Fits tracks to the masks, in which labels keep their numbers."""
    tracks = repair_tracks(tracks, cells.joined(Region, cells.regions))
    kept = np.array([track.label for track in tracks], np.int32)
    labels = FrameTables()
    for present in cells.labels:
        here = present[np.isin(present, kept)]
        labels.append_columns(here, here)
    return CleanTracks(tracks, labels)


def write_tables(
    folder: Path, restored: RestoredTracks, frames: Sequence[int], calibration: Calibration = UNKNOWN
) -> None:
    """Writes res_track.txt, tracks.csv and lineages.csv (step 15).

    Args:
        folder: The result folder.
        restored: The tracks with their shapes, their frames numbered as in `frames`.
        frames: The numbers of all frames.
        calibration: What a pixel and a frame are.
    """
    assert restored.shapes is not None
    tracks, regions = restored.tracks, restored.regions
    write_tracks(folder / "res_track.txt", tracks)
    cells = cells_table(tracks, regions, restored.shapes, frames, calibration)
    atomic_write_lines(folder / "tracks.csv", cells)
    atomic_write_lines(folder / "lineages.csv", lineages_table(tracks, regions, frames, calibration))


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

"""Writes tracks as a Cell Tracking Challenge result folder (steps 13 to 15 of `cosembed.tracking`).

maskNNN.tif      the labels of a frame: uint16, original size, compressed with zlib
res_track.txt    one row for each track: label begin end parent
tracks.csv       one row for each instance and frame: label, parent, frame, y, x, area, and what follows from
them lineages.csv     one row for each track: birth, death, fate, parent, daughters, path length

Knows tracks and result folders, not how the tracks were found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import Track, write_tracks
from cosembed.files.progress import with_progress
from cosembed.files.writing import atomic_folder, atomic_write_text
from cosembed.images.calibration import UNKNOWN, Calibration
from cosembed.images.reading import read_image
from cosembed.images.tiff import write_mask
from cosembed.preprocessing.geometry import Grid
from cosembed.specs import UpsamplingSpec
from cosembed.tracking.cell_tables import cells_table, lineages_table
from cosembed.tracking.clean_up import CleanTracks, clean_up
from cosembed.tracking.label_maps import FrameTables, relabelled
from cosembed.tracking.regions import Images, Region, measure_regions, measure_video
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
    """Holds a mask uint16 [H, W] for every frame: an array [T, H, W], or files."""

    def __getitem__(self, frame: int, /) -> NDArray: ...

    def __setitem__(self, frame: int, mask: NDArray[np.uint16], /) -> None: ...


class MaskFolder:
    """Holds the masks of a video as the files maskNNN.tif.

    Args:
        folder: Where the files lie.
        frames: The number of frames; the last one's number decides how many digits a name has.
        first: The first frame's number in the files' names; masks are indexed from 0 all the same.
        digits: The least number of digits in a name.
    """

    def __init__(self, folder: Path, frames: int, first: int = 0, digits: int = 3) -> None:
        self._folder = folder
        self._first = first
        self._digits = max(digits, len(str(first + frames - 1)))

    def __getitem__(self, frame: int, /) -> NDArray:
        return read_image(self._path(frame))

    def __setitem__(self, frame: int, mask: NDArray[np.uint16], /) -> None:
        write_mask(self._path(frame), mask)

    def _path(self, frame: int) -> Path:
        return self._folder / f"mask{self._first + frame:0{self._digits}d}.tif"


@dataclass(frozen=True)
class RestoredTracks:
    """Holds the tracks that fit the masks of the original images' size.

    Attributes:
        tracks: The repaired track table.
        regions: For every label of the table its frames, and its region in each.
    """

    tracks: list[Track]
    regions: dict[int, dict[int, Region]]

    def numbered_from(self, first: int) -> RestoredTracks:
        """Returns the same tracks, their frames counted from `first` in place of 0."""
        return RestoredTracks(
            [track._replace(begin=track.begin + first, end=track.end + first) for track in self.tracks],
            {
                label: {frame + first: region for frame, region in regions.items()}
                for label, regions in self.regions.items()
            },
        )

    def rows(self) -> list[CellRow]:
        """Lists every cell of every frame, by label and then by frame; centroids have two decimals."""
        return [
            CellRow(track.label, track.parent, frame, round(region.y, 2), round(region.x, 2), region.area)
            for track in sorted(self.tracks)
            for frame, region in sorted(self.regions[track.label].items())
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
        write_tables(folder, restored, masks, range(len(result.maps)))
    return restored.tracks


def restore_resolution(
    result: TrackingResult,
    grid: Grid,
    image_shape: tuple[int, int],
    upsampling: UpsamplingSpec,
    masks: MaskStore,
) -> RestoredTracks:
    """Upsamples a result frame by frame into a store of masks and repairs both (steps 13 and 14).

    A result that is to be cleaned up in its original size is cleaned up and joined to lineages in place of
    being repaired (steps 10 to 12).

    Args:
        result: The tracks at network resolution.
        grid: Where the network's pixels lie in the original image.
        image_shape: Height and width of the original images.
        upsampling: The method of upsampling, and the sigma of its Gaussian in original pixels.
        masks: Receives the mask of every frame; tracks that cannot be kept are erased from it.

    Returns:
        The repaired track table, and the regions of its tracks.

    Raises:
        DataError: There are more tracks than 16-bit masks can hold.
    """
    shown: list[dict[int, Region]] = []
    for labels in with_progress(result.maps, len(result.maps), "upsampling"):
        mask = upsample_labels(labels, grid, image_shape, upsampling)
        masks[len(shown)] = mask
        shown.append(measure_regions(mask))
    if result.to_clean_up is None:
        cleaned = _repaired(result.tracks, shown)
    else:
        areas = FrameTables({label: region.area for label, region in regions.items()} for regions in shown)
        cleaned = clean_up(masks, areas, result.to_clean_up)
        check_number(cleaned.tracks)
    regions: dict[int, dict[int, Region]] = {track.label: {} for track in cleaned.tracks}
    for frame, labels_of in enumerate(cleaned.labels):
        for track, label in labels_of.items():
            regions[track][frame] = shown[frame][label]
        if labels_of != {label: label for label in shown[frame]}:
            masks[frame] = relabelled(masks[frame], *cleaned.labels.columns(frame))
    return RestoredTracks(cleaned.tracks, regions)


def _repaired(tracks: list[Track], shown: list[dict[int, Region]]) -> CleanTracks:
    """Fits tracks to the masks, in which labels keep their numbers."""
    regions: dict[int, dict[int, Region]] = {}
    for frame, labels in enumerate(shown):
        for label, region in labels.items():
            regions.setdefault(label, {})[frame] = region
    tracks = repair_tracks(tracks, regions)
    kept = {track.label for track in tracks}
    labels = FrameTables({label: label for label in labels if label in kept} for labels in shown)
    return CleanTracks(tracks, labels)


def write_tables(
    folder: Path,
    restored: RestoredTracks,
    masks: MaskStore,
    frames: Sequence[int],
    images: Images | None = None,
    calibration: Calibration = UNKNOWN,
) -> None:
    """Writes res_track.txt, tracks.csv and lineages.csv (step 15).

    Args:
        folder: The result folder.
        restored: The tracks, their frames numbered as in `frames`.
        masks: The mask of every frame, by its index.
        frames: The numbers of all frames.
        images: The frames, for the mean intensity of cells, which is left empty without.
        calibration: What a pixel and a frame are.
    """
    shapes = measure_video(masks, frames, images)
    write_tracks(folder / "res_track.txt", restored.tracks)
    cells = cells_table(restored.tracks, restored.regions, shapes, frames, calibration)
    atomic_write_text(folder / "tracks.csv", cells)
    lineages = lineages_table(restored.tracks, restored.regions, frames, calibration)
    atomic_write_text(folder / "lineages.csv", lineages)


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

"""Shows large frames in full resolution: a page of tiles beside the report, and crops of doubtful places.

The movie shows a frame of more than `LARGE` pixels much smaller; outlines cannot be judged there. This
module knows frames and masks, not the network that made them.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.datasets.ctc.track_table import Track
from cosembed.files.progress import with_progress
from cosembed.files.writing import atomic_folder, remove_folder
from cosembed.images.array_frames import VideoFrames
from cosembed.preprocessing.label_overlap import count_labels
from cosembed.reporting.numbers import draw_numbers
from cosembed.reporting.overlays import overlay
from cosembed.reporting.panels import labelled_row
from cosembed.reporting.report import Report, Row, Section, write_report
from cosembed.reporting.tiles import TiledFrames

# Frames with a longer side than this are shown in full resolution, too; at most so many of a video, and no
# more than every tenth.
LARGE, MOST_FRAMES, EVERY = 1500, 4, 10
PAGE, TILES = "full_size.html", "full_size"
# So many places are shown, each this wide; two of them are further apart than that, or as many frames.
PLACES, SIDE, FRAMES_APART = 6, 256, 3
# A place is doubtful if a cell's area changes at least by this factor from one frame to the next.
JUMP = 1.5


def is_large(shape: tuple[int, int]) -> bool:
    """Tells whether frames of a height and width are shown in full resolution, too."""
    return max(shape) > LARGE


def write_full_size(
    folder: Path,
    name: str,
    frames: VideoFrames,
    masks: Callable[[int], NDArray[np.uint16]],
    colours: dict[int, int],
) -> None:
    """Writes the page of tiles, in the place of one that is there.

    Args:
        folder: The folder of the pictures.
        name: What the page calls the result.
        frames: The video.
        masks: Gives the labels of the frame with an index.
        colours: Label -> entry, of all labels.
    """
    remove_full_size(folder)
    count = min(MOST_FRAMES, math.ceil(len(frames) / EVERY))
    chosen = np.unique(np.linspace(0, len(frames) - 1, count).round().astype(int)).tolist()
    with atomic_folder(folder / TILES) as tiles:
        tiled = TiledFrames(tiles, colours)
        for index in with_progress(chosen, len(chosen), "full resolution"):
            tiled.add(frames.numbers[index], frames[index], masks(index))
    viewer = tiled.viewer(TILES, "Cells have the colours and labels of the movie.")
    write_report(
        folder / PAGE, Report(f"{name}: full resolution", [], [Section("Frames", pictures=[viewer])])
    )


def remove_full_size(folder: Path) -> None:
    """Removes the page of tiles, if there is one."""
    (folder / PAGE).unlink(missing_ok=True)
    remove_folder(folder / TILES)


class Place(NamedTuple):
    """Says where a track is doubtful.

    Attributes:
        score: How doubtful it is.
        frame: The index of the frame.
        label: The cell.
        y: The row of the middle of the cell.
        x: Its column.
        reason: What makes it doubtful, as the end of a sentence that begins with the cell.
    """

    score: float
    frame: int
    label: int
    y: int
    x: int
    reason: str


@dataclass(frozen=True)
class _Cell:
    """Holds the area of a cell, the middle of its box, and whether it touches the frame's border."""

    area: int
    y: int
    x: int
    at_border: bool


class DoubtfulPlaces:
    """Looks for places at which cells appear, vanish, or change their size at once.

    Only two frames' cells and the worst places are in memory.

    Args:
        tracks: The track table.
    """

    def __init__(self, tracks: Sequence[Track]) -> None:
        self._parents = {track.label: track.parent for track in tracks}
        self._mothers = {track.parent for track in tracks}
        self._before: dict[int, _Cell] = {}
        self._worst: list[Place] = []

    def add(self, index: int, labels: NDArray[np.uint16]) -> None:
        """Looks at the next frame.

        Args:
            index: Its index.
            labels: uint16 [H, W].
        """
        now = _cells(labels)
        found = list(self._compared(index, now)) if index else []
        self._before = now
        # The places that are left out for being close to worse ones are fewer than these.
        self._worst = heapq.nlargest(50 * PLACES, [*self._worst, *found])

    def worst(self) -> list[Place]:
        """Returns the worst places that are not close to each other, the worst first."""
        chosen: list[Place] = []
        for place in self._worst:
            if all(_are_apart(place, other) for other in chosen):
                chosen.append(place)
        return chosen[:PLACES]

    def _compared(self, index: int, now: dict[int, _Cell]) -> Iterator[Place]:
        """Finds the doubtful places between the frame before and a frame."""
        usual = float(np.median([cell.area for cell in now.values()])) if now else 1.0
        for label, cell in now.items():
            before = self._before.get(label)
            if before is not None:
                factor = cell.area / before.area
                if max(factor, 1 / factor) >= JUMP and not (cell.at_border or before.at_border):
                    reason = f"has {factor:.2g} times the area of the frame before"
                    yield Place(abs(math.log2(factor)), index, label, cell.y, cell.x, reason)
            elif not cell.at_border and not self._parents.get(label):
                score = min(2.0, cell.area / usual)
                yield Place(score, index, label, cell.y, cell.x, "appears, without a parent")
        for label, cell in self._before.items():
            if label not in now and not cell.at_border and label not in self._mothers:
                score = min(2.0, cell.area / usual)
                yield Place(score, index, label, cell.y, cell.x, "is gone, without daughters")


def crops(
    places: Sequence[Place],
    frames: VideoFrames,
    masks: Callable[[int], NDArray[np.uint16]],
    colours: dict[int, int],
) -> list[Row]:
    """Draws doubtful places in full resolution: the frame before and the frame of the doubt.

    Args:
        places: The places.
        frames: The video.
        masks: Gives the labels of the frame with an index.
        colours: Label -> entry, of all labels.
    """
    rows = []
    for place in places:
        panels = {}
        for index in (place.frame - 1, place.frame):
            where = _around(place, frames.shape)
            frame, labels = frames[index][where], masks(index)[where]
            title = f"frame {frames.numbers[index]}"
            panels[title] = draw_numbers(overlay(frame, labels, colours), labels)
        caption = f"Frame {frames.numbers[place.frame]}: cell {place.label} {place.reason}."
        rows.append(labelled_row(caption, panels))
    return rows


def _cells(labels: NDArray[np.uint16]) -> dict[int, _Cell]:
    """Measures the cells of a frame; the middle is that of the box around a cell."""
    boxes = ndimage.find_objects(labels)
    cells = {}
    for label, area in zip(*(column.tolist() for column in count_labels(labels)), strict=True):
        if label:
            rows, columns = boxes[label - 1]
            at_border = (
                min(rows.start, columns.start) == 0
                or rows.stop == labels.shape[0]
                or columns.stop == labels.shape[1]
            )
            middle = (rows.start + rows.stop) // 2, (columns.start + columns.stop) // 2
            cells[label] = _Cell(area, *middle, at_border)
    return cells


def _are_apart(place: Place, other: Place) -> bool:
    near = max(abs(place.y - other.y), abs(place.x - other.x)) < SIDE
    return not near or abs(place.frame - other.frame) >= FRAMES_APART


def _around(place: Place, shape: Collection[int]) -> tuple[slice, slice]:
    """Cuts a square of `SIDE` pixels around a place out, within the frame."""
    starts = (
        min(max(0, middle - SIDE // 2), max(0, side - SIDE))
        for middle, side in zip((place.y, place.x), shape, strict=True)
    )
    rows, columns = (slice(start, start + SIDE) for start in starts)
    return rows, columns

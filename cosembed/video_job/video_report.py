"""Adds to a finished result folder what a person looks at: a movie, pictures, and a report in one file.

The pictures lie in a folder of their own, `pictures/`, so that programs which open all images of the result
folder as one video get the masks alone. This module knows result folders, their records and the frames, not
the network that made them.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.mask_files import mask_files, read_labels
from cosembed.datasets.ctc.track_table import Track, read_tracks
from cosembed.files.progress import with_progress
from cosembed.files.wording import counted
from cosembed.files.writing import atomic_write_bytes
from cosembed.images.array_frames import VideoFrames
from cosembed.preprocessing.label_overlap import count_labels
from cosembed.reporting import figures, movie
from cosembed.reporting.colours import choose_entries
from cosembed.reporting.neighbours import NeighbourGraph
from cosembed.reporting.numbers import draw_numbers
from cosembed.reporting.overlays import encode_png, overlay, stretch
from cosembed.reporting.panels import (
    enlarged_to_see,
    grey_rgb,
    labelled_row,
    picture_column,
    picture_row,
    resized,
)
from cosembed.reporting.player import PackedFrame, lineage_viewer, movie_viewer, pack_frame
from cosembed.reporting.report import Picture, Report, Section, Viewer, write_report
from cosembed.video_job import full_size
from cosembed.video_job.quality_warnings import warnings_about_tracks
from cosembed.video_job.record import PICTURES, REPORT, read_embeddings, read_record, read_values

EMBEDDINGS = (
    "What the network makes of the pixels: three dimensions of the embedding as red, green and blue. A cell "
    "should be of one colour, its neighbours of others; cells far apart may share one."
)
VALUES_HEADING = "Every value of the network and of tracking"
MOVIE = (
    "The tracked cells, {}. A cell keeps its colour, which no cell has that ever comes near it. "
    "Numbers are the labels of the tracks, where there is room for them."
)
FULL_SIZE = (
    "The movie shows these large frames smaller than they are. {} The page of whole frames needs the folder "
    "of pictures beside it."
)
PLACES = (
    "Below are the places at which tracks are most doubtful: cells that appear, vanish, or change their size "
    "at once, in the frame before and in the frame where they do."
)
NO_PLACES = "No cell appears, vanishes, or changes its size at once, away from the border."
LINEAGE = (
    "A line is a track, with its label: the cell's number in movie, masks and tracks.csv. It is orange after "
    "a division. A green link is a division; a dotted one joins a track to the only one that continues it."
)
FIJI = (
    "Fiji: File > Import > Image Sequence... on the result folder with the filter mask; then Image > Lookup "
    "Tables > glasbey on dark, and Image > Adjust > Brightness/Contrast... > Set, from 0 to 255. TrackMate: "
    "set Slices to 1 and Frames to the number of masks in Image > Properties..., then start it with the "
    "label image detector, which links the outlines anew. Its CSV importer reads tracks.csv and keeps these "
    "tracks: x, y and frame are the columns of those names, and the track is label."
)
PYTHON = (
    "tracks.csv has a line per cell and frame: label, parent, frame, y, x, area, in pixels; frames have the "
    "numbers of their masks. The masks are 16-bit TIFF. These lines show masks, tracks and divisions in "
    "napari (pip install 'napari[all]' tifffile) if they are run in the result folder. "
    "napari counts frames from 0."
)
NAPARI = """\
from pathlib import Path

import napari
import numpy as np
import tifffile

masks = tifffile.imread(sorted(Path(".").glob("mask*.tif")))
cells = np.genfromtxt("tracks.csv", delimiter=",", names=True)
tracks = np.column_stack([cells[name] for name in ("label", "frame", "y", "x")])
parents = {int(cell["label"]): [int(cell["parent"])] for cell in cells if cell["parent"] > 0}

viewer = napari.Viewer()
viewer.add_labels(masks, name="cells")
viewer.add_tracks(tracks, graph=parents, name="tracks")
napari.run()
"""


class WrittenReport(NamedTuple):
    """Holds what a report says that the terminal should say, too.

    Attributes:
        seconds: Stage -> wall time, that of the pictures included.
        facts: Names and values that the tracks give: cells, tracks and divisions.
        warnings: All doubts of the report, a sentence each; those about the input come first.
    """

    seconds: dict[str, float]
    facts: list[tuple[str, str]]
    warnings: list[str]


def write_video_report(output: Path, name: str, frames: VideoFrames) -> WrittenReport:
    """Adds pictures and report to a result folder, each file complete or absent, the report last.

    What was there of both is replaced.

    Args:
        output: The result folder, with masks and res_track.txt; what its record says is shown, if it has one.
        name: What the report calls the result.
        frames: The video, whose frames have the numbers and the size of the masks.

    Returns:
        What the tracks add to facts, times and warnings.

    Raises:
        DataError: Frames, masks, track table or record cannot be used.
    """
    begin = time.perf_counter()
    record = read_record(output)
    facts, doubts, seconds = (record.facts, record.warnings, record.seconds) if record else ([], [], {})
    tracks = read_tracks(output / "res_track.txt")
    embeddings = read_embeddings(output)
    samples = [index for index, number in enumerate(frames.numbers) if number in embeddings]
    masks = mask_files(output, "mask")
    places = full_size.DoubtfulPlaces(tracks) if full_size.is_large(frames.shape) else None
    cells = _look_at_masks(frames, masks, samples, places)
    panels = {index: _panels(frames, index, embeddings[frames.numbers[index]], cells) for index in samples}
    pictures = _draw_pictures(frames, cells, tracks, panels)
    _write_pictures(output / PICTURES, pictures)
    large = _show_full_size(output / PICTURES, name, frames, masks, cells, places)
    seconds = {**seconds, "movie and pictures": round(time.perf_counter() - begin, 2)}
    counts = [len(areas) for areas in cells.areas]
    found = _describe_tracks(counts, tracks)
    doubts = [*doubts, *warnings_about_tracks(counts, tracks, frames.numbers[0])]
    report = Report(
        f"{name}: tracked cells",
        facts=[*facts, *found],
        sections=_sections(frames, pictures, large, cells.areas, seconds, read_values(output)),
        warnings=doubts,
    )
    write_report(output / REPORT, report)
    return WrittenReport(seconds, found, doubts)


@dataclass(frozen=True)
class _Cells:
    """Holds what is seen in the masks of a video, each of which is read once.

    Attributes:
        areas: Per frame, the areas of its cells in pixels.
        mean_areas: Label -> its mean area in pixels.
        colours: Label -> entry of the palette.
        packed: The frames of the movie, every n-th one.
        small: Frame index -> labels uint16 of the size at which they are shown, for the frames asked for.
    """

    areas: list[list[int]]
    mean_areas: dict[int, float]
    colours: dict[int, int]
    packed: list[PackedFrame]
    small: dict[int, NDArray[np.uint16]]


def _look_at_masks(
    frames: VideoFrames,
    masks: Mapping[int, Path],
    wanted: Collection[int],
    places: full_size.DoubtfulPlaces | None,
) -> _Cells:
    neighbours, areas, packed = NeighbourGraph(), [], []
    total, seen = np.zeros((2, 2**16), np.int64)
    small: dict[int, NDArray[np.uint16]] = {}
    size, in_movie = movie.shown_shape(frames.shape), movie.movie_frames(len(frames))
    for index, number in enumerate(with_progress(frames.numbers, len(frames), "pictures")):
        labels = read_labels(masks[number])
        neighbours.add(labels)
        if places:
            places.add(index, labels)
        present, sizes = count_labels(labels)
        present, sizes = present[present > 0], sizes[present > 0]
        areas.append(sizes.tolist())
        total[present] += sizes
        seen[present] += 1
        if index in in_movie:
            packed.append(pack_frame(number, frames[index], labels))
        if index in wanted:
            small[index] = resized(labels, size)
    means = {int(label): total[label] / seen[label] for label in np.flatnonzero(seen)}
    return _Cells(areas, means, choose_entries(neighbours), packed, small)


@dataclass(frozen=True)
class _Pictures:
    """Holds what is drawn of a tracked video.

    Attributes:
        gif: The movie as an animated GIF, for a talk.
        movie: The movie of the report.
        lineage: The tree of all tracks; its still is a PNG unless there are too many for one.
        panels: Frame index -> title -> RGB uint8 [H, W, 3], for the frames shown in detail.
    """

    gif: bytes
    movie: Viewer
    lineage: Viewer
    panels: dict[int, dict[str, NDArray[np.uint8]]]


def _draw_pictures(
    frames: VideoFrames,
    cells: _Cells,
    tracks: Sequence[Track],
    panels: dict[int, dict[str, NDArray[np.uint8]]],
) -> _Pictures:
    gif = movie.encode_gif(
        movie.movie_picture(packed.grey(), packed.label_map(), f"{packed.number}", cells.colours)
        for packed in with_progress(cells.packed, len(cells.packed), "movie")
    )
    step = movie.movie_frames(len(frames)).step
    caption = MOVIE.format(f"every {step}th frame" if step > 1 else "every frame")
    numbers = range(frames.numbers[0], frames.numbers[-1] + 1)
    few = len(tracks) <= figures.MOST_TRACKS
    still = figures.lineage(tracks, len(frames), "", numbers[0]) if few else b""
    return _Pictures(
        gif,
        movie_viewer(cells.packed, frames.shape, cells.colours, "cells", caption),
        lineage_viewer(
            tracks, numbers, "cells", f"{counted(len(tracks), 'track')}.", cells.mean_areas, still
        ),
        panels,
    )


def _panels(
    frames: VideoFrames, index: int, embedding: NDArray[np.uint8], cells: _Cells
) -> dict[str, NDArray[np.uint8]]:
    small, labels = movie.shrink(frames[index]), cells.small[index]
    return {
        "input": grey_rgb(stretch(small)),
        "embedding": resized(embedding, small.shape),
        "tracked cells": draw_numbers(enlarged_to_see(overlay(small, labels, cells.colours)), labels),
    }


def _write_pictures(folder: Path, pictures: _Pictures) -> None:
    atomic_write_bytes(folder / "overlay.gif", pictures.gif)
    # One of fewer tracks may be there from before.
    (folder / "lineage.png").unlink(missing_ok=True)
    if pictures.lineage.still:
        atomic_write_bytes(folder / "lineage.png", pictures.lineage.still)
    if pictures.panels:
        rows = [picture_row(list(panels.values())) for panels in pictures.panels.values()]
        atomic_write_bytes(folder / "embeddings.png", encode_png(picture_column(rows)))


def _show_full_size(
    folder: Path,
    name: str,
    frames: VideoFrames,
    masks: Mapping[int, Path],
    cells: _Cells,
    places: full_size.DoubtfulPlaces | None,
) -> list[Section]:
    """Writes the page of a video of large frames, and makes the section that leads to it."""

    def labels_of(index: int) -> NDArray[np.uint16]:
        return read_labels(masks[frames.numbers[index]])

    if places is None:
        full_size.remove_full_size(folder)
        return []
    full_size.write_full_size(folder, name, frames, labels_of, cells.colours)
    rows = full_size.crops(places.worst(), frames, labels_of, cells.colours)
    link = (f"{PICTURES}/{full_size.PAGE}", "Whole frames in full resolution")
    text = FULL_SIZE.format(PLACES if rows else NO_PLACES)
    return [Section("Full resolution", text, pictures=rows, link=link)]


def _sections(
    frames: VideoFrames,
    pictures: _Pictures,
    large: Sequence[Section],
    areas: Sequence[Sequence[int]],
    seconds: Mapping[str, float],
    spec_text: str,
) -> list[Section]:
    curves = figures.population(areas, frames.numbers[0])
    population = Picture("Number of cells and their area, frame by frame.", curves)
    rows = [
        labelled_row(f"Frame {frames.numbers[index]}.", panels) for index, panels in pictures.panels.items()
    ]
    times = [("stage", "seconds"), *((stage, f"{spent:.1f}") for stage, spent in seconds.items())]
    spec = [Section(VALUES_HEADING, "Those of tracking can be changed with --set.", code=spec_text)]
    return [
        Section("Movie", pictures=[pictures.movie]),
        *large,
        Section("Cells", pictures=[population]),
        Section("Lineage", LINEAGE, pictures=[pictures.lineage]),
        *([Section("Embeddings", EMBEDDINGS, pictures=rows)] if rows else []),
        Section("Open it in Fiji and TrackMate", FIJI),
        Section("Open it in napari, Python, R or a spreadsheet", PYTHON, code=NAPARI),
        Section("Time", table=times),
        *(spec if spec_text else []),
    ]


def _describe_tracks(counts: Sequence[int], tracks: Sequence[Track]) -> list[tuple[str, str]]:
    """Sums up the tracks as facts of the report.

    Args:
        counts: Number of cells in every frame.
        tracks: The track table.
    """
    daughters = Counter(track.parent for track in tracks if track.parent)
    lengths = [track.end - track.begin + 1 for track in tracks]
    length = f", median length {np.median(lengths):.0f} of {counted(len(counts), 'frame')}" if lengths else ""
    return [
        ("Cells per frame", f"{min(counts)} to {max(counts)}"),
        ("Tracks", f"{len(tracks)}{length}"),
        ("Divisions", f"{sum(count > 1 for count in daughters.values())}"),
    ]

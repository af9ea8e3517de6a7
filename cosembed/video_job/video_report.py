"""Adds to a finished result folder what a person looks at: a movie, pictures, and a report in one file.

The pictures lie in a folder of their own, `pictures/`, so that programs which open all images of the result
folder as one video get the masks alone. This module knows result folders and embeddings, not the network that
made them.
"""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Mapping, Sequence
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
from cosembed.reporting import figures, movie
from cosembed.reporting.colours import label_colours
from cosembed.reporting.numbers import draw_numbers
from cosembed.reporting.overlays import embedding_rgb, encode_png, overlay, stretch
from cosembed.reporting.panels import (
    enlarged_to_see,
    grey_rgb,
    labelled_row,
    picture_column,
    picture_row,
    resized,
)
from cosembed.reporting.report import Picture, Report, Section, write_report
from cosembed.video_job.quality_warnings import warnings_about_tracks

EMBEDDINGS = (
    "What the network makes of the pixels: three dimensions of the embedding as red, green and blue. A cell "
    "should be of one colour, its neighbours of others; cells far apart may share one."
)
LINEAGE = "A line is a track, with its label: the cell's number in movie, masks and tracks.csv."
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


def write_video_report(
    output: Path,
    name: str,
    frames: VideoFrames,
    samples: Mapping[int, NDArray[np.float32]],
    facts: Sequence[tuple[str, str]],
    warnings: Sequence[str],
    seconds: Mapping[str, float],
    spec_text: str,
) -> WrittenReport:
    """Adds pictures and report to a result folder, each file complete or absent, the report last.

    Args:
        output: The result folder, with masks, res_track.txt and tracks.csv.
        name: What the report calls the result.
        frames: The video that was tracked.
        samples: Frame index -> embedding float32 [N, N, D] of every frame to show in detail.
        facts: Names and values that say what was done; those that the tracks give are added.
        warnings: Quality warnings about the input, one sentence each; those about the tracks are added.
        seconds: Stage -> wall time of what was done so far.
        spec_text: The network's spec as YAML.

    Returns:
        `seconds` with the time that the pictures took, and what the tracks add to facts and warnings.
    """
    begin = time.perf_counter()
    tracks = read_tracks(output / "res_track.txt")
    areas = read_areas(output / "tracks.csv", frames.numbers)
    pictures = _draw_pictures(frames, mask_files(output, "mask"), tracks, samples)
    _write_pictures(output / "pictures", pictures)
    seconds = {**seconds, "movie and pictures": round(time.perf_counter() - begin, 2)}
    counts = [len(cells) for cells in areas]
    found = _describe_tracks(counts, tracks)
    # Those about the tracks are given, too, if a video is saved for the second time.
    doubts = list(dict.fromkeys([*warnings, *warnings_about_tracks(counts, tracks, frames.numbers[0])]))
    report = Report(
        f"{name}: tracked cells",
        facts=[*facts, *found],
        sections=_sections(frames, pictures, areas, seconds, spec_text),
        warnings=doubts,
    )
    write_report(output / "report.html", report)
    return WrittenReport(seconds, found, doubts)


def read_areas(table: Path, frames: Sequence[int]) -> list[list[int]]:
    """Reads the areas of the cells of every frame from `tracks.csv`.

    Args:
        table: The file.
        frames: The numbers of the video's frames.

    Returns:
        Per frame, the areas of its cells in pixels.
    """
    areas: dict[int, list[int]] = {number: [] for number in frames}
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            areas[int(row["frame"])].append(int(row["area"]))
    return list(areas.values())


@dataclass(frozen=True)
class _Pictures:
    """Holds what is drawn of a tracked video.

    Attributes:
        movie: The animated GIF.
        movie_step: The movie shows every frame whose index is a multiple of this.
        lineage: The tree of all tracks as PNG, its pages by their captions.
        panels: Frame index -> title -> RGB uint8 [H, W, 3], for the frames shown in detail.
    """

    movie: bytes
    movie_step: int
    lineage: dict[str, bytes]
    panels: dict[int, dict[str, NDArray[np.uint8]]]


def _draw_pictures(
    frames: VideoFrames,
    masks: Mapping[int, Path],
    tracks: Sequence[Track],
    samples: Mapping[int, NDArray[np.float32]],
) -> _Pictures:
    colours = label_colours(
        read_labels(path) for path in with_progress(masks.values(), len(masks), "colours")
    )
    shown = movie.movie_frames(len(frames))
    gif = movie.encode_gif(
        movie.movie_picture(
            frames[index], read_labels(masks[frames.numbers[index]]), f"{frames.numbers[index]}", colours
        )
        for index in with_progress(shown, len(shown), "movie")
    )
    panels = {
        index: _panels(frames[index], embedding, read_labels(masks[frames.numbers[index]]), colours)
        for index, embedding in samples.items()
    }
    pages = figures.lineage(tracks, len(frames), "", frames.numbers[0])
    lineage = {
        figures.page_caption(counted(len(tracks), "track"), number, len(pages)): page
        for number, page in enumerate(pages, start=1)
    }
    return _Pictures(gif, shown.step, lineage, panels)


def _panels(
    frame: NDArray,
    embedding: NDArray[np.float32],
    labels: NDArray[np.uint16],
    colours: Mapping[int, int],
) -> dict[str, NDArray[np.uint8]]:
    small = movie.shrink(frame)
    return {
        "input": grey_rgb(stretch(small)),
        "embedding": resized(embedding_rgb(embedding), small.shape),
        "tracked cells": draw_numbers(
            enlarged_to_see(overlay(small, resized(labels, small.shape), colours)), labels
        ),
    }


def _write_pictures(folder: Path, pictures: _Pictures) -> None:
    rows = [picture_row(list(panels.values())) for panels in pictures.panels.values()]
    atomic_write_bytes(folder / "overlay.gif", pictures.movie)
    for number, page in enumerate(pictures.lineage.values(), start=1):
        atomic_write_bytes(folder / ("lineage.png" if number == 1 else f"lineage_{number}.png"), page)
    atomic_write_bytes(folder / "embeddings.png", encode_png(picture_column(rows)))


def _sections(
    frames: VideoFrames,
    pictures: _Pictures,
    areas: Sequence[Sequence[int]],
    seconds: Mapping[str, float],
    spec_text: str,
) -> list[Section]:
    step = pictures.movie_step
    every = f"every {step}th frame" if step > 1 else "every frame"
    movie_caption = (
        f"The tracked cells, {every}. A cell keeps its colour, which no cell has that ever comes near it. "
        "Numbers are the labels of the tracks, where there is room for them."
    )
    curves = figures.population(areas, frames.numbers[0])
    population = Picture("Number of cells and their area, frame by frame.", curves)
    rows = [
        labelled_row(f"Frame {frames.numbers[index]}.", panels) for index, panels in pictures.panels.items()
    ]
    times = [("stage", "seconds"), *((stage, f"{spent:.1f}") for stage, spent in seconds.items())]
    return [
        Section("Movie", pictures=[Picture(movie_caption, pictures.movie)]),
        Section("Cells", pictures=[population]),
        Section(
            "Lineage",
            LINEAGE,
            pictures=[Picture(caption, page) for caption, page in pictures.lineage.items()],
        ),
        Section("Embeddings", EMBEDDINGS, pictures=rows),
        Section("Open it in Fiji and TrackMate", FIJI),
        Section("Open it in napari, Python, R or a spreadsheet", PYTHON, code=NAPARI),
        Section("Time", table=times),
        Section(
            "Every value of the network and of tracking",
            "Those of tracking can be changed with --set.",
            code=spec_text,
        ),
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

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

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.mask_files import mask_files, read_labels
from cosembed.datasets.ctc.track_table import Track, read_tracks
from cosembed.files.progress import with_progress
from cosembed.files.writing import atomic_write_bytes
from cosembed.images.array_frames import VideoFrames
from cosembed.reporting import figures, movie
from cosembed.reporting.overlays import embedding_rgb, encode_png, overlay, stretch
from cosembed.reporting.panels import grey_rgb, labelled_row, picture_column, picture_row, resized
from cosembed.reporting.report import Picture, Report, Section, write_report
from cosembed.video_job.quality_warnings import warnings_about_tracks

# More tracks than these cannot be told apart in one picture.
MOST_TRACKS = 300
EMBEDDINGS = (
    "What the network makes of the pixels: three dimensions of the embedding as red, green and blue. A cell "
    "should be of one colour, its neighbours of others; cells far apart may share one."
)
FIJI = (
    "File > Import > Image Sequence... on the result folder with the filter mask, then Image > Lookup Tables "
    "> glasbey on dark. TrackMate reads the same masks with its label image detector. "
    "docs/howto/view-results.md has every step."
)
PYTHON = (
    "tracks.csv has a line per cell and frame: label, parent, frame, y, x, area, in pixels, frames counted "
    "from 0. The masks are 16-bit TIFF; docs/howto/view-results.md has the few lines that show frames, masks "
    "and tracks in napari."
)


def write_video_report(
    output: Path,
    name: str,
    frames: VideoFrames,
    samples: Mapping[int, NDArray[np.float32]],
    facts: Sequence[tuple[str, str]],
    warnings: Sequence[str],
    seconds: Mapping[str, float],
    spec_text: str,
) -> dict[str, float]:
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
        `seconds` with the time that the pictures took.
    """
    begin = time.perf_counter()
    tracks = read_tracks(output / "res_track.txt")
    areas = read_areas(output / "tracks.csv", len(frames))
    pictures = _draw_pictures(frames, mask_files(output, "mask"), tracks, samples)
    _write_pictures(output / "pictures", pictures)
    seconds = {**seconds, "movie and pictures": round(time.perf_counter() - begin, 2)}
    counts = [len(cells) for cells in areas]
    report = Report(
        f"{name}: tracked cells",
        facts=[*facts, *_describe_tracks(counts, tracks)],
        sections=_sections(frames, pictures, areas, seconds, spec_text),
        warnings=[*warnings, *warnings_about_tracks(counts, tracks)],
    )
    write_report(output / "report.html", report)
    return seconds


def read_areas(table: Path, frames: int) -> list[list[int]]:
    """Reads the areas of the cells of every frame from `tracks.csv`.

    Args:
        table: The file.
        frames: Number of frames of the video.

    Returns:
        Per frame, the areas of its cells in pixels.
    """
    areas: list[list[int]] = [[] for _ in range(frames)]
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            areas[int(row["frame"])].append(int(row["area"]))
    return areas


def draw_lineage(tracks: Sequence[Track], frames: int) -> tuple[bytes, str]:
    """Draws the tree of all tracks, or of the longest ones and their ancestors where there are too many.

    Args:
        tracks: The track table.
        frames: Number of frames of the video.

    Returns:
        A PNG and its caption.
    """
    table = {track.label: track for track in tracks}
    chosen: dict[int, Track] = {}
    for track in sorted(tracks, key=lambda track: track.begin - track.end):
        ancestor: Track | None = track
        while ancestor is not None and len(chosen) < MOST_TRACKS:
            chosen[ancestor.label] = ancestor
            ancestor = table.get(ancestor.parent)
    caption = f"{len(tracks)} tracks."
    if len(chosen) < len(tracks):
        caption = (
            f"The {len(chosen)} longest of {len(tracks)} tracks, with their ancestors; "
            "all are in res_track.txt."
        )
    return figures.lineage(list(chosen.values()), frames, ""), caption


@dataclass(frozen=True)
class _Pictures:
    """Holds what is drawn of a tracked video.

    Attributes:
        movie: The animated GIF.
        movie_step: The movie shows every frame whose index is a multiple of this.
        lineage: The tree of the tracks as PNG.
        lineage_caption: What the tree shows.
        panels: Frame index -> title -> RGB uint8 [H, W, 3], for the frames shown in detail.
    """

    movie: bytes
    movie_step: int
    lineage: bytes
    lineage_caption: str
    panels: dict[int, dict[str, NDArray[np.uint8]]]


def _draw_pictures(
    frames: VideoFrames,
    masks: Mapping[int, Path],
    tracks: Sequence[Track],
    samples: Mapping[int, NDArray[np.float32]],
) -> _Pictures:
    shown = movie.movie_frames(len(frames))
    gif = movie.encode_gif(
        movie.movie_picture(frames[index], read_labels(masks[index]), f"{frames.numbers[index]}")
        for index in with_progress(shown, len(shown), "movie")
    )
    panels = {
        index: _panels(frames[index], embedding, read_labels(masks[index]))
        for index, embedding in samples.items()
    }
    return _Pictures(gif, shown.step, *draw_lineage(tracks, len(frames)), panels)


def _panels(
    frame: NDArray, embedding: NDArray[np.float32], labels: NDArray[np.uint16]
) -> dict[str, NDArray[np.uint8]]:
    small = movie.shrink(frame)
    return {
        "input": grey_rgb(stretch(small)),
        "embedding": resized(embedding_rgb(embedding), small.shape),
        "tracked cells": overlay(small, resized(labels, small.shape)),
    }


def _write_pictures(folder: Path, pictures: _Pictures) -> None:
    rows = [picture_row(list(panels.values())) for panels in pictures.panels.values()]
    atomic_write_bytes(folder / "overlay.gif", pictures.movie)
    atomic_write_bytes(folder / "lineage.png", pictures.lineage)
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
    movie_caption = f"The tracked cells, {every}. A cell keeps its colour, one of fourteen."
    population = Picture("Number of cells and their area, frame by frame.", figures.population(areas))
    rows = [
        labelled_row(f"Frame {frames.numbers[index]}.", panels) for index, panels in pictures.panels.items()
    ]
    times = [("stage", "seconds"), *((stage, f"{spent:.1f}") for stage, spent in seconds.items())]
    return [
        Section("Movie", pictures=[Picture(movie_caption, pictures.movie)]),
        Section("Cells", pictures=[population]),
        Section(
            "Lineage", "A line is a track.", pictures=[Picture(pictures.lineage_caption, pictures.lineage)]
        ),
        Section("Embeddings", EMBEDDINGS, pictures=rows),
        Section("Open it in Fiji and TrackMate", FIJI),
        Section("Open it in napari, Python, R or a spreadsheet", PYTHON),
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
    length = f", median length {np.median(lengths):.0f} of {len(counts)} frames" if lengths else ""
    return [
        ("Cells per frame", f"{min(counts)} to {max(counts)}"),
        ("Tracks", f"{len(tracks)}{length}"),
        ("Divisions", f"{sum(count > 1 for count in daughters.values())}"),
    ]

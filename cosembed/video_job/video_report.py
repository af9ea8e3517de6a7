"""What a person looks at after tracking a video of their own: movie, pictures, and a report in one file.

Reads a finished result folder and adds `report.html` and `pictures/` to it. The pictures lie in a folder of their own, so
that programs which open all images of the result folder as one video get the masks alone.
"""

from __future__ import annotations

import csv
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.annotated_video import Track
from cosembed.datasets.ctc.reader import read_labels
from cosembed.datasets.ctc.track_table import read_tracks
from cosembed.datasets.ctc.validation import mask_files
from cosembed.files.progress import with_progress
from cosembed.files.writing import atomic_write_bytes
from cosembed.images.frames import Frames
from cosembed.reporting import figures, movie
from cosembed.reporting.overlays import embedding_rgb, encode_png, overlay, stretch
from cosembed.reporting.panels import grey_rgb, labelled_row, picture_column, picture_row, resized
from cosembed.reporting.report import Picture, Report, Section, write_report
from cosembed.video_job.quality_warnings import warnings_about_tracks

# More tracks than these cannot be told apart in one picture.
MOST_TRACKS = 300
FIJI = (
    "File > Import > Image Sequence... on the result folder with the filter mask, then Image > Lookup Tables > "
    "glasbey on dark. TrackMate reads the same masks with its label image detector. docs/howto.md has every step."
)
PYTHON = (
    "tracks.csv has a line per cell and frame: label, parent, frame, y, x, area, in pixels, frames counted from 0. "
    "The masks are 16-bit TIFF; docs/howto.md has the few lines that show frames, masks and tracks in napari."
)


def write_video_report(
    output: Path,
    frames: Frames,
    samples: Mapping[int, NDArray[np.float32]],
    facts: Sequence[tuple[str, str]],
    doubts: Sequence[str],
    seconds: Mapping[str, float],
    values: str,
) -> dict[str, float]:
    """Adds pictures and report to a result folder, each file complete or absent, the report last.

    Args:
        output: The result folder.
        frames: The video.
        samples: Frame -> embedding float32 [N, N, D] of the frames to show.
        facts: What was done.
        doubts: Sentences to be read first; those about the tracks are added.
        seconds: Wall time per stage so far.
        values: The spec as YAML.

    Returns:
        `seconds` with the time that the pictures took.
    """
    begin = time.perf_counter()
    masks = mask_files(output, "mask")
    tracks = read_tracks(output / "res_track.txt")
    areas = read_areas(output / "tracks.csv", len(frames))
    shown = movie.movie_frames(len(frames))
    gif = movie.encode_gif(
        movie.movie_picture(frames[index], read_labels(masks[index]), f"{frames.numbers[index]}")
        for index in with_progress(shown, len(shown), "movie")
    )
    tree, part = _lineage(tracks, len(frames))
    panels = {
        index: _panels(frames[index], embedding, read_labels(masks[index]))
        for index, embedding in samples.items()
    }
    embeddings = encode_png(picture_column([picture_row(list(row.values())) for row in panels.values()]))
    for name, content in (("overlay.gif", gif), ("lineage.png", tree), ("embeddings.png", embeddings)):
        atomic_write_bytes(output / "pictures" / name, content)
    times = {**seconds, "movie and pictures": round(time.perf_counter() - begin, 2)}
    every = f"every {shown.step}th frame" if shown.step > 1 else "every frame"
    sections = [
        Section(
            "Movie",
            "",
            (),
            [Picture(f"The tracked cells, {every}. A cell keeps its colour, one of fourteen.", gif)],
        ),
        Section(
            "Cells",
            "",
            (),
            [Picture("Number of cells and their area, frame by frame.", figures.population(areas))],
        ),
        Section("Lineage", "A line is a track.", (), [Picture(part, tree)]),
        Section(
            "Embeddings",
            "What the network makes of the pixels: three dimensions of the embedding as red, green and blue. A cell should be "
            "of one colour, its neighbours of others; cells far apart may share one.",
            (),
            [labelled_row(f"Frame {frames.numbers[index]}.", row) for index, row in panels.items()],
        ),
        Section("Open it in Fiji and TrackMate", FIJI),
        Section("Open it in napari, Python, R or a spreadsheet", PYTHON),
        Section(
            "Time", "", [("stage", "seconds"), *((stage, f"{spent:.1f}") for stage, spent in times.items())]
        ),
        Section(
            "Every value of the network and of tracking",
            "Those of tracking can be changed with --set.",
            code=values,
        ),
    ]
    counts = [len(cells) for cells in areas]
    warnings = [*doubts, *warnings_about_tracks(counts, tracks)]
    facts = [*facts, *_findings(counts, tracks)]
    write_report(output / "report.html", Report(f"{output.name}: tracked cells", facts, sections, warnings))
    return times


def read_areas(table: Path, frames: int) -> list[list[int]]:
    """The areas of the cells of every frame, from `tracks.csv`."""
    areas: list[list[int]] = [[] for _ in range(frames)]
    with table.open(newline="") as file:
        for row in csv.DictReader(file):
            areas[int(row["frame"])].append(int(row["area"]))
    return areas


def _findings(counts: Sequence[int], tracks: Sequence[Track]) -> list[tuple[str, str]]:
    children = Counter(track.parent for track in tracks if track.parent)
    lengths = [track.end - track.begin + 1 for track in tracks]
    length = f", median length {np.median(lengths):.0f} of {len(counts)} frames" if lengths else ""
    return [
        ("Cells per frame", f"{min(counts)} to {max(counts)}"),
        ("Tracks", f"{len(tracks)}{length}"),
        ("Divisions", f"{sum(count > 1 for count in children.values())}"),
    ]


def _lineage(tracks: Sequence[Track], frames: int) -> tuple[bytes, str]:
    """The tree, of the longest tracks and their ancestors where there are too many, and its caption."""
    table = {track.label: track for track in tracks}
    chosen: dict[int, Track] = {}
    for track in sorted(tracks, key=lambda track: track.begin - track.end):
        line: Track | None = track
        while line is not None and len(chosen) < MOST_TRACKS:
            chosen[line.label] = line
            line = table.get(line.parent)
    caption = f"{len(tracks)} tracks."
    if len(chosen) < len(tracks):
        caption = f"The {len(chosen)} longest of {len(tracks)} tracks, with their ancestors; all are in res_track.txt."
    return figures.lineage(list(chosen.values()), frames, ""), caption


def _panels(
    frame: NDArray, embedding: NDArray[np.float32], labels: NDArray[np.uint16]
) -> dict[str, NDArray[np.uint8]]:
    small = movie.shrink(frame)
    return {
        "input": grey_rgb(stretch(small)),
        "embedding": resized(embedding_rgb(embedding), small.shape),
        "tracked cells": overlay(small, resized(labels, small.shape)),
    }

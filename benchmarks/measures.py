"""Measures what `cosembed evaluate` costs: 300 frames of 600 x 700 pixels with 1,500 tracks.

    python -m benchmarks.measures

The tracks are squares that all live in all frames, in truth (TRA and SEG) and result; in every fiftieth frame
of the result, twenty of them get another label. Then 500 mothers whose 1,000 daughters come one frame late.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from benchmarks.memory import peak_gigabytes
from cosembed.commands import command_line
from cosembed.datasets.ctc.track_table import Track, write_tracks
from cosembed.metrics import evaluate_folders

FRAMES, HEIGHT, WIDTH, SIDE = 300, 600, 700, 15
COLUMNS = WIDTH // SIDE
MOTHERS = 500
DAUGHTERS = np.arange(MOTHERS + 1, 3 * MOTHERS + 1)


def main() -> None:
    """Prints processor time and peak memory of both videos."""
    for name, labels, parents in (
        ("1,500 cells", _relabelled(), {}),
        (
            "500 divisions",
            _divided(),
            {label: (label - MOTHERS - 1) // 2 + 1 for label in DAUGHTERS.tolist()},
        ),
    ):
        with tempfile.TemporaryDirectory() as folder:
            result, truth = Path(folder) / "RES", Path(folder) / "GT"
            _write(labels, parents, result, truth)
            start = time.process_time()
            scores = evaluate_folders(result, truth).scores
            seconds = time.process_time() - start
        print(
            f"{name}: {seconds:.1f} s of processor time, {peak_gigabytes():.2f} GB; TRA {scores['TRA']:.6f}, "
            f"CT {scores['CT']:.6f}, CHOTA {scores['CHOTA']:.6f}"
        )


def _relabelled() -> Iterator[tuple[NDArray, NDArray]]:
    """Yields the labels of the places in truth and result, frame by frame."""
    generator = np.random.default_rng(0)
    true = np.arange(1, 1501)
    found = true.copy()
    for frame in range(FRAMES):
        if frame and frame % 50 == 0:
            found[generator.choice(1500, 20, replace=False)] = found.max() + np.arange(1, 21)
        yield true, found.copy()


def _divided() -> Iterator[tuple[NDArray, NDArray]]:
    mothers = np.where(np.arange(2 * MOTHERS) % 2, 0, np.arange(2 * MOTHERS) // 2 + 1)
    for frame in range(FRAMES):
        yield (mothers if frame < 150 else DAUGHTERS), (mothers if frame < 151 else DAUGHTERS)


def _write(
    labels: Iterator[tuple[NDArray, NDArray]], parents: Mapping[int, int], result: Path, truth: Path
) -> None:
    folders = {result: "mask", truth / "TRA": "man_track", truth / "SEG": "man_seg"}
    for folder in folders:
        folder.mkdir(parents=True)
    lives: tuple[dict[int, list[int]], dict[int, list[int]]] = ({}, {})
    for frame, (true, found) in enumerate(labels):
        for folder, prefix in folders.items():
            places = found if folder == result else true
            tifffile.imwrite(folder / f"{prefix}{frame:03d}.tif", _image(places), compression="zlib")
        for spans, places in zip(lives, (true, found), strict=True):
            for label in places[places > 0].tolist():
                spans.setdefault(label, [frame, frame])[1] = frame
    for spans, path in zip(lives, (truth / "TRA" / "man_track.txt", result / "res_track.txt"), strict=True):
        write_tracks(
            path, (Track(label, begin, end, parents.get(label, 0)) for label, (begin, end) in spans.items())
        )


def _image(labels: NDArray) -> NDArray[np.uint16]:
    """Draws a square for every label, in its place of a grid."""
    image = np.zeros((HEIGHT, WIDTH), np.uint16)
    for place in np.flatnonzero(labels).tolist():
        row, column = divmod(place, COLUMNS)
        image[row * SIDE + 1 : row * SIDE + SIDE - 1, column * SIDE + 1 : column * SIDE + SIDE - 1] = labels[
            place
        ]
    return image


if __name__ == "__main__":
    command_line.run(main)

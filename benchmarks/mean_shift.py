"""Measures how long mean shift takes for one pair of tiles, by how many cells and how much noise there is.

    python -m benchmarks.mean_shift
    python -m benchmarks.mean_shift --side=64

Processor time, the least of three runs after one that compiles; what else the machine does hardly counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from absl import flags

from benchmarks.embeddings import embeddings_of, wandering_cells
from cosembed import specs
from cosembed.clustering import choose_background, cluster_pair, foreground_points
from cosembed.commands import command_line

FLAGS = flags.FLAGS
# Number of cells; they cover about half of the tile.
CELLS = (12, 60, 200)
# Standard deviation added to every one of 16 values, and sigma of the transition at borders, in pixels.
NOISE_AND_BLUR = ((0.03, 1.0), (0.08, 2.0), (0.15, 2.0))
RUNS = 3

flags.DEFINE_integer("side", 256, "Side of the tile, in pixels.", lower_bound=32)


class Row(NamedTuple):
    """Holds what was measured for one pair: foreground points, instances found, and processor seconds."""

    cells: int
    noise: float
    points: int
    instances: int
    seconds: float


def measure(side: int) -> Iterator[Row]:
    """Clusters one pair after the other with the values of the recipe `mia2019`."""
    spec = specs.resolve("Fluo-N2DH-GOWT1", "mia2019").tracking
    for cells in CELLS:
        labels = wandering_cells(2, side, cells, 0.42 * side / cells**0.5, seed=1)
        for noise, blur in NOISE_AND_BLUR:
            pair = embeddings_of(labels, 16, noise, blur=blur)
            background = choose_background(pair, spec)
            seconds = []
            for _ in range(1 + RUNS):
                begin = time.process_time()
                found = cluster_pair(pair, background, spec)
                seconds.append(time.process_time() - begin)
            points = len(foreground_points(pair, background, spec)[1])
            yield Row(cells, noise, points, int(found.max()), min(seconds[1:]))


def main() -> None:
    """Prints a table."""
    print("| cells | noise | foreground points | instances | s |\n|---|---|---|---|---|")
    for row in measure(FLAGS.side):
        print(
            f"| {row.cells} | {row.noise} | {row.points} | {row.instances} | {row.seconds:.2f} |", flush=True
        )


if __name__ == "__main__":
    command_line.run(main)

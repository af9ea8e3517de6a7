"""Measures batches made by worker processes: clips per second, and what they cost this process.

    python -m benchmarks.workers

0, 1 and 2 workers take turns, so that other work on the machine slows all of them alike. Beside the clock,
the processor's time is counted: that of the workers says how many clips they make on cores of their own, that
of this process how many it could hand on. The last row has batches that are made already: what is left is
queueing and copying.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.rows import Row, table
from cosembed import specs
from cosembed.batches.clips import ClipSource
from cosembed.batches.pipeline import BatchSource
from cosembed.batches.workers import SLOTS, batches_by_workers
from cosembed.commands import command_line
from cosembed.datasets.annotated_video import AnnotatedVideo
from cosembed.simulation import simulate_video

COUNTS = (0, 1, 2)
ROUNDS, SECONDS = 10, 2.5
# Far beyond what is asked for: workers never run out of batches to make.
ENDLESS = 10**9
# What is to be shown: so many workers on a machine of their own are to make so many clips of the paper's
# size.
GOAL_WORKERS, GOAL_CLIPS = 14, 60.0


class ReadyBatches:
    """Gives the same batch again and again; a `BatchSource` that costs nothing."""

    seed = 0

    def __init__(self, source: BatchSource) -> None:
        """Takes the first batch of a source."""
        self.signature = source.signature
        self._batch = dict(source.batch(0))

    def batch(self, index: int) -> dict[str, NDArray]:
        """Gives the batch, whatever the index."""
        del index
        return self._batch


def measure(quick: bool = False) -> list[Row]:
    """Measures clips made by 0, 1 and 2 workers, and ready batches handed on by 2.

    Args:
        quick: Whether to measure the smoke profile alone, for a moment, instead of the paper's.

    Returns:
        Rows with `clips`, `workers`, `clips_per_second` (by the clock), `maker_ms` (the processor's time of
        those who make a clip), `parent_ms` (that of this process, for a clip that a worker made; None without
        workers) and `megabytes` a clip. Medians over rounds.
    """
    profile, rounds, seconds = ("smoke", 1, 0.2) if quick else ("paper", ROUNDS, SECONDS)
    spec = specs.resolve("simulated", "paper", profile)
    made = ClipSource([_video(quick)], spec, 1)
    ready = ReadyBatches(made)
    variants = [("made", made, count) for count in COUNTS] + [("ready", ready, COUNTS[-1])]
    figures: list[list[tuple[float, float, float | None]]] = [[] for _ in variants]
    with ExitStack() as stack:
        sources = [
            stack.enter_context(batches_by_workers(source, count, ENDLESS)) for _, source, count in variants
        ]
        places = [0] * len(variants)
        for _ in range(rounds):
            for number, (_, _, count) in enumerate(variants):
                figure, places[number] = _turn(sources[number], places[number], count, seconds)
                figures[number].append(figure)
    size = sum(array.nbytes for array in made.batch(0).values()) / spec.training.batch_size / 1e6
    return [
        {
            "clips": clips,
            "workers": count,
            "clips_per_second": median(rate for rate, _, _ in turns) * spec.training.batch_size,
            "maker_ms": median(maker for _, maker, _ in turns) / spec.training.batch_size,
            "parent_ms": median(parent or 0.0 for _, _, parent in turns) / spec.training.batch_size
            if count
            else None,
            "megabytes": size,
        }
        for (clips, _, count), turns in zip(variants, figures, strict=True)
    ]


def conclusion(rows: list[Row]) -> str:
    """Says in two sentences what the rows mean for many workers."""
    figures = {(row["clips"], row["workers"]): row for row in rows}
    one, two, ready = figures["made", 1], figures["made", 2], figures["ready", 2]
    gain = float(str(two["clips_per_second"])) / float(str(one["clips_per_second"]))
    gain_alone = 2 * float(str(one["maker_ms"])) / float(str(two["maker_ms"]))
    alone = GOAL_WORKERS * 1000 / float(str(one["maker_ms"]))
    handed_on = 1000 / float(str(one["parent_ms"]))
    return (
        f"Two workers made {gain:.2f} times the clips of one by the clock, "
        f"{gain_alone:.2f} by the processor's time.\n"
        f"{GOAL_WORKERS} workers on cores of their own make {alone:.0f} clips a second; {GOAL_CLIPS:.0f} are "
        f"the goal. This process can hand on {handed_on:.0f} by its processor's time, and was seen to do "
        f"{ready['clips_per_second']:.0f} that were ready."
    )


def main() -> None:
    """Prints the rows as a table and what follows from them."""
    rows = measure()
    print(f"{table(rows)}\n\n{conclusion(rows)}")


def _turn(
    source: BatchSource, place: int, count: int, least: float
) -> tuple[tuple[float, float, float | None], int]:
    """Fetches batches for at least so many seconds, once those that wait in slots are used up.

    Returns:
        Batches a second; milliseconds of the processor that made one; those of this process, if others made
        it; and the index after the last batch.
    """
    for _ in range(SLOTS * count + 1):
        source.batch(place)
        place += 1
    begin, own, others, first = time.perf_counter(), time.process_time(), _children_seconds(), place
    while time.perf_counter() - begin < least:
        source.batch(place)
        place += 1
    batches, seconds = place - first, time.perf_counter() - begin
    own_ms = 1000 * (time.process_time() - own) / batches
    others_ms = 1000 * (_children_seconds() - others) / batches
    return (batches / seconds, others_ms if count else own_ms, own_ms if count else None), place


def _children_seconds() -> float:
    """Sums the processor's time of all child processes so far, in seconds."""
    ticks = 0
    for process in multiprocessing.active_children():
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _video(quick: bool) -> AnnotatedVideo:
    frames, size, cells = (4, 64, 4) if quick else (24, 192, 24)
    video = simulate_video(frames, size, cells, difficulty=1, seed=1)
    return AnnotatedVideo(
        name="simulated",
        frames=list(video.images),
        labels=video.labels,
        complete=np.ones(frames, bool),
        loss_mask=np.ones(video.labels.shape[1:], bool),
        tracks=tuple(video.tracks),
        segments=((0, frames),),
    )


if __name__ == "__main__":
    command_line.run(main)

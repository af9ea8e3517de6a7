"""Measures augmented clips per second, by both augmenters, beside what the training step consumes.

    python -m benchmarks.data
    taskset --cpu-list 0 python -m benchmarks.data       # one core

A clip's augmentation runs beside the training step of an earlier clip. Where that step runs on the processor
too, both share its cores. The clips are of a video simulated in memory. Then `benchmarks.workers` is run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks import workers
from cosembed import specs
from cosembed.augment import AUGMENTERS
from cosembed.batches.clips import ClipSource
from cosembed.batches.pipeline import batch_dataset
from cosembed.commands import command_line
from cosembed.datasets.annotated_video import AnnotatedVideo
from cosembed.simulation import simulate_video
from cosembed.specs import CellsSpec
from cosembed.study.tables.layout import as_text

PROFILES = ("paper", "cpu", "smoke")
# The profile for a GPU is taken to need so long a step on a fast one; steps of the other profiles are
# measured.
ASSUMED_STEP_SECONDS = {"paper": 0.5}
# Each measurement goes on for at least so long.
SECONDS = 3.0


def measure(quick: bool = False) -> list[dict[str, object]]:
    """Measures every profile with every augmenter.

    Args:
        quick: Whether to measure the smoke profile alone, for a moment, and without its training step.

    Returns:
        One row per profile and augmenter, with `profile`, `augmenter`, `clip` (frames x height x width),
        `clips_per_second`, `clips_per_core_second` (of the processor's time, whatever else the machine does),
        `step_seconds` (measured here, or assumed: see `ASSUMED_STEP_SECONDS`) and `needed_per_second`; the
        last two are None if not known.
    """
    frames, size, cells = (4, 64, 4) if quick else (24, 192, 24)
    video = simulate_video(frames, size, cells, difficulty=1, seed=1)
    complete, everywhere = np.ones(len(video.labels), bool), np.ones(video.labels.shape[1:], bool)
    segments = ((0, len(video.labels)),)
    annotated = AnnotatedVideo(
        "simulated", list(video.images), video.labels, complete, everywhere, tuple(video.tracks), segments
    )
    rows: list[dict[str, object]] = []
    for profile in ("smoke",) if quick else PROFILES:
        spec = specs.resolve("simulated", "paper", profile)
        sources = {name: ClipSource([annotated], spec, 1, name) for name in AUGMENTERS}
        step = ASSUMED_STEP_SECONDS.get(profile)
        if step is None and not quick:
            step = _step_seconds(spec, sources[AUGMENTERS[0]])
        for name, source in sources.items():
            batches, seconds, core_seconds = _repeat(source.batch, 0.1 if quick else SECONDS)
            clips, side = batches * spec.training.batch_size, spec.network.image_size
            rows.append(
                {
                    "profile": profile,
                    "augmenter": name,
                    "clip": f"{spec.training.clip_length} x {side} x {side}",
                    "clips_per_second": clips / seconds,
                    "clips_per_core_second": clips / core_seconds,
                    "step_seconds": step,
                    "needed_per_second": spec.training.batch_size / step if step else None,
                }
            )
    return rows


def main() -> None:
    """Prints the rows as a table."""
    names = ("profile", "augmenter", "clip", "clips_per_second", "clips_per_core_second", "needed_per_second")
    cells = [
        [f"{row[name]:.1f}" if isinstance(row[name], float) else str(row[name]) for name in names]
        for row in measure()
    ]
    assumed = ", ".join(f"{profile} {seconds} s" for profile, seconds in ASSUMED_STEP_SECONDS.items())
    print(
        as_text(
            [[name.replace("_", " ") for name in names], *cells],
            [f"Steps assumed: {assumed}; others measured here."],
        ),
        end="\n\n",
    )
    workers.main()


def _repeat(make: Callable[[int], object], least: float) -> tuple[int, float, float]:
    """Calls a function with 0, 1, ... for at least so many seconds.

    Returns:
        Number of calls, wall time, and the processor's time, both in seconds.
    """
    make(0)
    begin, core_begin, count = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - begin < least:
        make(count)
        count += 1
    return count, time.perf_counter() - begin, time.process_time() - core_begin


def _step_seconds(spec: CellsSpec, source: ClipSource) -> float:
    """Measures one training step on this machine, its data being ready."""
    # TensorFlow is imported only where a network is measured.
    import tensorflow as tf

    from cosembed.models import named_weights
    from cosembed.training.checkpoints import build_network
    from cosembed.training.optimizers import Optimizer
    from cosembed.training.step import make_train_step

    model = build_network(spec)
    step = make_train_step(spec, model, Optimizer(list(named_weights(model).values()), spec.training))
    (batch,) = batch_dataset(source, 0, 1)
    zero = tf.constant(0, tf.int64)
    count, seconds, _ = _repeat(lambda _: float(step(batch, zero)[0]), SECONDS)
    return seconds / count


if __name__ == "__main__":
    command_line.run(main)

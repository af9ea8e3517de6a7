"""Measures tracking a video: frames per second of the network and of the whole path, and memory.

    python -m benchmarks.inference
    python -m benchmarks.inference --profile=cpu --frames=2000    # one video, in this process, as a JSON line

The network is untrained, so its embeddings are not tracked: each is computed, then replaced by a synthetic
one of cells that wander about. What is timed is the work of `cosembed track` without its files.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
from absl import flags
from numpy.typing import NDArray

from benchmarks.embeddings import embeddings_of, wandering_cells
from benchmarks.memory import peak_gigabytes
from benchmarks.rows import Row, table
from cosembed import specs
from cosembed.commands import command_line

FLAGS = flags.FLAGS
# These are compared: profile and number of frames.
VIDEOS = (("cpu", 20), ("cpu", 80), ("paper", 10))
# The cells' number, the frames after which they go back to where they began, and the noise of their
# embeddings.
CELLS, CYCLE, NOISE = 20, 20, 0.05

flags.DEFINE_string("profile", "cpu", "Profile of the data set simulated.")
flags.DEFINE_integer("frames", 0, "One video of so many frames; 0: all that are compared.")


def measure(quick: bool = False) -> list[Row]:
    """Measures every video in a process of its own.

    Args:
        quick: Whether to measure the smoke profile alone.

    Returns:
        One row per profile and length, with `profile`, `frames`, `first_frame_seconds` (with the one trace),
        `network_per_second` and `whole_path_per_second` (frames, the first one aside), `peak_gigabytes`
        beyond the imports.
    """
    rows: list[Row] = []
    for profile, frames in (("smoke", 5),) if quick else VIDEOS:
        command = [sys.executable, "-m", "benchmarks.inference", f"--profile={profile}", f"--frames={frames}"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append({"profile": profile, "frames": frames, **json.loads(done.stdout.splitlines()[-1])})
    return rows


def track_one(profile: str, frames: int) -> dict[str, float]:
    """Tracks one video in this process, and returns the figures that `measure` names."""
    from cosembed.inference.stepper import FrameStepper
    from cosembed.tracking import track_embeddings
    from cosembed.training.checkpoints import build_network

    spec = specs.resolve("simulated", "paper", profile)
    side = spec.network.image_size
    cells = embeddings_of(wandering_cells(CYCLE, side, CELLS, side / 12, seed=0), spec.network.outputs, NOISE)
    images = (
        np.random.default_rng(0).normal(0, 0.5, (CYCLE, side, side, spec.network.channels)).astype(np.float32)
    )
    before, network = peak_gigabytes(), [0.0] * frames
    model = build_network(spec)

    def there_and_back() -> Iterator[int]:
        for frame in range(frames):
            yield CYCLE - 1 - abs(frame % (2 * CYCLE - 2) - (CYCLE - 1))

    def embeddings() -> Iterator[NDArray[np.float32]]:
        computed = FrameStepper(model)(images[index] for index in there_and_back())
        for frame, index in enumerate(there_and_back()):
            begin = time.perf_counter()
            next(computed)
            network[frame] = time.perf_counter() - begin
            yield cells[index]

    begin = time.perf_counter()
    track_embeddings(embeddings(), spec.tracking)
    whole = time.perf_counter() - begin
    return {
        "first_frame_seconds": network[0],
        "network_per_second": (frames - 1) / sum(network[1:]),
        "whole_path_per_second": (frames - 1) / (whole - network[0]),
        "peak_gigabytes": peak_gigabytes() - before,
    }


def main() -> None:
    """Prints one video's figures or a table of all."""
    print(json.dumps(track_one(FLAGS.profile, FLAGS.frames)) if FLAGS.frames else table(measure()))


if __name__ == "__main__":
    command_line.run(main)

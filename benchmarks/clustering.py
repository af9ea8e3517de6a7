"""Measures clustering and tracking beside the released HDBSCAN call: seconds, memory, agreement, growth.

    python -m benchmarks.clustering
    python -m benchmarks.clustering --quick

Every way of clustering a video runs in a new process, one after the other, with the libraries loaded before
the clock starts.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice, pairwise
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from absl import flags
from joblib.externals.loky import get_reusable_executor
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from benchmarks.embeddings import embeddings_of, wandering_cells
from cosembed.clustering import background_embedding, choose_mode, foreground_points, label_instances
from cosembed.clustering.points import cluster_points_as_released
from cosembed.commands import command_line, demo
from cosembed.images.frames import open_frames
from cosembed.simulation import simulate_video
from cosembed.specs import TrackingSpec
from cosembed.tracking import track_embeddings

FLAGS = flags.FLAGS
Mode = Literal["auto", "fast", "exact"]
Method = Literal["released"] | Mode
DIMENSIONS = 16
# Short runs are repeated and the median is taken: what else the machine does would decide a single one.
MOST_RUNS, ENOUGH_SECONDS = 5, 10.0

flags.DEFINE_bool("quick", False, "Small images, to see that everything runs.")


@dataclasses.dataclass(frozen=True)
class Case:
    """Describes a video of discs, and how it is clustered.

    Attributes:
        name: What the case is called in tables.
        min_points: As in `TrackingSpec`.
        cells: Number of discs.
        radius: Radius of a disc, in pixels.
        noise: Standard deviation added to every value of an embedding.
        blur: Sigma of the embeddings' transition at borders, in pixels.
        coordinate_factor: As in `TrackingSpec`.
        frames: Number of frames.
        side: Side of the square frames, in pixels.
        modes: The modes of `TrackingSpec` that are measured.
    """

    name: str
    min_points: int
    cells: int
    radius: float
    noise: float
    blur: float = 1.0
    coordinate_factor: float = 0.005
    frames: int = 2
    side: int = 256
    modes: tuple[Mode, ...] = ("fast", "exact")

    @property
    def spec(self) -> TrackingSpec:
        """The values of tracking, without clean-up at the border, as in the released call."""
        return TrackingSpec(
            min_points=self.min_points,
            coordinate_factor=self.coordinate_factor,
            border=(0, 0),
            parent_dilation=0,
            parent_frames=2,
        )

    def embeddings(self) -> NDArray[np.float32]:
        """Makes the video's embeddings float32 [frames, side, side, DIMENSIONS]."""
        labels = wandering_cells(self.frames, self.side, self.cells, self.radius, seed=1)
        return embeddings_of(labels, DIMENSIONS, self.noise, blur=self.blur)


@dataclasses.dataclass(frozen=True)
class NetworkCase:
    """Describes a simulated video, or a real one, as a network of the package sees it.

    Attributes:
        name: What the case is called in tables.
        network: A name of `cosembed networks`.
        folder: The video's folder below that of COSEMBED_TEST_DATA; empty: a simulated video.
        frames: Number of frames.
        modes: The modes of `TrackingSpec` that are measured.
    """

    name: str
    network: str
    folder: str = ""
    frames: int = 2
    modes: tuple[Mode, ...] = ("fast", "exact")

    @property
    def min_points(self) -> int:
        """The network's own."""
        return self.spec.min_points

    @property
    def spec(self) -> TrackingSpec:
        """The network's values of clustering, without clean-up at the border."""
        # TensorFlow would count in the memory of all other cases.
        from cosembed.inference.networks import load_network

        tracking = load_network(self.network).spec.tracking
        return dataclasses.replace(tracking, border=(0, 0), parent_dilation=0)

    def is_there(self) -> bool:
        """Tells whether there is such a video here."""
        return not self.folder or (_test_data() / self.folder).is_dir()

    def embeddings(self) -> NDArray[np.float32]:
        """Computes the video's embeddings float32 [frames, N, N, D]."""
        from cosembed.inference.networks import load_network
        from cosembed.inference.stepper import prepare_frames

        network = load_network(self.network)
        video = open_frames(_test_data() / self.folder) if self.folder else _simulated_frames()
        frames = islice(prepare_frames(video, network.spec), self.frames)
        return np.stack(list(network.stepper(frames)))


CASES = (
    Case("many points", 1000, cells=10, radius=26, noise=0.035, blur=2, coordinate_factor=0.02),
    Case("fewer points", 500, cells=12, radius=16, noise=0.025),
    Case("fewer points, 3 frames", 500, cells=12, radius=16, noise=0.025, frames=3, modes=("fast",)),
    Case("many small cells", 100, cells=60, radius=8, noise=0.025, coordinate_factor=0.001),
    Case("more small cells", 50, cells=100, radius=6, noise=0.025, coordinate_factor=0.001),
)
NETWORK_CASES = (
    NetworkCase("the demo's network", "simulated"),
    NetworkCase("DIC-C2DH-HeLa, real", "DIC-C2DH-HeLa", "ctc/DIC-C2DH-HeLa/01"),
    NetworkCase("PhC-C2DH-U373, real", "PhC-C2DH-U373", "ctc/PhC-C2DH-U373/01"),
)
QUICK_CASES = (Case("quick", 200, cells=4, radius=11, noise=0.03, side=64),)
SCALED = Case("scaled", 500, cells=20, radius=16, noise=0.03)


class Outcome(NamedTuple):
    """Holds what one run gave.

    Attributes:
        labels: int32 [T, H, W].
        seconds: Median wall time.
        memory: Peak memory of the process beyond what it held at the start, in MB.
    """

    labels: NDArray[np.int32]
    seconds: float
    memory: float


def measure(quick: bool = False) -> list[dict[str, object]]:
    """Measures `track_embeddings` and the released call on the foreground points of every frame pair.

    Args:
        quick: Whether to measure one small case alone.

    Returns:
        One row per case and mode, with `case`, `frames`, `mode` and whether `auto` chooses it; `points`
        (foreground, per pair), `min_points`; `noise_released` and `noise` (share of the first pair's
        foreground without an instance); `seconds_released`, `seconds` and their `ratio`; `index` (adjusted
        Rand index over the first pair's foreground, noise as one more class, after both were split into
        components and cleaned of small ones) and `index_instances` (where both have an instance); `memory_mb`
        (the released call's workers not counted in its own).
    """
    rows: list[dict[str, object]] = []
    cases: Sequence[Case | NetworkCase] = QUICK_CASES
    if not quick:
        cases = [*(case for case in NETWORK_CASES if case.is_there()), *CASES]
    for case in cases:
        embeddings = case.embeddings()
        background = background_embedding(embeddings[:2])
        pairs = pairwise(embeddings)
        points = [int(foreground_points(np.stack(pair), background, case.spec)[0].sum()) for pair in pairs]
        foreground, _ = foreground_points(embeddings[:2], background, case.spec)
        released = _measure_apart(case, "released")
        reference = released.labels[foreground]
        for mode in case.modes:
            outcome = _measure_apart(case, mode)
            found = outcome.labels[:2][foreground]
            both = (reference > 0) & (found > 0)
            rows.append(
                {
                    "case": case.name,
                    "frames": case.frames,
                    "mode": mode,
                    "chosen_by_auto": choose_mode(case.spec) == mode,
                    "points": round(float(np.mean(points))),
                    "min_points": case.min_points,
                    "noise_released": round(float(np.mean(reference == 0)), 4),
                    "noise": round(float(np.mean(found == 0)), 4),
                    "seconds_released": round(released.seconds, 3),
                    "seconds": round(outcome.seconds, 3),
                    "ratio": round(released.seconds / outcome.seconds, 1),
                    "index": round(float(adjusted_rand_score(reference, found)), 4),
                    "index_instances": round(float(adjusted_rand_score(reference[both], found[both])), 4),
                    "memory_released_mb": round(released.memory),
                    "memory_mb": round(outcome.memory),
                }
            )
    return rows


def scaling() -> list[dict[str, object]]:
    """Measures how `track_embeddings` grows with instances, image side and frames, the rest as in `SCALED`.

    Returns:
        Rows with `varied`, `value`, `mode`, `seconds`, `memory_mb`.
    """
    cases: list[tuple[str, int, Case]] = [
        (
            "instances",
            count,
            dataclasses.replace(
                SCALED, cells=count, radius=0.4 * 256 / np.sqrt(count), min_points=min_points
            ),
        )
        # min_points is about a tenth of an instance's pixels in the two frames.
        for count, min_points in ((5, 1000), (20, 500), (100, 100), (500, 25))
    ]
    cases += [
        (
            "side",
            side,
            dataclasses.replace(SCALED, side=side, radius=side / 16, min_points=500 * side**2 // 256**2),
        )
        for side in (64, 128, 256)
    ]
    cases += [("frames", frames, dataclasses.replace(SCALED, frames=frames)) for frames in (5, 10, 20)]
    rows: list[dict[str, object]] = []
    for varied, value, case in cases:
        outcome = _measure_apart(case, "auto")
        rows.append(
            {
                "varied": varied,
                "value": value,
                "mode": choose_mode(case.spec),
                "seconds": round(outcome.seconds, 3),
                "memory_mb": round(outcome.memory),
            }
        )
    return rows


def main() -> None:
    """Prints all rows, one JSON object a line."""
    for row in measure(FLAGS.quick) + ([] if FLAGS.quick else scaling()):
        print(json.dumps(row))


def _measure_here(case: Case | NetworkCase, method: Method) -> Outcome:
    """Clusters a video in this process."""
    embeddings = case.embeddings()
    # A first run imports what is needed; the released call also starts worker processes, from 16,384 points
    # on.
    _labels(QUICK_CASES[0].embeddings(), QUICK_CASES[0].spec, method)
    if method == "released":
        cluster_points_as_released(np.random.default_rng(0).normal(size=(17_000, 2)), 5)
    before = _resident()
    seconds: list[float] = []
    while len(seconds) < MOST_RUNS and sum(seconds) < ENOUGH_SECONDS:
        start = time.perf_counter()
        labels = _labels(embeddings, case.spec, method)
        seconds.append(time.perf_counter() - start)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before
    if method == "released":
        # Its idle workers would keep this process waiting for minutes.
        get_reusable_executor().shutdown()
    return Outcome(labels, float(np.median(seconds)), memory)


def _labels(embeddings: NDArray[np.float32], spec: TrackingSpec, method: Method) -> NDArray[np.int32]:
    if method == "released":
        return _released(embeddings, spec)
    return track_embeddings(iter(embeddings), dataclasses.replace(spec, mode=method)).labels.astype(np.int32)


def _released(embeddings: NDArray[np.float32], spec: TrackingSpec) -> NDArray[np.int32]:
    """Clusters every frame pair by the released call, and returns the instances of the first."""
    background = background_embedding(embeddings[:2])
    clusters = []
    for pair in pairwise(embeddings):
        _, points = foreground_points(np.stack(pair), background, spec)
        clusters.append(cluster_points_as_released(points, spec.min_points))
    foreground, _ = foreground_points(embeddings[:2], background, spec)
    return label_instances(clusters[0], foreground, embeddings[:2], background, spec)


def _test_data() -> Path:
    return Path(os.environ.get("COSEMBED_TEST_DATA", "absent"))


def _simulated_frames() -> NDArray[np.uint16]:
    """Simulates a video like that of `cosembed demo`."""
    return simulate_video(24, demo.SIZE, demo.CELLS, demo.DIFFICULTY, seed=3).images


def _resident() -> float:
    """Reads how much memory this process holds now, in MB (Linux)."""
    return (
        int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 2**20
    )


def _measure_apart(case: Case | NetworkCase, method: Method) -> Outcome:
    """Clusters a video in a new process, so that peak memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        return executor.submit(_measure_here, case, method).result()


if __name__ == "__main__":
    command_line.run(main)

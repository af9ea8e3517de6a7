"""Measures how often the doubt about a network is right, on videos that suit it and on others.

    python -m benchmarks.fitness --network=runs/demo/test_02 --suits=runs/demo-data/simulated/02 --other=01

Videos that suit, and the same upside down, should give no doubt. The others, those that suit with inverted
contrast, and three kinds of noise should give one. Prints what `cosembed track` would measure of each, and
the rates of false alarms and misses.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from absl import flags
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.images.array_frames import ArrayFrames
from cosembed.images.frames import open_frames
from cosembed.inference.networks import Network, load_network
from cosembed.inference.video import track_frames
from cosembed.video_job.fitness import Fitness, doubts_about_fitness, measure_fitness

FLAGS = flags.FLAGS

flags.DEFINE_string("network", "", "Folder of a trained run.")
flags.DEFINE_multi_string("suits", [], "A video that the network suits; repeatable.")
flags.DEFINE_multi_string("other", [], "A video that it does not suit; repeatable.")
flags.DEFINE_integer("first", 0, "The frame to begin with, counted from 0.", lower_bound=0)
flags.DEFINE_integer("frames", 5, "So many frames of every video are tracked.", lower_bound=2)

SEED = 0


def main() -> None:
    """Prints a line for every video, and the two rates.

    Raises:
        InputError: A flag is missing, or a network or video cannot be used.
    """
    command_line.require(FLAGS, "network", "suits")
    network = load_network(FLAGS.network)
    print(f"{'video':50} {' '.join(f'{name:>9}' for name in Fitness._fields)}  doubt")
    wrong: dict[bool, list[bool]] = {True: [], False: []}
    for name, suits, images in _videos():
        fitness = measured(network, images)
        doubted = bool(list(doubts_about_fitness(fitness)))
        wrong[suits].append(doubted == suits)
        measures = " ".join(f"{value:9.3f}" for value in fitness)
        print(f"{name:50} {measures}  {'yes' if doubted else 'no'}{', wrong' * wrong[suits][-1]}", flush=True)
    print(f"false alarms: {sum(wrong[True])} of {len(wrong[True])}")
    print(f"misses: {sum(wrong[False])} of {len(wrong[False])}")


def measured(network: Network, images: NDArray) -> Fitness:
    """Tracks a video [T, H, W] and measures all of its frames but the first."""
    frames = ArrayFrames(images)
    tracked = track_frames(network.stepper, frames, network.spec, range(1, len(frames)))
    return measure_fitness(tracked.checks, tracked.checked_labels())


def noise(shape: tuple[int, ...], seed: int) -> Iterator[tuple[str, NDArray]]:
    """Draws videos of three kinds of noise, one of them smooth."""
    generator = np.random.default_rng(seed)
    yield "normal noise", generator.normal(1000, 100, shape).clip(0).astype(np.uint16)
    yield "Poisson noise", generator.poisson(5, shape).astype(np.uint8)
    yield "smooth noise", ndimage.gaussian_filter(generator.normal(size=shape), (0, 8, 8)).astype(np.float32)


def _videos() -> Iterator[tuple[str, bool, NDArray]]:
    """Yields names, whether the network suits, and frames [T, H, W]."""
    for path in FLAGS.suits:
        images = _open(path)
        yield path, True, images
        yield f"{path}, upside down", True, images[:, ::-1]
        yield f"{path}, inverted", False, int(images.max()) - images.astype(np.int32)
    for path in FLAGS.other:
        yield path, False, _open(path)
    for name, images in noise(_open(FLAGS.suits[0]).shape, SEED):
        yield name, False, images


def _open(path: str) -> NDArray:
    frames = open_frames(Path(path))
    if len(frames) < FLAGS.first + FLAGS.frames:
        raise InputError(f"{path}: has {len(frames)} frames; lower --first or --frames")
    return np.stack([frames[index] for index in range(FLAGS.first, FLAGS.first + FLAGS.frames)])


if __name__ == "__main__":
    command_line.run(main)

"""Compares a frame of the network with its convolutions alone, by turns: the least that a frame can take.

    python -m benchmarks.network
    python -m benchmarks.network --sizes=paper --rounds=10

Both run in one process, so that the machine's speed, which changes from hour to hour, is the same for both.
"""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import flags

from benchmarks.rows import Row, table
from cosembed import specs
from cosembed.commands import command_line
from cosembed.inference.stepper import FrameStepper
from cosembed.models import StackedHourglass
from cosembed.training.checkpoints import build_network

FLAGS = flags.FLAGS
# The first frames of a process are slower.
WARM_UP = 2
# Shape -> tensor.
Tensors = dict[tuple[int, ...], tf.Tensor]

flags.DEFINE_list("sizes", ["cpu", "paper"], "Profiles whose networks are measured, with commas.")
flags.DEFINE_integer("rounds", 20, "How many frames of each network count.", lower_bound=1)


class Spent(NamedTuple):
    """Holds what something took, in seconds by the clock and of the processor."""

    seconds: float
    processor_seconds: float


class Convolution(NamedTuple):
    """Holds the shapes of a convolution: images [B, H, W, C] and kernel [k, k, C, F]."""

    images: tuple[int, ...]
    kernel: tuple[int, ...]

    @property
    def gigaflop(self) -> float:
        """Multiplications and additions, those with the padding included."""
        return 2e-9 * float(np.prod(self.images[:3])) * float(np.prod(self.kernel))


def measure(quick: bool = False) -> list[Row]:
    """Measures the networks of some profiles.

    Args:
        quick: Whether to measure the smoke profile alone.

    Returns:
        For each profile what `compare` gives.
    """
    if quick:
        return [compare("smoke", rounds=3)]
    return [compare(profile, FLAGS.rounds) for profile in FLAGS.sizes]


def compare(profile: str, rounds: int) -> Row:
    """Measures frames of a network and its convolutions by turns.

    Args:
        profile: Names the size of network and images.
        rounds: How many of each count.

    Returns:
        `profile`; `gigaflop` of the convolutions; medians of `convolutions_seconds` and `frame_seconds`, and
        their ratio `to_convolutions`, each of the processor's own time; `to_convolutions_by_clock`; and
        `first_frame_more`, the processor seconds that the first frame took longer, for its trace.
    """
    spec = specs.resolve("simulated", "paper", profile)
    side, channels = spec.network.image_size, spec.network.channels
    model = build_network(spec)
    images = np.random.default_rng(0).normal(0, 0.5, (4, side, side, channels)).astype(np.float32)
    frames = FrameStepper(model)(itertools.cycle(images))
    first = spent(lambda: next(frames))
    convolutions = convolutions_of(model, side, channels)
    alone = convolutions_alone(convolutions)
    turns = [(spent(alone), spent(lambda: next(frames))) for _ in range(WARM_UP + rounds)][WARM_UP:]
    floor, frame = (
        Spent(*(statistics.median(column) for column in zip(*part, strict=True)))
        for part in zip(*turns, strict=True)
    )
    return {
        "profile": profile,
        "gigaflop": sum(convolution.gigaflop for convolution in convolutions),
        "convolutions_seconds": floor.processor_seconds,
        "frame_seconds": frame.processor_seconds,
        "to_convolutions": frame.processor_seconds / floor.processor_seconds,
        "to_convolutions_by_clock": frame.seconds / floor.seconds,
        "first_frame_more": first.processor_seconds - frame.processor_seconds,
    }


def convolutions_of(model: StackedHourglass, side: int, channels: int) -> list[Convolution]:
    """Lists the convolutions of one frame in the order in which they were traced."""
    frame = tf.TensorSpec([1, side, side, channels])
    step = tf.function(model.step, autograph=False)
    graph = step.get_concrete_function(frame, model.zero_states(1, side, side)).graph
    return [
        Convolution(*(tuple(tensor.shape.as_list()) for tensor in operation.inputs))
        for operation in graph.get_operations()
        if operation.type == "Conv2D"
    ]


def convolutions_alone(convolutions: Sequence[Convolution]) -> Callable[[], object]:
    """Makes a function that computes convolutions one after another, and nothing else."""
    images, kernels = (
        {shape: tf.random.normal(shape) for shape in shapes} for shapes in zip(*convolutions, strict=True)
    )

    @tf.function(autograph=False)
    def run(images: Tensors, kernels: Tensors) -> tf.Tensor:
        corners: list[tf.Tensor] = []
        for convolution in convolutions:
            # One value of each is returned, without which TensorFlow would leave it out.
            with tf.control_dependencies(corners[-1:]):
                result = tf.nn.conv2d(images[convolution.images], kernels[convolution.kernel], 1, "SAME")
                corners.append(result[0, 0, 0, 0])
        return tf.stack(corners)

    return lambda: run(images, kernels).numpy()


def spent(function: Callable[[], object]) -> Spent:
    """Calls a function and returns what that took."""
    begin = time.perf_counter(), time.process_time()
    function()
    return Spent(time.perf_counter() - begin[0], time.process_time() - begin[1])


def main() -> None:
    """Prints the rows as a table."""
    print(table(measure()))


if __name__ == "__main__":
    command_line.run(main)

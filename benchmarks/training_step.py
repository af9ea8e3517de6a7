"""Measures one training step of one network in this process, and prints it as one JSON line.

    python -m benchmarks.training_step --variant=ours --network_size=cpu

Every measurement has a process of its own, because peak memory never goes down again. `benchmarks.training`
runs them all.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import flags

from benchmarks.memory import peak_gigabytes
from benchmarks.plain_network import plain_loss, plain_network
from cosembed import specs
from cosembed.batches.mask_codes import pack_table, table_rows
from cosembed.commands import command_line
from cosembed.losses import l2_penalty
from cosembed.models import named_weights
from cosembed.specs import CellsSpec
from cosembed.training.checkpoints import build_network
from cosembed.training.execution import DEFAULT, Execution
from cosembed.training.objectives import make_objective
from cosembed.training.optimizers import Optimizer
from cosembed.training.step import make_train_step

FLAGS = flags.FLAGS
# Name -> how our network's step is executed; None is the plain network.
VARIANTS = {
    "plain": None,
    "ours": Execution(xla="off"),
    "recompute": Execution(recompute=True, xla="off"),
    "bfloat16": Execution(mixed_precision=True, xla="off"),
    "xla": Execution(xla="on"),
    "xla_recompute": Execution(recompute=True, xla="on"),
    "xla_bfloat16": Execution(mixed_precision=True, xla="on"),
}
LEAST_STEPS, MOST_STEPS, SECONDS = 2, 20, 10.0
WARM_UP = 2

flags.DEFINE_enum("variant", "ours", list(VARIANTS), "What computes the step.")
flags.DEFINE_string("network_size", "cpu", "A name of benchmarks.training_step.SIZES.")


class Size(NamedTuple):
    """Describes the size of a network and of its clips; a step takes one clip.

    Attributes:
        side: Side of the square images, in pixels.
        length: Frames of a clip.
        filters: Filters of every layer but the last.
        levels: Levels of each hourglass.
        outputs: Dimensions of an embedding.
        instances: Instances of a clip in the loss.
    """

    side: int
    length: int
    filters: int
    levels: int
    outputs: int = 16
    instances: int = 32


SIZES = {
    "smoke": Size(32, 3, 4, 3, 4, 8),
    "cpu": Size(128, 5, 16, 5),
    "middle": Size(128, 10, 32, 6),
    "paper": Size(256, 10, 64, 7),
}


def random_batch(size: Size) -> dict[str, tf.Tensor]:
    """Makes a clip of noise with twice as many square cells as instances; each has a few neighbours.

    Its masks are there twice: as they are, and coded as training batches have them.
    """
    generator = np.random.default_rng(0)
    shape = (1, size.length, size.side, size.side)
    cell = max(2, size.side // 16)
    blocks = generator.integers(
        0, 2 * size.instances, (1, size.length, -(-size.side // cell), -(-size.side // cell))
    )
    labels = blocks.repeat(cell, axis=2).repeat(cell, axis=3)[:, :, : size.side, : size.side]
    numbers = np.arange(2 * size.instances)
    distance = numbers[:, None] - np.arange(1, size.instances + 1)
    # A row for each label: the masks of the instances, then that of the background.
    table = (distance == 0) + 2 * ((distance > 0) & (distance < 6))
    table = np.column_stack([table, np.where(numbers == 0, 1, 2)]).astype(np.uint8)
    masks, rows = table[labels], table_rows(len(table))
    return {
        "image": tf.constant(generator.normal(0, 0.5, (*shape, 1)), tf.float32),
        "instances": tf.constant(masks[..., :-1]),
        "background": tf.constant(masks[..., -1:]),
        "codes": tf.constant(labels, tf.uint16),
        "code_labels": tf.constant(np.arange(rows)[None], tf.uint16),
        "code_masks": tf.constant(pack_table(table, rows)[None]),
    }


def measure_step(variant: str, size: Size) -> dict[str, float]:
    """Measures a training step on random clips.

    Args:
        variant: A name of `VARIANTS`.
        size: The network and its clips.

    Returns:
        `first_step_seconds` with building and tracing, `step_seconds` (median of later ones), and
        `peak_gigabytes` beyond the imports.
    """
    # TensorFlow starts its own threads and tables once; the network is not charged with them.
    tf.zeros([1]) + 1
    before, begin = peak_gigabytes(), time.perf_counter()
    execution = VARIANTS[variant]
    step = _plain_step(size) if execution is None else our_step(size, execution)
    batch = random_batch(size)
    step(batch)
    first = time.perf_counter() - begin
    seconds: list[float] = []
    while len(seconds) < LEAST_STEPS + WARM_UP or (sum(seconds) < SECONDS and len(seconds) < MOST_STEPS):
        begin = time.perf_counter()
        step(batch)
        seconds.append(time.perf_counter() - begin)
    return {
        "first_step_seconds": first,
        "step_seconds": statistics.median(seconds[WARM_UP:] if seconds[0] < SECONDS else seconds),
        "peak_gigabytes": peak_gigabytes() - before,
    }


def main() -> None:
    """Measures what the flags name."""
    print(json.dumps(measure_step(FLAGS.variant, SIZES[FLAGS.network_size])))


def our_step(size: Size, execution: Execution = DEFAULT) -> Callable[[dict[str, tf.Tensor]], object]:
    """Makes the step that training takes, as a function of a batch."""
    spec = specs.resolve("DIC-C2DH-HeLa", "paper", "paper", _overrides(size))
    assert isinstance(spec, CellsSpec)
    model = build_network(spec, execution)
    optimizer = Optimizer(list(named_weights(model).values()), spec.training)
    step = make_train_step(spec, model, optimizer, execution)
    names = make_objective(spec).signature
    return lambda batch: step({name: batch[name] for name in names}, tf.constant(0, tf.int64))


def _overrides(size: Size) -> dict[str, int]:
    return {
        "network.image_size": size.side,
        "network.filters": size.filters,
        "network.levels": size.levels,
        "network.outputs": size.outputs,
        "training.clip_length": size.length,
        "instances.maximum": size.instances,
    }


def _plain_step(size: Size) -> Callable[[dict[str, tf.Tensor]], object]:
    model = plain_network(size.filters, size.levels, size.outputs, size.length, size.side)
    optimizer = tf.keras.optimizers.Adam(1e-4)

    @tf.function
    def step(batch: dict[str, tf.Tensor]) -> tf.Tensor:
        with tf.GradientTape() as tape:
            masks = tf.concat([batch["instances"], batch["background"]], axis=-1)
            loss = tf.add_n([plain_loss(output, masks) for output in model(batch["image"])])
            loss += l2_penalty(model.trainable_variables, 1e-5)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss

    return step


if __name__ == "__main__":
    command_line.run(main)

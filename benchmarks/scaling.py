"""Measures how costs grow with the image's side, the clip's length, instances, and the video's length.

    python -m benchmarks.scaling --plot=docs/scaling.png

Everything else is as in the profile `cpu`. The exponent is the slope of a line through log(seconds) over
log(quantity).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import flags
from numpy.typing import NDArray

from benchmarks import clustering
from benchmarks.rows import Row, table
from benchmarks.training_step import SIZES, Size, our_step, random_batch
from cosembed.batches.instances import instance_table
from cosembed.commands import command_line
from cosembed.files.writing import atomic_write_bytes
from cosembed.inference.stepper import FrameStepper
from cosembed.models import StackedHourglass
from cosembed.reporting.figures import scaling
from cosembed.specs import InstancesSpec

FLAGS = flags.FLAGS
SIDES = (64, 128, 256)
LENGTHS = (2, 5, 10, 20)
INSTANCES = (5, 20, 100, 500)
REPEATS = 3

flags.DEFINE_string("plot", "", "PNG to write.")


def measure() -> list[Row]:
    """Measures every cost; rows have `cost`, `quantity`, `value` and `seconds`."""
    return [*_training(), *_network(), *_masks(), *_clustering()]


def exponents(rows: Sequence[Row]) -> list[Row]:
    """Computes how each cost grows with each quantity.

    Args:
        rows: What `measure` returned; values of a quantity ascend.

    Returns:
        One row per cost and quantity, with its smallest and largest value, their seconds, and the exponent.
    """
    found = []
    for cost, quantity in dict.fromkeys((row["cost"], row["quantity"]) for row in rows):
        chosen = [row for row in rows if (row["cost"], row["quantity"]) == (cost, quantity)]
        values, seconds = (np.array([row[name] for row in chosen], float) for name in ("value", "seconds"))
        found.append(
            {
                "cost": cost,
                "quantity": quantity,
                "from": int(values[0]),
                "to": int(values[-1]),
                "seconds_from": seconds[0],
                "seconds_to": seconds[-1],
                "exponent": float(np.polyfit(np.log(values), np.log(seconds), 1)[0]),
            }
        )
    return found


def plot(rows: Sequence[Row]) -> bytes:
    """Draws a panel per quantity, as PNG."""
    panels: dict[str, list] = {}
    for row in exponents(rows):
        chosen = [
            other for other in rows if (other["cost"], other["quantity"]) == (row["cost"], row["quantity"])
        ]
        curve = (row["cost"], [other["value"] for other in chosen], [other["seconds"] for other in chosen])
        panels.setdefault(str(row["quantity"]), []).append(curve)
    return scaling(panels)


def main() -> None:
    """Prints the exponents and draws the plot."""
    rows = measure()
    print(table(exponents(rows)))
    if FLAGS.plot:
        atomic_write_bytes(Path(FLAGS.plot), plot(rows))


def _row(cost: str, quantity: str, value: int, function: Callable[[], object]) -> Row:
    function()
    seconds = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begin)
    return {"cost": cost, "quantity": quantity, "value": value, "seconds": float(np.median(seconds))}


def _training() -> Iterator[Row]:
    usual = SIZES["cpu"]
    for side in SIDES:
        size = usual._replace(side=side)
        step = our_step(size)
        yield _step_row(step, "image side", side, size)
        if side == usual.side:
            # The length is left open in the trace.
            yield from (
                _step_row(step, "frames a clip", length, size._replace(length=length)) for length in LENGTHS
            )
            for count in INSTANCES:
                many = size._replace(instances=count)
                yield _step_row(our_step(many), "instances", count, many)


def _step_row(step: Callable[[dict[str, tf.Tensor]], object], quantity: str, value: int, size: Size) -> Row:
    batch = random_batch(size)
    return _row("training step", quantity, value, lambda: step(batch))


def _network() -> Iterator[Row]:
    usual = SIZES["cpu"]
    model = StackedHourglass(usual.filters, usual.levels, usual.outputs)
    for side in SIDES:
        images = np.zeros((usual.length, side, side, 1), np.float32)
        yield _row("network, five frames", "image side", side, _consume(FrameStepper(model), images))


def _masks() -> Iterator[Row]:
    usual = SIZES["cpu"]
    for count in INSTANCES:
        places = int(np.ceil(np.sqrt(count)))
        rows, columns = np.indices((usual.side, usual.side)) * places // usual.side
        labels = np.where(rows * places + columns < count, rows * places + columns + 1, 0).astype(np.uint16)
        clip = np.broadcast_to(labels, (usual.length, *labels.shape)).copy()
        spec = InstancesSpec(
            maximum=32, neighbours="mask_distance", neighbour_radius=10.0, background="instance"
        )
        yield _row("instance masks of a clip", "instances", count, _draw(clip, spec))


def _clustering() -> Iterator[Row]:
    quantities = {"side": "image side", "frames": "frames of the video"}
    for row in clustering.scaling():
        quantity = quantities.get(str(row["varied"]), row["varied"])
        yield {
            "cost": "clustering and tracking",
            "quantity": quantity,
            "value": row["value"],
            "seconds": row["seconds"],
        }


def _consume(stepper: FrameStepper, images: NDArray[np.float32]) -> Callable[[], object]:
    return lambda: list(stepper(images))


def _draw(clip: NDArray[np.uint16], spec: InstancesSpec) -> Callable[[], object]:
    return lambda: instance_table(clip, spec, np.random.default_rng(0))


if __name__ == "__main__":
    command_line.run(main)

"""Measures training steps of our network beside the plain one, and beside what convolutions could do.

    python -m benchmarks.training

Every step runs in a process of its own (`benchmarks.training_step`), one after another.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import tensorflow as tf

from benchmarks.rows import Row, table
from benchmarks.training_step import SIZES, VARIANTS, Size
from cosembed.commands import command_line

# Pixels of a kernel of 3 x 3.
KERNEL = 9
REPEATS = 5
# Each size is measured with these variants; bfloat16 on a processor without instructions for it only costs
# time.
PLAN: dict[str, Sequence[str]] = {
    "cpu": ("plain", "ours", "recompute", "bfloat16"),
    "middle": ("plain", "ours", "recompute"),
    "paper": ("plain", "ours", "recompute"),
}


def measure(quick: bool = False) -> list[Row]:
    """Measures every size with its variants.

    Args:
        quick: Whether to measure the smoke size with our network alone.

    Returns:
        One row per size and variant, with `size`, `variant`, what `training_step.measure_step` gives,
        `step_ratio` and `memory_ratio` to the plain network (None without it), `gigaflop` (multiplications
        and additions of the convolutions that the step needs: zero states and recomputing are not counted),
        and `convolution_share`: the rate the step reaches, as a share of the rate of one convolution forward
        and backward at the size's largest level.
    """
    rows: list[Row] = []
    for name, variants in {"smoke": ["ours"]}.items() if quick else PLAN.items():
        size = SIZES[name]
        work, rate = step_gigaflop(size), convolution_gigaflop_per_second(size)
        plain: dict[str, float] | None = None
        for variant in variants:
            found = _run(variant, name)
            plain = found if variant == "plain" else plain
            rows.append(
                {
                    "size": name,
                    "variant": variant,
                    **found,
                    "step_ratio": found["step_seconds"] / plain["step_seconds"] if plain else None,
                    "memory_ratio": found["peak_gigabytes"] / plain["peak_gigabytes"] if plain else None,
                    "gigaflop": work,
                    "convolution_share": work / found["step_seconds"] / rate,
                }
            )
    return rows


def step_gigaflop(size: Size) -> float:
    """Counts the work of one step's convolutions: forward, gradient of the input, gradient of the kernel."""
    total = 0.0
    for level in range(size.levels):
        pixels = (size.side / 2**level) ** 2 * size.length
        # They are: contracting, three for the input's half of the GRU, expanding; and three for the state's
        # half in all frames but the first.
        convolutions = 5 + 3 * (size.length - 1) / size.length
        total += 2 * pixels * convolutions * KERNEL * size.filters**2
    total += 2 * size.side**2 * size.length * KERNEL * size.filters * size.outputs
    return 2 * 3 * total / 1e9


def convolution_gigaflop_per_second(size: Size) -> float:
    """Measures the rate of one convolution of all frames at the largest level, with both gradients."""
    images = tf.random.normal([size.length, size.side, size.side, size.filters])
    kernel = tf.random.normal([3, 3, size.filters, size.filters])

    @tf.function
    def both_ways() -> Sequence[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch([images, kernel])
            result = tf.nn.conv2d(images, kernel, 1, "SAME")
        return result, *tape.gradient(result, [images, kernel], output_gradients=images)

    work = 3 * 2 * size.length * size.side**2 * KERNEL * size.filters**2 / 1e9
    return work / best_of(both_ways)


def best_of(function: Callable[[], object]) -> float:
    """Returns the shortest of some runs, in seconds, after one that does not count."""
    function()
    seconds = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def main() -> None:
    """Prints the rows as a table."""
    print(table(measure()))


def _run(variant: str, size: str) -> dict[str, float]:
    assert variant in VARIANTS
    command = [
        sys.executable,
        "-m",
        "benchmarks.training_step",
        f"--variant={variant}",
        f"--network_size={size}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    command_line.run(main)

"""Compares training steps by turns, which gives ratios that hold on a busy machine too.

    python -m benchmarks.turns --size=cpu --variants=ours,xla --before=OTHER_CHECKOUT

Every variant of `benchmarks.training_step`, and with `--before` the variant `ours` of another checkout of
this package, has a process of its own. They take one step after another in turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, NamedTuple

from absl import flags

# The first steps of a process are slower.
WARM_UP = 2
WORK = "--work"
ROOT = Path(__file__).resolve().parents[1]
BEFORE = "before"

FLAGS = flags.FlagValues()
flags.DEFINE_string("size", "cpu", "A name of benchmarks.training_step.SIZES.", flag_values=FLAGS)
flags.DEFINE_list("variants", ["ours"], "Variants of this checkout, with commas.", flag_values=FLAGS)
flags.DEFINE_string(BEFORE, "", "Another checkout, which the variants are compared with.", flag_values=FLAGS)
flags.DEFINE_integer("rounds", 20, "How many steps of each count.", lower_bound=1, flag_values=FLAGS)


class Spent(NamedTuple):
    """Holds what one step, or the way to it, took: seconds by the clock and of the processor, peak memory."""

    seconds: float
    processor_seconds: float
    peak_gigabytes: float


class Worker:
    """Takes steps in a process that imports a checkout's code."""

    def __init__(self, checkout: Path, variant: str, size: str) -> None:
        # Not as a module, which would be the checkout's.
        command = [sys.executable, "-P", str(Path(__file__).resolve()), WORK, variant, size]
        environment = os.environ | {"PYTHONPATH": str(checkout.resolve())}
        self._process = subprocess.Popen(
            command, cwd=checkout, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.first = self._read()

    def step(self) -> Spent:
        """Takes one step."""
        self._pipe(self._process.stdin).write("\n")
        self._pipe(self._process.stdin).flush()
        return self._read()

    def close(self) -> None:
        """Ends the process, whose input ends."""
        self._process.communicate()

    def _read(self) -> Spent:
        return Spent(*json.loads(self._pipe(self._process.stdout).readline()))

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


def compare(checkouts: dict[str, tuple[Path, str]], size: str, rounds: int) -> list[dict[str, object]]:
    """Measures all by turns.

    Args:
        checkouts: name -> (folder of a checkout, variant of its `benchmarks.training_step`).
        size: A name of `benchmarks.training_step.SIZES`.
        rounds: How many steps of each count.

    Returns:
        For each name: seconds to the end of the first step; the medians of the later ones; and the ratios to
        the first name, `time_ratio` by the processor's own time.
    """
    workers = {name: Worker(*place, size) for name, place in checkouts.items()}
    spent: dict[str, list[Spent]] = {name: [] for name in workers}
    for _ in range(WARM_UP + rounds):
        for name, worker in workers.items():
            spent[name].append(worker.step())
    rows: list[dict[str, object]] = []
    base: Spent | None = None
    for name, worker in workers.items():
        worker.close()
        middle = Spent(*(statistics.median(column) for column in zip(*spent[name][WARM_UP:], strict=True)))
        peak = spent[name][-1].peak_gigabytes
        base = base or middle._replace(peak_gigabytes=peak)
        rows.append(
            {
                "name": name,
                "first_step_seconds": worker.first.seconds,
                "first_processor_seconds": worker.first.processor_seconds,
                "step_seconds": middle.seconds,
                "processor_seconds": middle.processor_seconds,
                "peak_gigabytes": peak,
                "time_ratio": middle.processor_seconds / base.processor_seconds,
                "memory_ratio": peak / base.peak_gigabytes,
            }
        )
    return rows


def work(variant: str, size: str) -> None:
    """Takes a step for every line of the standard input, and prints what it took."""
    from benchmarks import training_step
    from benchmarks.memory import peak_gigabytes

    training_step.tf.zeros([1])
    before = peak_gigabytes()
    begin = time.perf_counter(), time.process_time()

    def report() -> None:
        passed = time.perf_counter() - begin[0], time.process_time() - begin[1]
        print(json.dumps([*passed, peak_gigabytes() - before]), flush=True)

    execution, described = training_step.VARIANTS[variant], training_step.SIZES[size]
    assert execution is not None, "the plain network is no variant of a checkout"
    step, batch = training_step.our_step(described, execution), training_step.random_batch(described)
    step(batch)
    report()
    for _ in sys.stdin:
        begin = time.perf_counter(), time.process_time()
        step(batch)
        report()


def main() -> None:
    """Prints a table of what the flags name."""
    from benchmarks.rows import table

    checkouts = {BEFORE: (Path(FLAGS.before), "ours")} if FLAGS.before else {}
    checkouts |= {variant: (ROOT, variant) for variant in FLAGS.variants}
    print(table(compare(checkouts, FLAGS.size, FLAGS.rounds)))


if __name__ == "__main__":
    if sys.argv[1:2] == [WORK]:
        # The checkout's code, which need not be this one's.
        work(*sys.argv[2:])
    else:
        from cosembed.commands import command_line

        command_line.run(main, flag_values=FLAGS)

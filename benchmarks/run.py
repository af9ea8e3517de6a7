"""Runs all benchmarks, prints their tables and writes `benchmarks/results.json`.

    make bench
    python -m benchmarks.run --only=clustering,data

All of them take about half an hour on two cores.
"""

from __future__ import annotations

import datetime
import importlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

from absl import flags

from benchmarks.rows import Row, table
from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.writing import atomic_write_bytes, atomic_write_text
from cosembed.training.run_folder import environment

FLAGS = flags.FLAGS
PARTS = {
    "clustering": "track_embeddings beside the released clustering call",
    "training": "one training step, ours beside plain Keras",
    "data": "augmented clips per second",
    "workers": "clips made by worker processes",
    "network": "a frame of the network beside its convolutions alone",
    "inference": "tracking a video",
    "scaling": "how costs grow",
}

flags.DEFINE_list(
    "only", [], f"Parts to run, of {', '.join(PARTS)}; the others are kept as they are in the file."
)
flags.DEFINE_string("results", str(Path(__file__).with_name("results.json")), "JSON file to write.")
flags.DEFINE_string("scaling_plot", "", "PNG of the part scaling to write.")


def main() -> None:
    """Runs the parts one after another and writes the file after each.

    Raises:
        InputError: `--only` names a part that there is not.
    """
    unknown = set(FLAGS.only) - set(PARTS)
    if unknown:
        raise InputError(f"--only={','.join(sorted(unknown))}: choose of {', '.join(PARTS)}")
    write_results(
        FLAGS.only or list(PARTS),
        Path(FLAGS.results),
        Path(FLAGS.scaling_plot) if FLAGS.scaling_plot else None,
    )


def write_results(parts: Sequence[str], output: Path, scaling_plot: Path | None = None) -> None:
    """Runs parts, prints their tables, and replaces them in the file of results.

    Args:
        parts: Names of `PARTS`.
        output: The JSON file; what it holds of other parts is kept.
        scaling_plot: PNG to write of the part `scaling`, or None.
    """
    results = json.loads(output.read_text()) if output.exists() else {}
    for part in parts:
        module = importlib.import_module(f"benchmarks.{part}")
        rows: list[Row] = module.measure()
        print(
            f"\n{part}: {PARTS[part]}\n\n{table(module.exponents(rows) if part == 'scaling' else rows)}",
            flush=True,
        )
        if part == "scaling" and scaling_plot:
            atomic_write_bytes(scaling_plot, module.plot(rows))
        results[part] = {"measured": datetime.date.today().isoformat(), **machine(), "rows": rows}
        atomic_write_text(output, json.dumps(results, indent=1) + "\n")
    print(f"\n{output}: {', '.join(results)}")


def machine() -> Mapping[str, object]:
    """Describes what figures depend on: processor, cores, threads, versions."""
    threads = {
        name: os.environ[name] for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS") if name in os.environ
    }
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": threads or "default",
        **environment(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine()
    )


if __name__ == "__main__":
    command_line.run(main)

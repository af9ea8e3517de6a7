"""Runs and times an exported training step with JAX. It needs nothing of this package and no TensorFlow.

    python benchmarks/run_exported_step.py --step=step.hlo
    python benchmarks/run_exported_step.py --step=step.hlo --values=step.npz --steps=100 --outputs=after.npz

`benchmarks.export_step` writes the step. Weights and moments stay on the device from one step to the next.
JAX has no public function that runs an HLO module: `compile_module` holds the calls of its library that do so
(tried with JAX 0.10.2).
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax.extend.backend import get_backend
from jaxlib import xla_client

WARM_UP = 3
Arrays = list[Any]


def compile_module(module: bytes) -> Any:
    """Compiles a serialized HLO module for the first device; what it returns can be executed."""
    program = xla_client._xla.mlir.hlo_to_stablehlo(module)
    devices = xla_client.DeviceList(tuple(jax.local_devices()[:1]))
    return get_backend().compile_and_load(program, devices, xla_client.CompileOptions())


def first_values(inputs: list[dict[str, Any]], values: str) -> Arrays:
    """Reads the value of every input, or draws one: moments are zero, the masks' codes at most 2."""
    if values:
        with np.load(values) as stored:
            return [stored[array["name"]] for array in inputs]
    generator = np.random.default_rng(0)

    def drawn(array: dict[str, Any]) -> np.ndarray:
        name, shape, dtype = array["name"], array["shape"], np.dtype(array["dtype"])
        if name == "step" or "moments/" in name:
            return np.zeros(shape, dtype)
        if dtype.kind == "f":
            return generator.normal(0, 0.5 if name.startswith("batch/") else 0.05, shape).astype(dtype)
        return generator.integers(0, 3, shape).astype(dtype)

    return [drawn(array) for array in inputs]


class Step:
    """Runs the step again and again; every step begins with the weights that the last one left."""

    def __init__(self, executable: Any, description: dict[str, Any], values: Arrays) -> None:
        self._executable = executable
        self._aliases = [(pair["output"], pair["input"]) for pair in description["aliases"]]
        self._number = [array["name"] for array in description["inputs"]].index("step")
        self._inputs = [jax.device_put(value, jax.local_devices()[0]) for value in values]
        self._done = int(values[self._number])

    def __call__(self) -> Arrays:
        """Runs one step and returns its outputs, on the device."""
        results = self._executable.execute_sharded(self._inputs).disassemble_into_single_device_arrays()
        outputs = [parts[0] for parts in results]
        for output, number in self._aliases:
            self._inputs[number] = outputs[output]
        self._done += 1
        self._inputs[self._number] = jax.device_put(np.int64(self._done), jax.local_devices()[0])
        return outputs


def main() -> None:
    """Compiles the step, runs it, and prints what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--step", required=True, help="HLO module that benchmarks.export_step wrote")
    parser.add_argument("--values", default="", help="NPZ file with the inputs' first values; default: drawn")
    parser.add_argument("--steps", type=int, default=50, help="how many steps are timed")
    parser.add_argument("--outputs", default="", help="NPZ file to write, with the first step's outputs")
    flags = parser.parse_args()
    # The step's number has 64 bits.
    jax.config.update("jax_enable_x64", True)
    description = json.loads(Path(f"{flags.step}.json").read_text(encoding="utf-8"))
    begin = time.perf_counter()
    executable = compile_module(Path(flags.step).read_bytes())
    compiled = time.perf_counter() - begin
    step = Step(executable, description, first_values(description["inputs"], flags.values))
    names = [array["name"] for array in description["outputs"]]
    first = [np.asarray(output) for output in step()]
    if flags.outputs:
        np.savez(flags.outputs, **dict(zip(names, first, strict=True)))
    losses, seconds = [float(first[0])], []
    for _ in range(WARM_UP + flags.steps):
        begin = time.perf_counter()
        losses.append(float(step()[0]))
        seconds.append(time.perf_counter() - begin)
    median = statistics.median(seconds[WARM_UP:])
    print(f"device: {jax.local_devices()[0].device_kind}; compiled in {compiled:.1f} s")
    rate = description["gigaflop"] / median / 1000
    print(f"median of {flags.steps} steps: {1000 * median:.2f} ms, {rate:.3g} TFLOP/s")
    print(f"loss: {losses[0]:.6f} at first, {losses[-1]:.6f} after {len(losses)} steps")


if __name__ == "__main__":
    main()

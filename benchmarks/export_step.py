"""Exports the compiled training step, for machines with a GPU and JAX but without TensorFlow.

    python -m benchmarks.export_step --profile=paper --output=step.hlo --values=step.npz
    python benchmarks/run_exported_step.py --step=step.hlo --values=step.npz

The step is one serialized HLO module, as XLA gets it before its own optimisation: loss, gradient and
optimizer. A JSON file beside it, with `.json` at the end, lists inputs, outputs and aliases in their order.
Nothing is compiled here, so that a step of the paper's size needs no GPU.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from absl import flags

from benchmarks.training import step_gigaflop
from benchmarks.training_step import Size, random_batch
from cosembed import specs
from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.writing import atomic_write_bytes, atomic_write_text
from cosembed.models import named_weights
from cosembed.specs import CellsSpec
from cosembed.training.checkpoints import build_network
from cosembed.training.execution import Execution
from cosembed.training.objectives import make_objective
from cosembed.training.optimizers import Optimizer
from cosembed.training.step import make_train_step

FLAGS = flags.FlagValues()
RESULTS = ("loss", "task_loss", "finite")
# One pair of the module's head: {output}: (input, {}, may-alias).
_ALIAS = re.compile(r"\{(\d+)\}: \((\d+), \{\}")

_TEXTS = {
    "dataset": ("DIC-C2DH-HeLa", "Name of a data set of cells."),
    "profile": ("paper", "paper, cpu or smoke."),
    "recipe": ("paper", "paper, released or mia2019."),
    "output": ("step.hlo", "The HLO module to write; the list of its arrays is beside it."),
    "values": ("", "NPZ file to write, with a first value for every input."),
}
for _name, (_default, _help) in _TEXTS.items():
    flags.DEFINE_string(_name, _default, _help, flag_values=FLAGS)
flags.DEFINE_multi_string("set", [], "key=value laid over the spec; repeatable.", flag_values=FLAGS)
flags.DEFINE_bool("mixed_precision", False, "Convolutions in bfloat16.", flag_values=FLAGS)
flags.DEFINE_bool("recompute", False, "Intermediates are computed again, not kept.", flag_values=FLAGS)


class Array(NamedTuple):
    """Describes an input or an output of the step.

    Attributes:
        name: `batch/image` and the like, `step`, `weights/...`, `first_moments/...`, `second_moments/...`; of
            outputs also one of `RESULTS`.
        dtype: As numpy calls it.
        shape: The length of every axis.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]


class ExportedStep(NamedTuple):
    """Holds a compiled step.

    Attributes:
        module: The serialized HLO module.
        inputs: What the module takes, in order.
        outputs: What it returns, in order.
        aliases: (output, input): an output that may take the memory of an input, by their numbers; all but
            `RESULTS` have one, and it is the same array after the step.
        values: A first value for every input, by its name.
    """

    module: bytes
    inputs: Sequence[Array]
    outputs: Sequence[Array]
    aliases: Sequence[tuple[int, int]]
    values: Mapping[str, np.ndarray]


def size_of(spec: CellsSpec) -> Size:
    """Gives the size of a spec's network and clips, as benchmarks describe it."""
    network = spec.network
    return Size(
        network.image_size,
        spec.training.clip_length,
        network.filters,
        network.levels,
        network.outputs,
        spec.instances.maximum,
    )


def export_step(spec: CellsSpec, execution: Execution) -> ExportedStep:
    """Makes the step of a spec for one clip of noise.

    Args:
        spec: The network, its training and its clips.
        execution: Precision and memory; the compiler is XLA, whatever it says.
    """
    execution = Execution(execution.mixed_precision, execution.recompute, "on")
    model = build_network(spec, execution)
    weights = named_weights(model)
    optimizer = Optimizer(list(weights.values()), spec.training)
    function = make_train_step(spec, model, optimizer, execution)
    clip = random_batch(size_of(spec))
    arguments = {name: clip[name] for name in make_objective(spec).signature}, tf.constant(0, tf.int64)
    compiler_ir = function.experimental_get_compiler_ir(*arguments)
    held = {f"weights/{name}": variable for name, variable in weights.items()}
    for moments in ("first_moments", "second_moments"):
        held |= {
            f"{moments}/{name}": variable
            for name, variable in zip(weights, getattr(optimizer, moments), strict=True)
        }
    # XLA's inputs are the arguments in their order, then the variables in the order of their first use.
    names = {id(variable.handle): name for name, variable in held.items()}
    captured = [
        names[id(handle)]
        for handle in function.get_concrete_function().captured_inputs
        if handle.dtype == tf.resource
    ]
    given = {f"batch/{name}": arguments[0][name] for name in sorted(arguments[0])} | {"step": arguments[1]}
    inputs = [_array(name, tensor) for name, tensor in given.items()]
    inputs += [_array(name, held[name]) for name in captured]
    aliases = [(int(output), int(number)) for output, number in _ALIAS.findall(_head(compiler_ir))]
    results = [Array(name, "bool" if name == "finite" else "float32", ()) for name in RESULTS]
    changed = {output: inputs[number] for output, number in aliases}
    return ExportedStep(
        compiler_ir(stage="hlo_serialized"),
        inputs,
        results + [changed[output] for output in sorted(changed)],
        aliases,
        {name: value.numpy() for name, value in (given | {name: held[name] for name in captured}).items()},
    )


def write_step(step: ExportedStep, spec: CellsSpec, output: Path, values: Path | None = None) -> None:
    """Writes the module, the list of its arrays beside it and, where `values` names a file, first values.

    Raises:
        OutputError: A file cannot be written.
    """
    described = {
        "dataset": spec.dataset.name,
        "gigaflop": step_gigaflop(size_of(spec)) * spec.training.batch_size,
        "inputs": [array._asdict() for array in step.inputs],
        "outputs": [array._asdict() for array in step.outputs],
        "aliases": [{"output": output, "input": number} for output, number in step.aliases],
    }
    atomic_write_bytes(output, step.module)
    atomic_write_text(output.with_name(f"{output.name}.json"), json.dumps(described, indent=1) + "\n")
    if values is not None:
        packed = io.BytesIO()
        np.savez(packed, **dict[str, Any](step.values))
        atomic_write_bytes(values, packed.getvalue())


def main() -> None:
    """Exports what the flags name.

    Raises:
        InputError: The spec is not one of cells, or its batch has more than one clip.
    """
    spec = specs.resolve(FLAGS.dataset, FLAGS.recipe, FLAGS.profile, specs.parse_assignments(FLAGS.set))
    if not isinstance(spec, CellsSpec) or spec.training.batch_size != 1:
        raise InputError(
            f"--dataset={FLAGS.dataset}: choose a data set of cells that trains on one clip a step"
        )
    step = export_step(spec, Execution(FLAGS.mixed_precision, FLAGS.recompute))
    write_step(step, spec, Path(FLAGS.output), Path(FLAGS.values) if FLAGS.values else None)
    size = f"{len(step.module) / 1e6:.1f} MB"
    print(f"{FLAGS.output}: {size}, {len(step.inputs)} inputs, {len(step.outputs)} outputs")


def _array(name: str, value: tf.Tensor | tf.Variable) -> Array:
    return Array(name, value.dtype.as_numpy_dtype.__name__, tuple(value.shape))


def _head(compiler_ir: Any) -> str:
    """Gives the first line of the module's text, which holds its aliases."""
    return compiler_ir(stage="hlo").partition("\n")[0]


if __name__ == "__main__":
    command_line.run(main, flag_values=FLAGS)

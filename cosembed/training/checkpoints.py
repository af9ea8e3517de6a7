"""Saving and restoring networks. Knows what a run folder looks like, not how a network is trained."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tensorflow as tf
from absl import logging

from cosembed import specs
from cosembed.errors import CheckpointError, OutputError
from cosembed.models import StackedHourglass, checkpoint_tree, named_weights
from cosembed.training.devices import compiles
from cosembed.training.execution import DEFAULT, Execution
from cosembed.training.run_folder import RunFolder

KEPT = 3
NAME = "step"
# What TensorFlow raises for truncated, foreign and unreadable checkpoints; its reader has no class of its
# own.
UNREADABLE = (tf.errors.OpError, AssertionError, ValueError, IndexError, RuntimeError, OSError)
_PREFIX = re.compile(rf"{NAME}-\d+")
# TensorFlow's name of what it was doing.
_NODE = re.compile(r"\{\{.*?\}\} ")


def build_network(spec: specs.TrainedSpec, execution: Execution = DEFAULT) -> StackedHourglass:
    """Builds the untrained network of a spec, with weights drawn from the spec's seed.

    `execution` matters to training only.
    """
    network = spec.network
    model = StackedHourglass(
        filters=network.filters,
        levels=network.levels,
        outputs=network.outputs,
        recurrent=network.recurrent,
        seed=spec.training.seed,
        variant=network.variant,
        recompute=execution.recompute,
        for_xla=compiles(execution.xla),
        dtype="mixed_bfloat16" if execution.mixed_precision else "float32",
    )
    model.build((None, None, None, None, network.channels))
    return model


def checkpoint_manager(folder: Path, model: StackedHourglass, **parts: Any) -> tf.train.CheckpointManager:
    """The manager of a run's checkpoints of a network and of other parts, such as optimizer and step.

    Removes what a killed run left in the folder.
    """
    _remove_unfinished(folder)
    checkpoint = network_checkpoint(model, **parts)
    return tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=KEPT, checkpoint_name=NAME)


def network_checkpoint(model: StackedHourglass, **parts: Any) -> tf.train.Checkpoint:
    """Makes what saves and restores a network and other parts.

    The names in its files are the same under every version of Keras.
    """
    return tf.train.Checkpoint(model=checkpoint_tree(named_weights(model)), **parts)


def save_checkpoint(manager: tf.train.CheckpointManager, step: int) -> None:
    """Saves a checkpoint; raises `OutputError` if it cannot be written."""
    with written_by_tensorflow(Path(manager.directory)):
        manager.save(checkpoint_number=step)


@contextmanager
def written_by_tensorflow(path: Path) -> Iterator[None]:
    """Turns TensorFlow's own errors of a full disk or a folder that cannot be written into `OutputError`."""
    try:
        yield
    except tf.errors.OpError as error:
        reason = _NODE.sub("", str(error).splitlines()[0]).partition(" [Op:")[0].rpartition("; ")[2]
        raise OutputError(
            f"{path}: cannot be written ({reason}); free space or make it writable, and run the same "
            "command again"
        ) from error


def saved_checkpoints(folder: Path) -> list[str]:
    """Finds the prefixes of a run's checkpoints, newest first, even if TensorFlow's list of them is lost."""
    # TensorFlow writes the index last.
    steps = [
        int(path.stem.removeprefix(f"{NAME}-"))
        for path in folder.glob(f"{NAME}-*.index")
        if _PREFIX.fullmatch(path.stem)
    ]
    return [str(folder / f"{NAME}-{step}") for step in sorted(steps, reverse=True)]


def restore_newest(checkpoint: tf.train.Checkpoint, prefixes: Sequence[str]) -> str | None:
    """Restores the first readable one of some checkpoints, newest first; None if there are none.

    A newest checkpoint that cannot be read (a full disk, a power cut) falls back to the one before, with a
    warning. TensorFlow checks the checksum of every tensor.

    Raises:
        CheckpointError: There are checkpoints, and none can be read.
    """
    reason = ""
    for prefix in prefixes:
        try:
            checkpoint.restore(prefix).assert_existing_objects_matched().expect_partial()
        except UNREADABLE as error:
            reason = str(error).splitlines()[0]
            logging.warning("%s: cannot be restored (%s); trying the one before", prefix, reason)
            continue
        return prefix
    if prefixes:
        raise CheckpointError(
            f"{prefixes[0]}: is damaged or does not fit the run's spec.yaml ({reason}), and no earlier one "
            "can be read; remove the run's folder and train again"
        )
    return None


def load_network(path: Path) -> tuple[StackedHourglass, specs.CellsSpec, int]:
    """A trained tracking network with its spec and the number of iterations it was trained for.

    Args:
        path: A run folder, whose newest readable checkpoint is taken, or one checkpoint of it
            (`RUN/checkpoints/step-2000`, with or without `.index`).

    Raises:
        CheckpointError: No run, no checkpoint, a checkpoint that does not fit the run's spec, or a spec of a
            newer version of the package.
        SpecError: The run is one of another task.
    """
    return load_network_as(specs.CellsSpec, path)


def load_network_as(kind: type[specs.TaskSpec], path: Path) -> tuple[StackedHourglass, specs.TaskSpec, int]:
    """As `load_network`, for a run of any one task."""
    prefixes, run = _locate(path)
    spec = run.read_spec(kind)
    model = build_network(spec)
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    restore_newest(network_checkpoint(model, step=step), prefixes)
    return model, spec, int(step.numpy())


def _locate(path: Path) -> tuple[list[str], RunFolder]:
    if path.is_dir():
        run = RunFolder(path)
        prefixes = saved_checkpoints(run.checkpoints)
        if not run.spec_file.exists() or not prefixes:
            raise CheckpointError(
                f"{path}: holds no trained network (spec.yaml and checkpoints/); give the folder of a run"
            )
        return prefixes, run
    prefix = str(path).removesuffix(".index")
    run = RunFolder(Path(prefix).parent.parent)
    if not Path(prefix + ".index").exists():
        raise CheckpointError(f"{path}: no such run folder or checkpoint; give the folder of a trained run")
    if not run.spec_file.exists():
        raise CheckpointError(
            f"{path}: the checkpoint's spec {run.spec_file} is missing; keep a run folder in one piece"
        )
    return [prefix], run


def _remove_unfinished(folder: Path) -> None:
    """TensorFlow's temporary files, and data whose index never came or was removed first."""
    for path in [
        *folder.glob(f"{NAME}-*_temp"),
        *folder.glob("*.tempstate*"),
        *folder.glob("checkpoint.tmp*"),
    ]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in folder.glob(f"{NAME}-*.data-*"):
        if not path.with_suffix(".index").exists():
            path.unlink()

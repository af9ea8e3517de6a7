"""Saving and restoring networks. Knows what a run folder looks like, not how a network is trained."""

from __future__ import annotations

from pathlib import Path

import tensorflow as tf
from absl import logging

from cosembed import specs
from cosembed.errors import CheckpointError
from cosembed.models import StackedHourglass
from cosembed.training.execution import DEFAULT, Execution
from cosembed.training.run_folder import RunFolder

KEPT = 3
# What TensorFlow raises for truncated, foreign and unreadable checkpoints; its reader has no class of its own.
UNREADABLE = (tf.errors.OpError, AssertionError, ValueError, IndexError, RuntimeError, OSError)


def build_network(spec: specs.TrainedSpec, execution: Execution = DEFAULT) -> StackedHourglass:
    """The untrained network of a spec, weights drawn from the spec's seed; `execution` matters to training only."""
    network = spec.network
    model = StackedHourglass(
        filters=network.filters,
        levels=network.levels,
        outputs=network.outputs,
        recurrent=network.recurrent,
        seed=spec.training.seed,
        variant=network.variant,
        recompute=execution.recompute,
        dtype="mixed_bfloat16" if execution.mixed_precision else "float32",
    )
    model.build((None, None, None, None, network.channels))
    return model


def checkpoint_manager(folder: Path, **parts: tf.__internal__.tracking.Trackable) -> tf.train.CheckpointManager:
    """The manager of a run's checkpoints; `parts` are what is saved (model, optimizer, step)."""
    return tf.train.CheckpointManager(tf.train.Checkpoint(**parts), str(folder), max_to_keep=KEPT, checkpoint_name="step")


def restore_newest(manager: tf.train.CheckpointManager) -> str | None:
    """Restores the newest readable checkpoint and returns its path, or None if there is none.

    A newest checkpoint that cannot be read (a full disk, a power cut) falls back to the one before, with a warning.

    Raises:
        CheckpointError: There are checkpoints, and none can be read.
    """
    prefixes = list(reversed(manager.checkpoints))
    for prefix in prefixes:
        try:
            manager.checkpoint.restore(prefix).assert_existing_objects_matched().expect_partial()
        except UNREADABLE as error:
            logging.warning("%s: cannot be restored (%s); trying the one before", prefix, str(error).splitlines()[0])
            continue
        return str(prefix)
    if prefixes:
        raise CheckpointError(f"{prefixes[0]}: no checkpoint of this run can be read; remove the folder and train again")
    return None


def load_network(path: Path) -> tuple[StackedHourglass, specs.ExperimentSpec, int]:
    """A trained tracking network with its spec and the number of iterations it was trained for.

    Args:
        path: A run folder, or one checkpoint of it (`RUN/checkpoints/step-2000`, with or without `.index`).

    Raises:
        CheckpointError: No run, no checkpoint, or a checkpoint that does not fit the run's spec.
        SpecError: The run is one of another task.
    """
    return load_network_as(specs.ExperimentSpec, path)


def load_network_as(kind: type[specs.Kind], path: Path) -> tuple[StackedHourglass, specs.Kind, int]:
    """As `load_network`, for a run of any one task."""
    prefix, run = _locate(path)
    spec = specs.load_as(kind, run.spec_file)
    model = build_network(spec)
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    try:
        status = tf.train.Checkpoint(model=model, step=step).restore(prefix)
        status.assert_existing_objects_matched().expect_partial()
    except UNREADABLE as error:
        reason = str(error).splitlines()[0]
        raise CheckpointError(f"{prefix}: does not fit {run.spec_file} or is damaged ({reason}); train again") from error
    return model, spec, int(step.numpy())


def _locate(path: Path) -> tuple[str, RunFolder]:
    if path.is_dir():
        run = RunFolder(path)
        newest = tf.train.latest_checkpoint(str(run.checkpoints)) if run.checkpoints.is_dir() else None
        if not run.spec_file.exists() or newest is None:
            raise CheckpointError(f"{path}: holds no trained network (spec.yaml and checkpoints/); give the folder of a run")
        return newest, run
    prefix = str(path).removesuffix(".index")
    run = RunFolder(Path(prefix).parent.parent)
    if not Path(prefix + ".index").exists():
        raise CheckpointError(f"{path}: no such run folder or checkpoint; give the folder of a trained run")
    if not run.spec_file.exists():
        raise CheckpointError(f"{path}: the checkpoint's spec {run.spec_file} is missing; keep a run folder in one piece")
    return prefix, run

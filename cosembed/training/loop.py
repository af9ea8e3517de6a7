"""Trains a network: clips in, checkpoints out. Knows nothing of files of videos, clustering or scores.

Everything that decides a step is a function of the spec and the step's number: the batch
(`BatchSource.batch`), the learning rate, and the saved weights and moments. A run that is interrupted and
started again therefore ends with the same weights as one that was not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging
from numpy.typing import NDArray

from cosembed.batches.pipeline import BatchSource, iterate_batches
from cosembed.errors import TrainingError
from cosembed.models import StackedHourglass, named_weights
from cosembed.specs import TrainedSpec
from cosembed.training.checkpoints import (
    build_network,
    checkpoint_manager,
    restore_newest,
    save_checkpoint,
    saved_checkpoints,
    written_by_tensorflow,
)
from cosembed.training.execution import DEFAULT, Execution
from cosembed.training.interruption import postponed_interruption
from cosembed.training.optimizers import Optimizer, learning_rate
from cosembed.training.progress import Progress
from cosembed.training.replicas import lost_hosts_reported, replicas_of
from cosembed.training.run_folder import Record, RunFolder
from cosembed.training.step import make_train_step

# A checkpoint is saved at least as often, however rarely the spec asks for one.
SAVE_SECONDS = 600.0
# What TensorBoard shows of a record.
SCALARS = ("loss", "task_loss", "learning_rate", "seconds", "waiting")

# (outputs of both hourglasses, batch) -> RGB uint8 [H, W, 3].
DrawPicture = Callable[[tuple[tf.Tensor, tf.Tensor], Mapping[str, tf.Tensor]], NDArray[np.uint8]]


def train(
    spec: TrainedSpec,
    source: BatchSource,
    run: RunFolder,
    title: str = "train",
    execution: Execution = DEFAULT,
    draw_picture: DrawPicture | None = None,
    start_weights: Mapping[str, NDArray[np.float32]] | None = None,
) -> StackedHourglass:
    """Trains until the spec's last iteration, continuing where an earlier start of the same run stopped.

    A checkpoint is saved every `training.checkpoint_every` steps, after ten minutes without one, and when
    SIGINT or SIGTERM asks the program to end, which it then does after the running step.

    Args:
        spec: The resolved spec, already written to `run` by `RunFolder.open`.
        source: Gives the batch of every step.
        run: Where checkpoints, history and TensorBoard files go. With several hosts the chief alone reads and
            writes there.
        title: What the progress bar is called.
        execution: Precision, memory, compiler, and the devices that share every batch.
        draw_picture: Draws what the network makes of a batch, for TensorBoard; None: there are scalars only.
        start_weights: The weights before the first step, by the names of `named_weights`; None: they are
            drawn from the spec's seed.

    Returns:
        The trained network.

    Raises:
        InputError: A batch cannot be shared equally by the devices.
        TrainingError: The loss or a gradient is not finite; names the step, the clip's seed and the last
            checkpoint. Or another host no longer answers.
        KeyboardInterrupt: Ctrl-C; what was trained is saved.
        OutputError: A checkpoint cannot be written.
    """
    replicas = replicas_of(execution)
    replicas.check_batch(spec.training.batch_size)
    with lost_hosts_reported(replicas, title):
        state = _restore(spec, run, title, execution, start_weights)
        if int(state.step.numpy()) < spec.training.iterations:
            _train(spec, source, run, title, execution, draw_picture, state)
    return state.model


class _TrainingState(NamedTuple):
    """Holds what a checkpoint saves, and the manager that saves it; `step` is the number of steps done.

    There is no manager on hosts that are not the chief.
    """

    model: StackedHourglass
    optimizer: Optimizer
    step: tf.Variable
    manager: tf.train.CheckpointManager | None


def _train(
    spec: TrainedSpec,
    source: BatchSource,
    run: RunFolder,
    title: str,
    execution: Execution,
    draw_picture: DrawPicture | None,
    state: _TrainingState,
) -> None:
    """Takes the steps that are left."""
    replicas = replicas_of(execution)
    start, total = int(state.step.numpy()), spec.training.iterations
    journal = _Journal(run, start) if state.manager else None
    train_step = make_train_step(spec, state.model, state.optimizer, execution)
    with postponed_interruption() as interruption, Progress(total, start, title) as progress:
        begin = saved = time.perf_counter()
        for batch in iterate_batches(source, start, total):
            waited = time.perf_counter() - begin
            number = int(state.step.assign_add(1).numpy())
            loss, task_loss, finite = train_step(batch, state.step - 1)
            if not finite:
                checkpoint = state.manager.latest_checkpoint if state.manager else "the chief's"
                raise TrainingError(_not_finite(number, source, checkpoint))
            is_last = replicas.any_host(interruption.is_noted)
            end = time.perf_counter()
            seconds = end - begin
            progress.update(number, float(loss), seconds, waited)
            begin = end
            if journal is not None and state.manager is not None:
                rate = float(learning_rate(spec.training, number - 1))
                waiting = round(waited / seconds, 4)
                journal.add(Record(number, float(loss), float(task_loss), rate, round(seconds, 4), waiting))
                is_regular = number % spec.training.checkpoint_every == 0 or number == total
                if is_regular or is_last or end - saved >= SAVE_SECONDS:
                    draw = draw_picture if is_regular else None
                    journal.write(draw(state.model(batch["image"]), batch) if draw else None)
                    save_checkpoint(state.manager, number)
                    begin = saved = time.perf_counter()
            if is_last:
                logging.info("%s: interrupted; step %d of %d is saved", title, number, total)
                break


def _restore(
    spec: TrainedSpec,
    run: RunFolder,
    title: str,
    execution: Execution,
    start_weights: Mapping[str, NDArray[np.float32]] | None,
) -> _TrainingState:
    """Builds a new network, or the one of the newest readable checkpoint."""
    replicas = replicas_of(execution)
    with replicas.scope():
        model = build_network(spec, execution)
        named = named_weights(model)
        for name, values in (start_weights or {}).items():
            named[name].assign(values)
        weights = list(named.values())
        optimizer = Optimizer(weights, spec.training)
    step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
    manager = None
    if replicas.is_chief:
        manager = checkpoint_manager(
            run.checkpoints, model=model, optimizer=optimizer.checkpoint(), step=step
        )
        restored = restore_newest(manager.checkpoint, saved_checkpoints(run.checkpoints))
        if restored:
            done, total = int(step.numpy()), spec.training.iterations
            logging.info("%s: continues at step %d of %d (%s)", title, done, total, restored)
    replicas.take_over([*weights, *optimizer.first_moments, *optimizer.second_moments], step)
    return _TrainingState(model, optimizer, step, manager)


class _Journal:
    """Keeps a run's history.csv and its TensorBoard files, which are written together with a checkpoint."""

    def __init__(self, run: RunFolder, start: int) -> None:
        """Takes over what was recorded up to step `start`, from which the run continues."""
        self._run = run
        # An interrupted run may have recorded steps that it did not save.
        self._records = [record for record in run.read_history() if record.step <= start]
        self._written = len(self._records)
        with written_by_tensorflow(run.tensorboard):
            self._writer = tf.summary.create_file_writer(str(run.tensorboard))

    def add(self, record: Record) -> None:
        """Notes a step."""
        self._records.append(record)

    def write(self, picture: NDArray[np.uint8] | None) -> None:
        """Writes what was noted since the last time, and a picture uint8 [H, W, 3] if there is one."""
        self._run.write_history(self._records)
        with written_by_tensorflow(self._run.tensorboard), self._writer.as_default():
            for record in self._records[self._written :]:
                for name in SCALARS:
                    if (value := getattr(record, name)) is not None:
                        tf.summary.scalar(name, value, step=record.step)
            if picture is not None:
                tf.summary.image("first frames", picture[None], step=self._records[-1].step)
        self._written = len(self._records)


def _not_finite(step: int, source: BatchSource, checkpoint: str | None) -> str:
    return (
        f"the loss or a gradient is not finite at step {step} (clip {step - 1}, seed {source.seed}); the "
        f"last good checkpoint is {checkpoint or 'none'}. Lower training.learning_rate or set "
        "training.gradient_clip, and train again"
    )

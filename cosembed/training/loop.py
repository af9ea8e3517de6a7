"""The training loop: clips in, checkpoints out. Knows nothing of files of videos, clustering or scores.

Everything that decides a step is a function of the spec and the step's number: the batch (`BatchSource.batch`), the
learning rate, and the saved weights and moments. A run that is interrupted and started again therefore ends with the
same weights as one that was not.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging
from numpy.typing import NDArray

from cosembed.batches.pipeline import BatchSource, batch_dataset
from cosembed.errors import TrainingError
from cosembed.losses import l2_penalty
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
from cosembed.training.optimizers import Optimizer, learning_rate
from cosembed.training.progress import Progress
from cosembed.training.run_folder import Record, RunFolder
from cosembed.training.tasks import make_task


def train(
    spec: TrainedSpec,
    source: BatchSource,
    run: RunFolder,
    title: str = "train",
    execution: Execution = DEFAULT,
) -> StackedHourglass:
    """Trains until the spec's last iteration, continuing where an earlier start of the same run stopped.

    Args:
        spec: The resolved spec, already written to `run` by `RunFolder.open`.
        source: Gives the batch of every step.
        run: Where checkpoints, history and TensorBoard files go.
        title: What the progress bar is called.
        execution: Precision and memory.

    Returns:
        The trained network.

    Raises:
        TrainingError: The loss or a gradient is not finite; names the step, the clip's seed and the last checkpoint.
        OutputError: A checkpoint cannot be written.
    """
    model = build_network(spec, execution)
    optimizer = Optimizer(list(named_weights(model).values()), spec.training)
    saved_step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
    manager = checkpoint_manager(
        run.checkpoints, model=model, optimizer=optimizer.checkpoint(), step=saved_step
    )
    restored = restore_newest(manager.checkpoint, saved_checkpoints(run.checkpoints))
    start, total = int(saved_step.numpy()), spec.training.iterations
    if restored:
        logging.info("%s: continues at step %d of %d (%s)", title, start, total, restored)
    if start >= total:
        return model
    # An interrupted run may have recorded steps that it did not save.
    history = [record for record in run.read_history() if record.step <= start]
    recorded = len(history)
    step_function = make_train_step(spec, model, optimizer)
    with written_by_tensorflow(run.tensorboard):
        writer = tf.summary.create_file_writer(str(run.tensorboard))
    task = make_task(spec)
    with Progress(total, start, title) as progress:
        begin = time.perf_counter()
        for batch in batch_dataset(source, start, total):
            step = saved_step.assign_add(1)
            number = int(step.numpy())
            loss, task_loss, finite = step_function(batch, step - 1)
            if not finite:
                raise TrainingError(_not_finite(number, source, manager.latest_checkpoint))
            end = time.perf_counter()
            rate = float(learning_rate(spec.training, number - 1))
            history.append(Record(number, float(loss), float(task_loss), rate, round(end - begin, 4)))
            progress.update(number, float(loss), end - begin)
            begin = end
            if number % spec.training.checkpoint_every == 0 or number == total:
                run.write_history(history)
                picture = task.picture(model(batch["image"]), batch)
                with written_by_tensorflow(run.tensorboard), writer.as_default():
                    _summarise(history[recorded:], np.asarray(picture))
                recorded = len(history)
                save_checkpoint(manager, number)
                begin = time.perf_counter()
    return model


def make_train_step(spec: TrainedSpec, model: StackedHourglass, optimizer: Optimizer) -> Any:
    """One optimisation step as a graph: (batch, 0-based step) -> (loss with L2 term, the task's loss, all finite).

    Weights change only if the loss and all gradients are finite. Clips of any number of frames share one trace.
    """
    task, variables = make_task(spec), list(named_weights(model).values())

    # Nothing here is Python control flow over tensors; translating it would cost a quarter of the time to the first step.
    @tf.function(input_signature=[task.signature, tf.TensorSpec([], tf.int64)], autograph=False)
    def train_step(batch: dict[str, tf.Tensor], step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            task_loss = task.loss(model(batch["image"], training=True), batch)
            loss = task_loss + l2_penalty(variables, spec.training.weight_decay)
        gradients = tape.gradient(loss, variables)
        finite = tf.math.is_finite(loss) & tf.math.is_finite(tf.linalg.global_norm(gradients))
        tf.cond(finite, lambda: optimizer.apply(gradients, step), lambda: None)
        return loss, task_loss, finite

    return train_step


def _summarise(records: list[Record], picture: NDArray[np.uint8]) -> None:
    for record in records:
        for name in ("loss", "task_loss", "learning_rate", "seconds"):
            tf.summary.scalar(name, getattr(record, name), step=record.step)
    tf.summary.image("first frames", picture[None], step=records[-1].step)


def _not_finite(step: int, source: BatchSource, checkpoint: str | None) -> str:
    return (
        f"the loss or a gradient is not finite at step {step} (clip {step - 1}, seed {source.seed}); the last good "
        f"checkpoint is {checkpoint or 'none'}. Lower training.learning_rate or set training.gradient_clip, and train again"
    )

"""The training loop: clips in, checkpoints out. Knows nothing of files of videos, clustering or scores.

Everything that decides a step is a function of the spec and the step's number: the clip (`ClipSource.clips`), the
learning rate, and the saved weights and moments. A run that is interrupted and started again therefore ends with the
same weights as one that was not.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from cosembed.data.clips import ClipSource, clip_dataset
from cosembed.errors import TrainingError
from cosembed.losses import embedding_loss, l2_penalty
from cosembed.models import StackedHourglass
from cosembed.reporting.overlays import training_picture
from cosembed.specs import ExperimentSpec
from cosembed.training.checkpoints import build_network, checkpoint_manager, restore_newest
from cosembed.training.optimizers import Optimizer, learning_rate
from cosembed.training.progress import Progress
from cosembed.training.run_folder import Record, RunFolder

PICTURE_FRAMES = 5


def train(spec: ExperimentSpec, source: ClipSource, run: RunFolder, title: str = "train") -> StackedHourglass:
    """Trains until the spec's last iteration, continuing where an earlier start of the same run stopped.

    Args:
        spec: The resolved spec, already written to `run` by `RunFolder.open`.
        source: Gives the clip of every step.
        run: Where checkpoints, history and TensorBoard files go.
        title: What the progress bar is called.

    Returns:
        The trained network.

    Raises:
        TrainingError: The loss or a gradient is not finite; names the step, the clip's seed and the last checkpoint.
    """
    model = build_network(spec)
    optimizer = Optimizer(model.trainable_variables, spec.training)
    saved_step = tf.Variable(0, dtype=tf.int64, trainable=False, name="step")
    manager = checkpoint_manager(run.checkpoints, model=model, optimizer=optimizer, step=saved_step)
    restored = restore_newest(manager)
    start, total = int(saved_step.numpy()), spec.training.iterations
    if restored:
        logging.info("%s: continues at step %d of %d (%s)", title, start, total, restored)
    if start >= total:
        return model
    run.keep_history(start)
    step_function = make_train_step(spec, model, optimizer)
    writer = tf.summary.create_file_writer(str(run.tensorboard))
    records: list[Record] = []
    with Progress(total, start, title) as progress, writer.as_default():
        begin = time.perf_counter()
        for batch in clip_dataset(source, start, total):
            step = saved_step.assign_add(1)
            number = int(step.numpy())
            loss, embedding, finite = step_function(batch, step - 1)
            if not finite:
                raise TrainingError(_not_finite(number, source, manager.latest_checkpoint))
            end = time.perf_counter()
            rate = float(learning_rate(spec.training, number - 1))
            records.append(Record(number, float(loss), float(embedding), rate, round(end - begin, 4)))
            progress.update(number, float(loss), end - begin)
            begin = end
            if number % spec.training.checkpoint_every == 0 or number == total:
                run.append_history(records)
                _summarise(records, batch, model)
                records = []
                manager.save(checkpoint_number=number)
                begin = time.perf_counter()
    return model


def make_train_step(spec: ExperimentSpec, model: StackedHourglass, optimizer: Optimizer) -> Any:
    """One optimisation step as a graph: (batch, 0-based step) -> (loss with L2 term, embedding loss, all finite).

    Weights change only if the loss and all gradients are finite. Clips of any number of frames share one trace.
    """
    network, variables = spec.network, model.trainable_variables
    side = network.image_size

    def shape(channels: int | None, dtype: tf.DType) -> tf.TensorSpec:
        return tf.TensorSpec([None, None, side, side, channels], dtype)

    signature = [
        {
            "image": shape(network.channels, tf.float32),
            "instances": shape(None, tf.uint8),
            "background": shape(1, tf.uint8),
            "labels": tf.TensorSpec([None, None, side, side], tf.uint16),
        },
        tf.TensorSpec([], tf.int64),
    ]

    @tf.function(input_signature=signature)
    def train_step(batch: dict[str, tf.Tensor], step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            outputs = model(batch["image"], training=True)
            embedding = embedding_loss(outputs, batch["instances"], batch["background"], spec.instances.background)
            loss = embedding + l2_penalty(variables, spec.training.weight_decay)
        gradients = tape.gradient(loss, variables)
        finite = tf.math.is_finite(loss) & tf.math.is_finite(tf.linalg.global_norm(gradients))
        if finite:
            optimizer.apply(gradients, step)
        return loss, embedding, finite

    return train_step


def _summarise(records: list[Record], batch: dict[str, tf.Tensor], model: StackedHourglass) -> None:
    for record in records:
        for name in ("loss", "embedding_loss", "learning_rate", "seconds"):
            tf.summary.scalar(name, getattr(record, name), step=record.step)
    image = batch["image"][:1, :PICTURE_FRAMES]
    embeddings = tf.math.l2_normalize(model(image)[-1], axis=-1)
    picture = training_picture(image[0].numpy(), embeddings[0].numpy(), batch["labels"][0, :PICTURE_FRAMES].numpy())
    tf.summary.image("input, embeddings, instances", np.asarray(picture)[None], step=records[-1].step)


def _not_finite(step: int, source: ClipSource, checkpoint: str | None) -> str:
    return (
        f"the loss or a gradient is not finite at step {step} (clip {step - 1}, seed {source.seed}); the last good "
        f"checkpoint is {checkpoint or 'none'}. Lower training.learning_rate or set training.gradient_clip, and train again"
    )

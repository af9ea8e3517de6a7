"""What differs between the tasks in one training step: the batch, the loss, the picture. Knows no files and no optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cosembed.losses import cross_entropy_loss, embedding_loss
from cosembed.reporting.overlays import class_picture, training_picture
from cosembed.specs import ExperimentSpec, LeafSpec, SemanticSpec, TrainedSpec

Batch = dict[str, tf.Tensor]
Outputs = tuple[tf.Tensor, tf.Tensor]
PICTURE_FRAMES = 5


class Task(NamedTuple):
    """A task for one spec.

    Attributes:
        signature: Of a batch; `image` float32 [B, T, N, N, C] is in each.
        loss: (outputs of both hourglasses, batch) -> scalar, without the L2 term.
        picture: (outputs, batch) -> uint8 [H, W, 3] of the first frames, for TensorBoard.
    """

    signature: dict[str, tf.TensorSpec]
    loss: Callable[[Outputs, Batch], tf.Tensor]
    picture: Callable[[Outputs, Batch], NDArray[np.uint8]]


def make_task(spec: TrainedSpec) -> Task:
    """The task of a spec."""
    side = spec.network.image_size

    def tensor(*channels: int | None, dtype: tf.DType) -> tf.TensorSpec:
        return tf.TensorSpec([None, None, side, side, *channels], dtype)

    image = {"image": tensor(spec.network.channels, dtype=tf.float32)}
    if isinstance(spec, SemanticSpec):
        return Task(image | {"classes": tensor(dtype=tf.uint8)}, _semantic_loss, _semantic_picture)
    assert isinstance(spec, ExperimentSpec | LeafSpec)
    background = spec.instances.background
    masks = {"instances": tensor(None, dtype=tf.uint8), "background": tensor(1, dtype=tf.uint8)}
    return Task(
        image | masks | {"labels": tensor(dtype=tf.uint16)},
        lambda outputs, batch: embedding_loss(outputs, batch["instances"], batch["background"], background),
        _embedding_picture,
    )


def _semantic_loss(outputs: Outputs, batch: Batch) -> tf.Tensor:
    return tf.add_n([cross_entropy_loss(logits, batch["classes"]) for logits in outputs])


def _semantic_picture(outputs: Outputs, batch: Batch) -> NDArray[np.uint8]:
    found = tf.argmax(_first_frames(outputs[-1]), axis=-1).numpy()
    return class_picture(
        _first_frames(batch["image"]).numpy(), found, _first_frames(batch["classes"]).numpy()
    )


def _embedding_picture(outputs: Outputs, batch: Batch) -> NDArray[np.uint8]:
    embeddings = tf.math.l2_normalize(_first_frames(outputs[-1]), axis=-1).numpy()
    return training_picture(
        _first_frames(batch["image"]).numpy(), embeddings, _first_frames(batch["labels"]).numpy()
    )


def _first_frames(tensor: tf.Tensor) -> tf.Tensor:
    """Up to five frames of the batch, whether they are of one clip or single images."""
    return tf.reshape(tensor, tf.concat([[-1], tf.shape(tensor)[2:]], axis=0))[:PICTURE_FRAMES]

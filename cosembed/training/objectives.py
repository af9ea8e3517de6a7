"""Says what differs between the specs in one training step: the batch and the loss.

This module knows no files and no optimizer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from cosembed.batches.mask_codes import packed_words, unpack_masks
from cosembed.losses import count_elements, count_labelled, cross_entropy_loss, embedding_loss
from cosembed.specs import CellsSpec, HeartSpec, LeavesSpec, TrainedSpec

Batch = dict[str, tf.Tensor]
Outputs = tuple[tf.Tensor, tf.Tensor]


class TrainingObjective(NamedTuple):
    """Holds what a network learns from a batch.

    Attributes:
        signature: The tensors of a batch; `image` float32 [B, T, N, N, C] is always among them.
        loss: (outputs of both hourglasses, batch, counts) -> scalar, without the L2 term. Counts are None;
            or, where the batch is a share of a larger one, what `count` gives for that one, and the losses of
            all shares add up to its loss.
        count: (batch) -> float32 [K], of how many clips or pixels the loss takes its means; the counts of all
            shares of a batch add up to those of the batch.
    """

    signature: dict[str, tf.TensorSpec]
    loss: Callable[[Outputs, Batch, tf.Tensor | None], tf.Tensor]
    count: Callable[[Batch], tf.Tensor]


def make_objective(spec: TrainedSpec) -> TrainingObjective:
    """Makes the training objective of a spec: semantic classes of a heart, instances of everything else."""
    side = spec.network.image_size

    def tensor(*channels: int | None, dtype: tf.DType) -> tf.TensorSpec:
        return tf.TensorSpec([None, None, side, side, *channels], dtype)

    image = {"image": tensor(spec.network.channels, dtype=tf.float32)}
    if isinstance(spec, HeartSpec):
        signature = image | {"classes": tensor(dtype=tf.uint8)}
        return TrainingObjective(signature, _semantic_loss, _count_pixels)
    assert isinstance(spec, CellsSpec | LeavesSpec)
    maximum, background = spec.instances.maximum, spec.instances.background
    coded = {
        "codes": tensor(dtype=tf.uint16),
        "code_labels": tf.TensorSpec([None, None], tf.uint16),
        "code_masks": tf.TensorSpec([None, None, packed_words(maximum + 1)], tf.int32),
    }

    def masks(batch: Batch) -> tuple[tf.Tensor, tf.Tensor]:
        return unpack_masks(batch["codes"], batch["code_masks"], maximum)

    def instance_loss(outputs: Outputs, batch: Batch, counts: tf.Tensor | None) -> tf.Tensor:
        return embedding_loss(outputs, *masks(batch), background, counts, spec.instances.own_pixels)

    def count_instances(batch: Batch) -> tf.Tensor:
        return count_elements(*masks(batch), background)

    return TrainingObjective(image | coded, instance_loss, count_instances)


def _semantic_loss(outputs: Outputs, batch: Batch, counts: tf.Tensor | None) -> tf.Tensor:
    pixels = None if counts is None else counts[0]
    return tf.add_n([cross_entropy_loss(logits, batch["classes"], pixels) for logits in outputs])


def _count_pixels(batch: Batch) -> tf.Tensor:
    return count_labelled(batch["classes"])[None]

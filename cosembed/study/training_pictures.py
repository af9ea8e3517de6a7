"""Draws what a network makes of a batch while it trains, for TensorBoard.

This module knows batches, not how a network is trained.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cosembed.reporting import overlays

SHOWN_FRAMES = 5
Outputs = tuple[tf.Tensor, tf.Tensor]


def embedding_picture(outputs: Outputs, batch: Mapping[str, tf.Tensor]) -> NDArray[np.uint8]:
    """Draws input, embeddings and true instances below each other.

    Args:
        outputs: Raw embeddings of both hourglasses, float [B, T, N, N, D]; the second one's are shown.
        batch: `image` float [B, T, N, N, C], `codes` [B, T, N, N] and `code_labels` [B, R].

    Returns:
        RGB uint8 [3 N, frames N, 3].
    """
    embeddings = tf.math.l2_normalize(_first_frames(outputs[-1]), axis=-1).numpy()
    labels = tf.gather(
        tf.cast(batch["code_labels"], tf.int32), tf.cast(batch["codes"], tf.int32), batch_dims=1
    )
    return overlays.training_picture(
        _first_frames(batch["image"]).numpy(), embeddings, _first_frames(labels).numpy()
    )


def class_picture(outputs: Outputs, batch: Mapping[str, tf.Tensor]) -> NDArray[np.uint8]:
    """Draws input, classes found and true classes below each other.

    Args:
        outputs: Logits of both hourglasses, float [B, T, N, N, K]; the second one's are shown.
        batch: `image` float [B, T, N, N, C] and `classes` [B, T, N, N].

    Returns:
        RGB uint8 [3 N, frames N, 3].
    """
    found = tf.argmax(_first_frames(outputs[-1]), axis=-1).numpy()
    return overlays.class_picture(
        _first_frames(batch["image"]).numpy(), found, _first_frames(batch["classes"]).numpy()
    )


def _first_frames(tensor: tf.Tensor) -> tf.Tensor:
    """Gives up to five frames of a batch, whether they are of one clip or single images."""
    return tf.reshape(tensor, tf.concat([[-1], tf.shape(tensor)[2:]], axis=0))[:SHOWN_FRAMES]

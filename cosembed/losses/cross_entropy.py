"""Softmax cross entropy of semantic segmentation (paper section 3, "Left Ventricle Segmentation"). Knows tensors only."""

from __future__ import annotations

import tensorflow as tf

from cosembed.preprocessing.label_values import UNLABELLED


def cross_entropy_loss(logits: tf.Tensor, classes: tf.Tensor) -> tf.Tensor:
    """Mean over all labelled pixels.

    Args:
        logits: float [B, T, H, W, K]; computed with in float32 whatever their type.
        classes: uint8 [B, T, H, W]; 0..K-1, or 255 for pixels without a label.

    Returns:
        float32 scalar; 0 if no pixel has a label.

    Raises:
        ValueError: The leading dimensions differ.
    """
    logits, classes = tf.convert_to_tensor(logits), tf.convert_to_tensor(classes)
    if (
        logits.shape.rank != 5
        or classes.shape.rank != 4
        or not logits.shape[:4].is_compatible_with(classes.shape)
    ):
        raise ValueError(
            "Logits must be [B, T, H, W, K] and classes [B, T, H, W] with equal B, T, H, W. "
            f"Received shapes: {logits.shape} and {classes.shape}"
        )
    labelled = tf.not_equal(classes, UNLABELLED)
    targets = tf.where(labelled, tf.cast(classes, tf.int32), 0)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, tf.cast(logits, tf.float32))
    weights = tf.cast(labelled, tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(losses * weights), tf.reduce_sum(weights))

"""Computes the softmax cross entropy of left ventricle segmentation (paper section 3). Knows tensors only."""

from __future__ import annotations

import tensorflow as tf

from cosembed.preprocessing.label_values import UNLABELLED


def cross_entropy_loss(logits: tf.Tensor, classes: tf.Tensor, pixels: tf.Tensor | None = None) -> tf.Tensor:
    """Averages the cross entropy over all labelled pixels of a batch.

    Args:
        logits: float [B, T, H, W, K], one number for each of K classes; they are cast to float32 before
            anything is computed.
        classes: uint8 [B, T, H, W]: the true class 0..K-1, or `UNLABELLED` at pixels of frames without
            labels.
        pixels: What `count_labelled` gives for a whole batch of which these clips are a share; the losses of
            all shares then add up to that of the batch. None: these clips are the batch.

    Returns:
        float32 scalar; 0 if no pixel has a label.

    Raises:
        ValueError: The rank of logits is not 5, that of classes is not 4, or B, T, H, W differ.
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
    labelled = _labelled(classes)
    targets = tf.where(labelled, tf.cast(classes, tf.int32), 0)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, tf.cast(logits, tf.float32))
    weights = tf.cast(labelled, tf.float32)
    pixels = tf.reduce_sum(weights) if pixels is None else pixels
    return tf.math.divide_no_nan(tf.reduce_sum(losses * weights), pixels)


def count_labelled(classes: tf.Tensor) -> tf.Tensor:
    """Counts the pixels that have a label.

    Args:
        classes: As for `cross_entropy_loss`.

    Returns:
        float32 scalar.
    """
    return tf.reduce_sum(tf.cast(_labelled(classes), tf.float32))


def _labelled(classes: tf.Tensor) -> tf.Tensor:
    return tf.not_equal(classes, UNLABELLED)

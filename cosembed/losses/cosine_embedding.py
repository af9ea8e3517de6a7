"""The cosine embedding loss (paper section 2.2). Knows tensors only.

    L = mean over instances i of [1 - mean over S(i) of cos(m_i, e_p)] + [mean over N(i) of cos(m_i, e_p)^2]

S(i) are the instance's pixels in all frames, N(i) its neighbours', e_p a pixel's embedding, m_i the mean of the raw e_p over
S(i).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import tensorflow as tf

from cosembed.preprocessing.label_values import NEIGHBOUR, OWN

# Under the square root of a squared length: an embedding of zero gets direction zero, and gradients stay finite.
EPSILON = 1e-12


class Masks(NamedTuple):
    """S(i) and N(i) as float32 [B, P, I] of 0 and 1, and how many pixels they have, [B, I]."""

    own: tf.Tensor
    neighbour: tf.Tensor
    own_pixels: tf.Tensor
    neighbour_pixels: tf.Tensor


def cosine_embedding_loss(embeddings: tf.Tensor, instances: tf.Tensor) -> tf.Tensor:
    """Pulls the embeddings of an instance together and pushes those of its neighbours to right angles.

    Args:
        embeddings: float [B, T, H, W, D], raw network outputs; computed with in float32 whatever their type.
        instances: int [B, T, H, W, I]; per instance: 1 its own pixels, 2 its neighbours' pixels, 0 neither. An instance
            without own pixels in a batch element is padding there. Still images are [B, 1, H, W, ...].

    Returns:
        float32 scalar: per batch element the mean over its present instances, then the mean over the elements that have
        any; 0 if none has. An empty N contributes 0.

    Raises:
        ValueError: Ranks other than 5, or leading dimensions that differ.
    """
    embeddings, instances = tf.convert_to_tensor(embeddings), tf.convert_to_tensor(instances)
    if (
        embeddings.shape.rank != 5
        or instances.shape.rank != 5
        or not embeddings.shape[:4].is_compatible_with(instances.shape[:4])
    ):
        raise ValueError(
            "Embeddings must be [B, T, H, W, D] and instances [B, T, H, W, I] with equal B, T, H, W. "
            f"Received shapes: {embeddings.shape} and {instances.shape}"
        )
    return _loss(embeddings, _masks(instances))


def _masks(instances: tf.Tensor) -> Masks:
    pixels = tf.reshape(instances, [tf.shape(instances)[0], -1, tf.shape(instances)[-1]])
    own, neighbour = (tf.cast(tf.equal(pixels, code), tf.float32) for code in (OWN, NEIGHBOUR))
    return Masks(own, neighbour, tf.reduce_sum(own, axis=1), tf.reduce_sum(neighbour, axis=1))


def _loss(embeddings: tf.Tensor, masks: Masks) -> tf.Tensor:
    embeddings = tf.reshape(
        tf.cast(embeddings, tf.float32), [tf.shape(embeddings)[0], -1, embeddings.shape[-1]]
    )
    unit = tf.math.l2_normalize(embeddings, axis=-1, epsilon=EPSILON)
    raw_sum, unit_sum = (tf.matmul(masks.own, vectors, transpose_a=True) for vectors in (embeddings, unit))
    # The direction of a mean does not depend on the number of pixels, but its length decides what epsilon does.
    mean = tf.math.l2_normalize(
        raw_sum / tf.maximum(masks.own_pixels, 1.0)[..., None], axis=-1, epsilon=EPSILON
    )
    # mean over S of cos = m . (sum over S of unit embeddings) / |S|: no [pixels, instances] product is needed here.
    own_cosine = tf.math.divide_no_nan(tf.reduce_sum(mean * unit_sum, axis=-1), masks.own_pixels)
    neighbour_cosine = tf.math.divide_no_nan(
        _sum_of_squares(unit, mean, masks.neighbour), masks.neighbour_pixels
    )

    present = tf.cast(masks.own_pixels > 0, tf.float32)
    per_instance = present * (1.0 - own_cosine + neighbour_cosine)
    present_count = tf.reduce_sum(present, axis=-1)
    per_element = tf.math.divide_no_nan(tf.reduce_sum(per_instance, axis=-1), present_count)
    elements = tf.reduce_sum(tf.cast(present_count > 0, tf.float32))
    return tf.math.divide_no_nan(tf.reduce_sum(per_element), elements)


@tf.custom_gradient
def _sum_of_squares(
    unit: tf.Tensor, mean: tf.Tensor, chosen: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple]]:
    """Sum over an instance's chosen pixels of cos(m_i, e_p)^2.

    The sum is m . M with M = sum over p of cos(m, e_p) e_p, so that value and gradient are matrix products, and one
    [pixels, instances] array is kept instead of five.

    Args:
        unit: float32 [B, P, D], pixels.
        mean: float32 [B, I, D], unit length.
        chosen: float32 [B, P, I], 0 or 1; a constant.

    Returns:
        float32 [B, I].
    """
    cosines = chosen * tf.matmul(unit, mean, transpose_b=True)
    moments = tf.matmul(cosines, unit, transpose_a=True)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, None]:
        factor = 2 * upstream[..., None]
        return tf.matmul(cosines, factor * mean), factor * moments, None

    return tf.reduce_sum(mean * moments, axis=-1), gradient


def embedding_loss(
    outputs: Sequence[tf.Tensor],
    instances: tf.Tensor,
    background: tf.Tensor,
    mode: Literal["instance", "term"],
) -> tf.Tensor:
    """The training loss: instances and background, summed over the hourglasses with weight 1.

    Args:
        outputs: Raw embeddings [B, T, H, W, D] of every hourglass.
        instances: uint8 [B, T, H, W, I], coded as in `cosine_embedding_loss`.
        background: uint8 [B, T, H, W, 1]: 1 background, 2 foreground, 0 where the loss is not computed.
        mode: `instance`: the background is one more instance in the same mean (paper section 2.2); `term`: a second loss
            of weight 1 (released code).
    """
    # Both hourglasses are compared with the same masks: made once.
    terms = [tf.concat([instances, background], axis=-1)] if mode == "instance" else [instances, background]
    return tf.add_n([_loss(output, masks) for masks in map(_masks, terms) for output in outputs])

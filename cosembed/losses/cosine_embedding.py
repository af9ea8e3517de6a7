"""Computes the cosine embedding loss (the equation of paper section 2.2).

    L   = mean over i in I of [1 - mean over p in S(i) of cos(m_i, e_p)
                                 + mean over p in N(i) of cos(m_i, e_p)^2]
    m_i = mean over p in S(i) of e_p

I are the instances, S(i) the pixels of instance i, N(i) those of its neighbours, e_p the embedding of pixel p
and m_i the mean embedding of an instance. As in the released training graphs, e_p are the raw network outputs
when m_i is computed, and all means go over all frames of a clip.

The authors' follow-up (Payer et al., Medical Image Analysis 2019) takes the square of the first cosine, too,
and has a loss term of the background, whose mean embedding is not computed but fixed at (1, 0, ..., 0).

In shapes, B is the number of clips in a batch, T of frames, H and W are height and width, D is the number of
embedding dimensions, I of instances, and P = T * H * W the number of pixels of a clip. This module knows
tensors only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import tensorflow as tf

from cosembed.preprocessing.label_values import NEIGHBOUR, OWN

# The least squared length, as released: an embedding of zero gets direction zero, and gradients stay finite.
EPSILON = 1e-12
BackgroundMode = Literal["instance", "term", "fixed_term"]
OwnMeasure = Literal["cosine", "squared_cosine"]


class Masks(NamedTuple):
    """Holds S(i) and N(i) of every instance.

    Attributes:
        own: float32 [B, P, I], 1 in S(i) and 0 elsewhere.
        neighbour: float32 [B, P, I], 1 in N(i) and 0 elsewhere.
        own_pixels: float32 [B, I], the number of pixels in S(i).
        neighbour_pixels: float32 [B, I], the number of pixels in N(i).
    """

    own: tf.Tensor
    neighbour: tf.Tensor
    own_pixels: tf.Tensor
    neighbour_pixels: tf.Tensor


def cosine_embedding_loss(embeddings: tf.Tensor, instances: tf.Tensor) -> tf.Tensor:
    """Pulls the embeddings of an instance together and pushes those of its neighbours to right angles.

    Args:
        embeddings: float [B, T, H, W, D], raw network outputs; they are cast to float32 before anything is
            computed.
        instances: Integers [B, T, H, W, I]: for every instance 1 at its own pixels (S), 2 at its neighbours'
            (N), 0 at all others. An instance without own pixels in a clip is padding there. Still images are
            [B, 1, H, W, ...].

    Returns:
        float32 scalar: the mean over the clips that have any instance, each the mean over its instances; 0 if
        no clip has one. An empty N contributes 0.

    Raises:
        ValueError: A rank is not 5, or B, T, H, W differ.
    """
    embeddings, instances = tf.convert_to_tensor(embeddings), tf.convert_to_tensor(instances)
    _check_shapes(embeddings, instances, "instances")
    return _loss(embeddings, _masks(instances))


def embedding_loss(
    outputs: Sequence[tf.Tensor],
    instances: tf.Tensor,
    background: tf.Tensor,
    mode: BackgroundMode,
    elements: tf.Tensor | None = None,
    own_measure: OwnMeasure = "cosine",
) -> tf.Tensor:
    """Computes the training loss: that of instances and background, summed over the hourglasses.

    Args:
        outputs: Raw embeddings of every hourglass, float [B, T, H, W, D] each.
        instances: uint8 [B, T, H, W, I], coded as in `cosine_embedding_loss`.
        background: uint8 [B, T, H, W, 1]: 1 at the background, 2 at the foreground, 0 where the loss is not
            computed.
        mode: With `instance`, the background is one more instance in the same mean (paper section 2.2); with
            `term`, it is a second loss of weight 1 (released code); with `fixed_term`, the mean embedding of
            that loss is (1, 0, ..., 0), so that either pixels of the background or foreground are enough for
            it (follow-up).
        elements: What `count_elements` gives for a whole batch of which these clips are a share; the losses
            of all shares then add up to that of the batch. None: these clips are the batch.
        own_measure: `squared_cosine` takes the mean over S of cos(m, e)^2 instead of cos(m, e) (follow-up).

    Returns:
        float32 scalar.

    Raises:
        ValueError: A rank is not 5, or B, T, H, W differ.
    """
    instances, background = tf.convert_to_tensor(instances), tf.convert_to_tensor(background)
    for output in outputs:
        _check_shapes(output, instances, "instances")
        _check_shapes(output, background, "background")
    # Both hourglasses are compared with the same masks, which are therefore made once.
    terms = _terms(instances, background, mode)
    counts = [None] * len(terms) if elements is None else tf.unstack(elements, len(terms))
    fixed = [False, mode == "fixed_term"][: len(terms)]
    return tf.add_n(
        [
            _loss(output, masks, count, squared=own_measure == "squared_cosine", fixed=is_fixed)
            for masks, count, is_fixed in zip(map(_masks, terms), counts, fixed, strict=True)
            for output in outputs
        ]
    )


def count_elements(instances: tf.Tensor, background: tf.Tensor, mode: BackgroundMode) -> tf.Tensor:
    """Counts the clips that have any instance, over which `embedding_loss` takes its means.

    Args:
        instances: As for `embedding_loss`.
        background: Likewise.
        mode: Likewise.

    Returns:
        float32 [1] with the mode `instance`, else [2] (instances, background).
    """
    present = [
        tf.reduce_any(tf.equal(term, OWN), axis=[1, 2, 3, 4]) for term in _terms(instances, background, mode)
    ]
    if mode == "fixed_term":
        present[1] = tf.reduce_any(tf.not_equal(background, 0), axis=[1, 2, 3, 4])
    return tf.reduce_sum(tf.cast(tf.stack(present), tf.float32), axis=1)


def _terms(instances: tf.Tensor, background: tf.Tensor, mode: BackgroundMode) -> list[tf.Tensor]:
    """Gives the masks of every mean of the loss."""
    return [tf.concat([instances, background], axis=-1)] if mode == "instance" else [instances, background]


def _check_shapes(embeddings: tf.Tensor, masks: tf.Tensor, name: str) -> None:
    if (
        embeddings.shape.rank != 5
        or masks.shape.rank != 5
        or not embeddings.shape[:4].is_compatible_with(masks.shape[:4])
    ):
        raise ValueError(
            f"Embeddings must be [B, T, H, W, D] and {name} [B, T, H, W, I] with equal B, T, H, W. "
            f"Received shapes: {embeddings.shape} and {masks.shape}"
        )


def _masks(instances: tf.Tensor) -> Masks:
    """Reads the masks from their codes, [B, T, H, W, I]."""
    pixels = tf.reshape(instances, [tf.shape(instances)[0], -1, tf.shape(instances)[-1]])
    own, neighbour = (tf.cast(tf.equal(pixels, code), tf.float32) for code in (OWN, NEIGHBOUR))
    return Masks(own, neighbour, tf.reduce_sum(own, axis=1), tf.reduce_sum(neighbour, axis=1))


def _loss(
    embeddings: tf.Tensor,
    masks: Masks,
    elements: tf.Tensor | None = None,
    *,
    squared: bool = False,
    fixed: bool = False,
) -> tf.Tensor:
    """Computes the loss, a float32 scalar, of raw embeddings float [B, T, H, W, D].

    `elements` is how many clips the mean is over, where it is not over these alone. With `squared`, also own
    cosines are squared; with `fixed`, every mean embedding is (1, 0, ..., 0).
    """
    embeddings = tf.reshape(
        tf.cast(embeddings, tf.float32), [tf.shape(embeddings)[0], -1, embeddings.shape[-1]]
    )
    unit = tf.math.l2_normalize(embeddings, axis=-1, epsilon=EPSILON)
    own_pixels, neighbour_pixels = masks.own_pixels, masks.neighbour_pixels
    if fixed:
        mean = tf.one_hot(tf.zeros_like(own_pixels, tf.int32), embeddings.shape[-1])
        present = tf.cast(own_pixels + neighbour_pixels > 0, tf.float32)
    else:
        # Dividing by the number of pixels does not turn a mean, but its length decides what epsilon does.
        mean = tf.math.l2_normalize(
            _sum_over(masks.own, embeddings) / tf.maximum(own_pixels, 1.0)[..., None],
            axis=-1,
            epsilon=EPSILON,
        )
        present = tf.cast(own_pixels > 0, tf.float32)
    if squared:
        own_sum = _sum_of_squares(unit, mean, masks.own)
    else:
        # The mean over S of cos(m, e) is m . (sum over S of e / |e|) / |S|, which needs no array [B, P, I].
        own_sum = tf.reduce_sum(mean * _sum_over(masks.own, unit), axis=-1)
    own_cosine = tf.math.divide_no_nan(own_sum, own_pixels)
    neighbour_cosine = tf.math.divide_no_nan(_sum_of_squares(unit, mean, masks.neighbour), neighbour_pixels)

    own_loss = tf.cast(own_pixels > 0, tf.float32) * (1.0 - own_cosine)
    per_instance = present * (own_loss + neighbour_cosine)
    present_count = tf.reduce_sum(present, axis=-1)
    per_element = tf.math.divide_no_nan(tf.reduce_sum(per_instance, axis=-1), present_count)
    if elements is None:
        elements = tf.reduce_sum(tf.cast(present_count > 0, tf.float32))
    return tf.math.divide_no_nan(tf.reduce_sum(per_element), elements)


def _sum_over(chosen: tf.Tensor, vectors: tf.Tensor) -> tf.Tensor:
    """Sums vectors [B, P, D] over the chosen pixels [B, P, I] of every instance: [B, I, D]."""
    return tf.matmul(chosen, vectors, transpose_a=True)


@tf.custom_gradient
def _sum_of_squares(
    unit: tf.Tensor, mean: tf.Tensor, chosen: tf.Tensor
) -> tuple[tf.Tensor, Callable[[tf.Tensor], tuple]]:
    """Sums cos(m_i, e_p)^2 over the chosen pixels of every instance.

    The sum is m . M with M = sum over p of cos(m, e_p) e_p. So value and gradient are matrix products, and
    one array [B, P, I] is kept for the gradient instead of five.

    Args:
        unit: float32 [B, P, D], the pixels' embeddings at unit length.
        mean: float32 [B, I, D], the instances' mean embeddings at unit length.
        chosen: float32 [B, P, I], 0 or 1; it has no gradient.

    Returns:
        float32 [B, I].
    """
    cosines = chosen * tf.matmul(unit, mean, transpose_b=True)
    moments = tf.matmul(cosines, unit, transpose_a=True)

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, None]:
        factor = 2 * upstream[..., None]
        return tf.matmul(cosines, factor * mean), factor * moments, None

    return tf.reduce_sum(mean * moments, axis=-1), gradient

"""Builds network and loss as one would first write them in Keras, to compare training times with.

It has stock layers only: `TimeDistributed` convolutions, a loop over frames with three convolutions on [x, h]
each, `UpSampling2D`, and a loss that goes from instance to instance. It computes what `StackedHourglass` and
`cosine_embedding_loss` compute (tests/benchmarks/test_plain_network.py); nothing else of the package uses it.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cosembed.losses.cosine_embedding import EPSILON
from cosembed.models.stacked_hourglass import NORM_EPSILON
from cosembed.preprocessing.label_values import NEIGHBOUR, OWN


class PlainConvGRU(tf.keras.layers.Layer):
    """Computes a convolutional GRU frame after frame: [B, T, H, W, C] -> [B, T, H, W, F]."""

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.reset = tf.keras.layers.Conv2D(
            filters, 3, padding="same", activation="sigmoid", kernel_initializer="zeros"
        )
        self.update = tf.keras.layers.Conv2D(
            filters, 3, padding="same", activation="sigmoid", kernel_initializer="zeros"
        )
        self.candidate = tf.keras.layers.Conv2D(filters, 3, padding="same", activation="relu")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Computes the states of all frames, beginning with zeros."""
        state = tf.zeros([tf.shape(inputs)[0], inputs.shape[2], inputs.shape[3], self.filters])
        states = []
        for frame in tf.unstack(inputs, axis=1):
            both = tf.concat([frame, state], axis=-1)
            reset, update = self.reset(both), self.update(both)
            candidate = self.candidate(tf.concat([frame, reset * state], axis=-1))
            state = update * state + (1 - update) * candidate
            states.append(state)
        return tf.stack(states, axis=1)


def plain_network(filters: int, levels: int, outputs: int, length: int, side: int) -> tf.keras.Model:
    """Builds the network from images [B, length, side, side, 1] to the raw embeddings of both hourglasses.

    Layers are named after ours: `hourglass_0.contracting_0`.

    Args:
        filters: Filters of every layer but the last.
        levels: Levels of each hourglass.
        outputs: Dimensions of an embedding.
        length: Frames of a clip; it is fixed.
        side: Side of the square images, in pixels.

    Returns:
        A model with two outputs [B, length, side, side, outputs].
    """
    image = tf.keras.Input([length, side, side, 1])
    first = _hourglass("hourglass_0", image, filters, levels, outputs)
    epsilon = NORM_EPSILON["miccai2018"]
    unit = tf.keras.layers.Lambda(lambda raw: tf.math.l2_normalize(raw, axis=-1, epsilon=epsilon))(first)
    second = _hourglass("hourglass_1", tf.keras.layers.concatenate([image, unit]), filters, levels, outputs)
    return tf.keras.Model(image, (first, second))


def plain_loss(embeddings: tf.Tensor, instances: tf.Tensor) -> tf.Tensor:
    """Computes `cosine_embedding_loss` for one clip, instance after instance.

    Args:
        embeddings: float32 [1, T, H, W, D], raw.
        instances: [1, T, H, W, I] with the values of `cosine_embedding_loss`.

    Returns:
        The loss, a scalar.
    """
    losses, present = [], []
    unit = tf.math.l2_normalize(embeddings, axis=-1, epsilon=EPSILON)
    for index in range(instances.shape[-1]):
        own, neighbour = instances[..., index] == OWN, instances[..., index] == NEIGHBOUR
        mean = tf.math.divide_no_nan(tf.reduce_sum(tf.boolean_mask(embeddings, own), axis=0), _count(own))
        direction = tf.math.l2_normalize(mean, epsilon=EPSILON)
        pull = tf.math.divide_no_nan(
            tf.reduce_sum(tf.linalg.matvec(tf.boolean_mask(unit, own), direction)), _count(own)
        )
        squares = tf.linalg.matvec(tf.boolean_mask(unit, neighbour), direction) ** 2
        push = tf.math.divide_no_nan(tf.reduce_sum(squares), _count(neighbour))
        present.append(tf.cast(tf.reduce_any(own), tf.float32))
        losses.append(present[-1] * (1 - pull + push))
    return tf.math.divide_no_nan(tf.add_n(losses), tf.add_n(present))


def _count(mask: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(mask, tf.float32))


def _hourglass(name: str, inputs: tf.Tensor, filters: int, levels: int, outputs: int) -> tf.Tensor:
    def convolve(part: str, features: tf.Tensor, count: int, activation: str | None = "relu") -> tf.Tensor:
        convolution = tf.keras.layers.Conv2D(count, 3, padding="same", activation=activation)
        return tf.keras.layers.TimeDistributed(convolution, name=f"{name}.{part}")(features)

    skips, features = [], inputs
    for level in range(levels):
        if level:
            features = tf.keras.layers.TimeDistributed(tf.keras.layers.MaxPooling2D())(features)
        features = convolve(f"contracting_{level}", features, filters)
        skips.append(PlainConvGRU(filters, name=f"{name}.parallel_{level}")(features))
    features = convolve(f"expanding_{levels - 1}", skips[-1], filters)
    for level in reversed(range(levels - 1)):
        larger = tf.keras.layers.TimeDistributed(tf.keras.layers.UpSampling2D())(features)
        features = convolve(f"expanding_{level}", tf.keras.layers.add([skips[level], larger]), filters)
    return convolve("output", features, outputs, None)

"""The network and the loss as one would first write them in Keras: the reference that training times are compared with.

Stock layers only: `TimeDistributed` convolutions, `RNN` over a cell of three convolutions on [x, h], `UpSampling2D`, and a
loss that goes through the instances one by one. It computes the same values as `StackedHourglass` and
`cosine_embedding_loss` (tests/test_benchmarks.py); nothing else of the package uses it.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from cosembed.losses.cosine_embedding import EPSILON, NEIGHBOUR, OWN
from cosembed.models.stacked_hourglass import NORM_EPSILON


class PlainConvGRU(tf.keras.layers.Layer):
    """A convolutional GRU over [B, T, H, W, C], frame after frame: -> [B, T, H, W, F]."""

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.reset = tf.keras.layers.Conv2D(filters, 3, padding="same", activation="sigmoid", kernel_initializer="zeros")
        self.update = tf.keras.layers.Conv2D(filters, 3, padding="same", activation="sigmoid", kernel_initializer="zeros")
        self.candidate = tf.keras.layers.Conv2D(filters, 3, padding="same", activation="relu")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """See the class."""
        state = tf.zeros([tf.shape(inputs)[0], inputs.shape[2], inputs.shape[3], self.filters])
        states = []
        for frame in tf.unstack(inputs, axis=1):
            both = tf.concat([frame, state], axis=-1)
            reset, update = self.reset(both), self.update(both)
            candidate = self.candidate(tf.concat([frame, reset * state], axis=-1))
            state = update * state + (1 - update) * candidate
            states.append(state)
        return tf.stack(states, axis=1)


def plain_network(filters: int, levels: int, outputs: int, length: int, side: int, channels: int = 1) -> tf.keras.Model:
    """[B, T, side, side, channels] -> raw embeddings of both hourglasses, [B, T, side, side, outputs] each."""
    image = tf.keras.Input([length, side, side, channels])
    first = _hourglass(image, filters, levels, outputs, side)
    unit = tf.keras.layers.Lambda(lambda raw: tf.math.l2_normalize(raw, axis=-1, epsilon=NORM_EPSILON["miccai2018"]))(first)
    second = _hourglass(tf.keras.layers.concatenate([image, unit]), filters, levels, outputs, side)
    return tf.keras.Model(image, (first, second))


def _hourglass(inputs: tf.Tensor, filters: int, levels: int, outputs: int, side: int) -> tf.Tensor:
    def convolve(features: tf.Tensor, count: int, activation: str | None = "relu") -> tf.Tensor:
        return tf.keras.layers.TimeDistributed(tf.keras.layers.Conv2D(count, 3, padding="same", activation=activation))(
            features
        )

    skips, features = [], inputs
    for level in range(levels):
        if level:
            features = tf.keras.layers.TimeDistributed(tf.keras.layers.MaxPooling2D())(features)
        features = convolve(features, filters)
        skips.append(PlainConvGRU(filters)(features))
    features = convolve(skips[-1], filters)
    for level in reversed(range(levels - 1)):
        larger = tf.keras.layers.TimeDistributed(tf.keras.layers.UpSampling2D())(features)
        features = convolve(tf.keras.layers.add([skips[level], larger]), filters)
    return convolve(features, outputs, None)


def plain_loss(embeddings: tf.Tensor, instances: tf.Tensor) -> tf.Tensor:
    """As `cosine_embedding_loss` for one clip, [1, T, H, W, D] and [1, T, H, W, I], instance after instance."""
    losses, present = [], []
    unit = tf.math.l2_normalize(embeddings, axis=-1, epsilon=EPSILON)
    for index in range(instances.shape[-1]):
        own, neighbour = instances[..., index] == OWN, instances[..., index] == NEIGHBOUR
        mean = tf.reduce_mean(tf.boolean_mask(embeddings, own), axis=0)
        direction = tf.math.l2_normalize(mean, epsilon=EPSILON)
        pull = 1 - _mean(tf.linalg.matvec(tf.boolean_mask(unit, own), direction))
        push = _mean(tf.linalg.matvec(tf.boolean_mask(unit, neighbour), direction) ** 2)
        is_present = tf.reduce_any(own)
        present.append(tf.cast(is_present, tf.float32))
        losses.append(tf.where(is_present, pull + push, 0.0))
    return tf.math.divide_no_nan(tf.add_n(losses), tf.add_n(present))


def _mean(values: tf.Tensor) -> tf.Tensor:
    return tf.math.divide_no_nan(tf.reduce_sum(values), tf.cast(tf.size(values), tf.float32))

"""Draws the first weights of a network as the paper says (He et al. 2015), and as released."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


@tf.keras.utils.register_keras_serializable("cosembed")
class HeTruncatedNormal(tf.keras.initializers.Initializer):
    """Draws from a normal distribution of variance scale / fan_in, cut at two standard deviations.

    The values are not rescaled for the cut, as those of Keras' `he_normal` are.

    Args:
        seed: With a seed, a draw depends on the seed and the shape alone. Without one, every call draws anew,
            and `tf.random.set_seed` decides what.
        scale: 2, as the paper says for ReLU; the follow-up draws gates with 1.
        stream: Tells draws of the same seed and shape apart.
    """

    def __init__(self, seed: int | None = None, scale: float = 2.0, stream: int = 0) -> None:
        self.seed = seed
        self.scale = scale
        self.stream = stream

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> tf.Tensor:
        """Draws a kernel [..., inputs, outputs], of which fan_in is the product of all sides but the last."""
        fan_in = tf.TensorShape(shape)[:-1].num_elements()
        deviation = (self.scale / fan_in) ** 0.5
        if self.seed is None:
            values = tf.random.truncated_normal(shape)
        else:
            values = tf.random.stateless_truncated_normal(shape, seed=[self.seed, self.stream])
        return tf.cast(values * deviation, dtype or tf.float32)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of `__init__`, for Keras to make an equal initializer."""
        return {"seed": self.seed, "scale": self.scale, "stream": self.stream}

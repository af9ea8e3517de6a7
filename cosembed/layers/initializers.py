"""The weight initialisation of the paper (He et al. 2015), as the released training graphs have it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


@tf.keras.utils.register_keras_serializable("cosembed")
class HeTruncatedNormal(tf.keras.initializers.Initializer):
    """Normal of variance 2 / fan_in, cut at two standard deviations and not rescaled for the cut (Keras' `he_normal` is).

    With a seed, the draw depends on the seed and the shape alone; without one, every call draws anew (`tf.random.set_seed`).
    """

    def __init__(self, seed: int | None = None) -> None:
        self.seed = seed

    def __call__(self, shape: Any, dtype: Any = None, **kwargs: Any) -> tf.Tensor:
        """Kernels are [..., inputs, outputs]; fan_in is the product of all but the last."""
        fan_in = tf.TensorShape(shape)[:-1].num_elements()
        deviation = (2.0 / fan_in) ** 0.5
        if self.seed is None:
            values = tf.random.truncated_normal(shape)
        else:
            values = tf.random.stateless_truncated_normal(shape, seed=[self.seed, 0])
        return tf.cast(values * deviation, dtype or tf.float32)

    def get_config(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self.seed}

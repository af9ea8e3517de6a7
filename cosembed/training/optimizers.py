"""Implements Adam as in TensorFlow 1, plain or with Nesterov momentum, and the learning-rate schedule.

This module knows no network.

    m = beta1 m + (1 - beta1) g
    v = beta2 v + (1 - beta2) g^2
    lr_t = lr * sqrt(1 - beta2^t) / (1 - beta1^t)
    plain:     w -= lr_t * m / (sqrt(v) + eps)
    Nesterov:  w -= lr_t * (beta1 m + (1 - beta1) g) / (sqrt(v) + eps)

The released "Nadam" is this Nesterov form; `tf.keras.optimizers.Nadam`, with its momentum schedule, is
another algorithm.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from cosembed.specs import TrainingSpec

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


def learning_rate(spec: TrainingSpec, step: tf.Tensor | int) -> tf.Tensor:
    """Gives the learning rate of a 0-based step (paper appendix 5).

    It is the spec's for the first half of the iterations, and a tenth of it after.
    """
    late = 2 * tf.cast(step, tf.int64) >= spec.iterations
    return tf.where(late, spec.learning_rate / 10, spec.learning_rate)


class Optimizer:
    """Applies Adam to a fixed list of variables.

    Args:
        variables: The trainable variables, float32.
        spec: Optimizer, learning rate, iterations and gradient clipping.

    Attributes:
        first_moments: m of every variable.
        second_moments: v of every variable.
    """

    def __init__(self, variables: Sequence[tf.Variable], spec: TrainingSpec) -> None:
        self._variables = tuple(variables)
        self._spec = spec
        self.first_moments = [tf.Variable(tf.zeros_like(variable), trainable=False) for variable in variables]
        self.second_moments = [
            tf.Variable(tf.zeros_like(variable), trainable=False) for variable in variables
        ]

    def checkpoint(self) -> tf.train.Checkpoint:
        """What saves and restores the moments; the variables themselves are the network's."""
        return tf.train.Checkpoint(first_moments=self.first_moments, second_moments=self.second_moments)

    def apply(self, gradients: Sequence[tf.Tensor], step: tf.Tensor) -> None:
        """Changes the variables in place.

        Args:
            gradients: One per variable, in their order.
            step: int64 scalar, 0 at the first step; moments' bias correction and learning rate
                follow from it.
        """
        if self._spec.gradient_clip:
            gradients, _ = tf.clip_by_global_norm(gradients, self._spec.gradient_clip)
        count = tf.cast(step + 1, tf.float32)
        # Made once: one of each for every variable would be most of the graph of a step.
        common = {
            "beta1_power": tf.pow(BETA1, count),
            "beta2_power": tf.pow(BETA2, count),
            "lr": learning_rate(self._spec, step),
            "beta1": tf.constant(BETA1),
            "beta2": tf.constant(BETA2),
            "epsilon": tf.constant(EPSILON),
            "use_nesterov": self._spec.optimizer == "nadam",
        }
        for variable, first, second, gradient in zip(
            self._variables, self.first_moments, self.second_moments, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=first.handle, v=second.handle, grad=gradient, **common
            )

"""Computes the L2 penalty of a network's kernels (paper appendix 5). Knows variables only."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf


def l2_penalty(variables: Iterable[tf.Variable], factor: float) -> tf.Tensor:
    """Computes factor * sum(w^2) / 2 over all kernels, as the released training graphs do.

    Args:
        variables: Weights of a network. Those of rank 4 are kernels, gates and outputs included; biases are
            left out.
        factor: The weight of the penalty, 1e-5 in the paper.

    Returns:
        float32 scalar.
    """
    kernels = [variable for variable in variables if variable.shape.rank == 4]
    return factor * tf.add_n([tf.nn.l2_loss(tf.cast(kernel, tf.float32)) for kernel in kernels])

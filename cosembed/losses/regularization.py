"""L2 penalty of the kernels (paper appendix 5)."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf


def l2_penalty(variables: Iterable[tf.Variable], factor: float) -> tf.Tensor:
    """factor * sum(w^2) / 2 over all kernels (variables of rank 4: gates and outputs included, biases not).

    Source: the released training graphs.
    """
    kernels = [variable for variable in variables if variable.shape.rank == 4]
    return factor * tf.add_n([tf.nn.l2_loss(tf.cast(kernel, tf.float32)) for kernel in kernels])

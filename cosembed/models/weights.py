"""Names the weights of a network as no version of Keras decides. Knows no file and no training.

The names are the paths of attributes that TensorFlow's checkpoints have always had, so that the checkpoints
of every version of this package can be read: `hourglasses/0/contracting/1/kernel`,
`hourglasses/1/parallel/0/reset_bias`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf

from cosembed.layers import ConvGRU2D
from cosembed.models.hourglass import Hourglass
from cosembed.models.stacked_hourglass import StackedHourglass

_CONVOLUTION = ("kernel", "bias")
_GRU = ("reset_kernel", "reset_bias", "update_kernel", "update_bias", "candidate_kernel", "candidate_bias")


def named_weights(model: StackedHourglass) -> dict[str, tf.Variable]:
    """Lists the variables of a built network, in the order in which the optimizer keeps their moments.

    Returns:
        The variables themselves, not Keras 3's wrappers of them, by name.
    """
    return {
        f"hourglasses/{index}/{place}/{name}": _variable(getattr(layer, name))
        for index, hourglass in enumerate(model.hourglasses)
        for place, layer in _layers(hourglass)
        for name in (_GRU if isinstance(layer, ConvGRU2D) else _CONVOLUTION)
    }


def checkpoint_tree(weights: Mapping[str, tf.Variable]) -> tf.train.Checkpoint:
    """Nests the variables as their names say, for `tf.train.Checkpoint` to save and restore."""
    children: dict[str, Any] = {}
    for name, variable in weights.items():
        first, _, rest = name.partition("/")
        if rest:
            children.setdefault(first, {})[rest] = variable
        else:
            children[first] = variable
    return tf.train.Checkpoint(
        **{
            name: checkpoint_tree(child) if isinstance(child, dict) else child
            for name, child in children.items()
        }
    )


def _layers(hourglass: Hourglass) -> Iterator[tuple[str, tf.keras.layers.Layer]]:
    for path in ("contracting", "parallel", "expanding"):
        for level, layer in enumerate(getattr(hourglass, path)):
            yield f"{path}/{level}", layer
    yield "output_convolution", hourglass.output_convolution
    if hourglass.input_convolution is not None:
        yield "input_convolution", hourglass.input_convolution


def _variable(weight: Any) -> tf.Variable:
    """Returns the variable of a layer's weight, which Keras 3 wraps and Keras 2 does not."""
    return weight if isinstance(weight, tf.Variable) else weight.value

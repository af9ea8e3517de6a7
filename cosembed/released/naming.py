"""Joins the authors' variables, by their names in a checkpoint, to the weights of a `StackedHourglass`.

A checkpoint holds one variable per kernel and bias, named net/rnn/unet_<hourglass>_cell/<path>/level<n>/...;
gate kernels act on [input, state]. This module knows names, not files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import tensorflow as tf

from cosembed.models import StackedHourglass
from cosembed.models.hourglass import Hourglass

CELL = "net/rnn/unet_{}_cell"
# These variables of a checkpoint are the optimizer's, not the network's.
OPTIMIZER_VARIABLE = re.compile(r"(.*/)?(beta[12]_power)$|.*/Adam(_1)?$")


class NamedVariable(NamedTuple):
    """Joins a variable of the authors to its counterpart in our network.

    Attributes:
        name: The variable's name in a checkpoint, as `plain_name` writes it.
        variable: The weight of our network.
    """

    name: str
    variable: tf.Variable


def named_variables(model: StackedHourglass) -> Iterator[NamedVariable]:
    """Lists all weights of a network with the names that the authors' checkpoints have for them."""
    for index, hourglass in enumerate(model.hourglasses):
        yield from (
            NamedVariable(f"{CELL.format(index)}/{name}", variable)
            for name, variable in _hourglass_variables(hourglass)
        )


def _hourglass_variables(hourglass: Hourglass) -> Iterator[NamedVariable]:
    convolutions = {"output": hourglass.output_convolution}
    if hourglass.input_convolution is not None:
        convolutions["input"] = hourglass.input_convolution
    for path in ("contracting", "expanding"):
        for level, layer in enumerate(getattr(hourglass, path)):
            convolutions[f"{path}/level{level}/conv"] = layer
    for name, layer in convolutions.items():
        yield NamedVariable(f"{name}/kernel", layer.kernel)
        yield NamedVariable(f"{name}/bias", layer.bias)
    for level, layer in enumerate(hourglass.parallel):
        for name, ours in (("gates/r", "reset"), ("gates/u", "update"), ("candidate/y", "candidate")):
            yield NamedVariable(f"parallel/level{level}/gru/{name}/kernel", getattr(layer, f"{ours}_kernel"))
            yield NamedVariable(f"parallel/level{level}/gru/{name}/bias", getattr(layer, f"{ours}_bias"))


def plain_name(name: str) -> str:
    """Drops the numbers of a level's layers, conv0 and gru0, which only the follow-up's code gives."""
    return re.sub(r"/(conv|gru)0/", r"/\1/", name)

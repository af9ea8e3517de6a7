"""Holds the Keras layers of the networks. Knows no data and no training."""

from cosembed.layers.conv_gru import ConvGRU2D, run_together
from cosembed.layers.initializers import HeTruncatedNormal

__all__ = ["ConvGRU2D", "HeTruncatedNormal", "run_together"]

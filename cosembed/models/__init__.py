"""Builds the network and names its weights. Knows no data, no loss and no training."""

from cosembed.models.stacked_hourglass import StackedHourglass
from cosembed.models.weights import checkpoint_tree, named_weights

__all__ = ["StackedHourglass", "checkpoint_tree", "named_weights"]

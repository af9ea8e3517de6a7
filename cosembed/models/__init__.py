"""The network. Knows no data, no loss and no training."""

from cosembed.models.stacked_hourglass import StackedHourglass

__all__ = ["StackedHourglass"]

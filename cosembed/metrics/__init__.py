"""Scores label images and result folders. Knows not how they were made."""

from cosembed.metrics.ctc import evaluate_ctc, evaluate_folders
from cosembed.metrics.dice import best_dice, difference_in_count, foreground_dice, symmetric_best_dice
from cosembed.metrics.iou import iou_per_class

__all__ = [
    "best_dice",
    "difference_in_count",
    "evaluate_ctc",
    "evaluate_folders",
    "foreground_dice",
    "iou_per_class",
    "symmetric_best_dice",
]

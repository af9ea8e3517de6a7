"""Classifies the masks of one frame against the truth: correct, missed, false, merged or split.

It knows label images only, not how the classes are drawn.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal, NamedTuple

from numpy.typing import NDArray

from cosembed.preprocessing.label_overlap import label_overlap, present_labels

MATCH_IOU = 0.5
ErrorClass = Literal["correct", "missed", "false", "merged", "split"]


class ClassifiedMask(NamedTuple):
    """Says what went right or wrong at one mask.

    Attributes:
        error_class: The mask's class, one of `ErrorClass`.
        is_true: Whether the mask is one of the truth; otherwise it is one of the prediction.
        label: The mask's label in that image.
    """

    error_class: ErrorClass
    is_true: bool
    label: int


def classify_masks(prediction: NDArray, truth: NDArray) -> list[ClassifiedMask]:
    """Tells right and wrong masks of one frame apart.

    A mask is correct if it matches one of the other side at an IoU above 0.5. Otherwise a predicted mask that
    covers most of two or more true ones is merged, a true one that holds most of two or more predicted ones
    is split, and what is left is missed (true) or false (predicted).

    Args:
        prediction: Labels [H, W]; 0 is background.
        truth: Labels [H, W]; 0 is background.

    Returns:
        True masks that are split or missed, then predicted ones that are correct, merged or false. A true
        mask is not listed where a predicted one stands for it: its match, or the merged one that covers it;
        neither are the predicted parts of a split one.
    """
    pairs = label_overlap(truth, prediction)
    matched = pairs.pick(pairs.iou > MATCH_IOU)
    # At most one mask can hold more than half of another one.
    mostly_in_prediction = pairs.pick(pairs.shared / pairs.first_area > 0.5)
    mostly_in_truth = pairs.pick(pairs.shared / pairs.second_area > 0.5)
    covering = dict(
        zip(mostly_in_prediction.first.tolist(), mostly_in_prediction.second.tolist(), strict=True)
    )
    holding = dict(zip(mostly_in_truth.second.tolist(), mostly_in_truth.first.tolist(), strict=True))
    merged = {label for label, count in Counter(covering.values()).items() if count >= 2}
    split = {label for label, count in Counter(holding.values()).items() if count >= 2}
    masks: list[ClassifiedMask] = []
    for label in present_labels(truth):
        if label in matched.first:
            continue
        if label in split:
            masks.append(ClassifiedMask("split", True, label))
        elif covering.get(label) not in merged:
            masks.append(ClassifiedMask("missed", True, label))
    for label in present_labels(prediction):
        if label in matched.second:
            masks.append(ClassifiedMask("correct", False, label))
        elif label in merged:
            masks.append(ClassifiedMask("merged", False, label))
        elif holding.get(label) not in split:
            masks.append(ClassifiedMask("false", False, label))
    return masks

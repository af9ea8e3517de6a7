"""Classifies the masks of one frame against the truth: correct, missed, false, merged or split.

It knows label images only, not how the classes are drawn.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    overlap = np.zeros((int(truth.max()) + 1, int(prediction.max()) + 1))
    np.add.at(overlap, (truth.astype(np.intp), prediction.astype(np.intp)), 1)
    true_area, predicted_area = overlap.sum(axis=1), overlap.sum(axis=0)
    union = true_area[:, None] + predicted_area[None] - overlap
    matched = overlap / np.maximum(union, 1) > MATCH_IOU
    matched[0], matched[:, 0] = False, False
    inside_prediction = overlap / np.maximum(true_area, 1)[:, None] > 0.5
    inside_truth = overlap / np.maximum(predicted_area, 1)[None] > 0.5
    merged = {label for label in range(1, len(predicted_area)) if inside_prediction[1:, label].sum() >= 2}
    split = {label for label in range(1, len(true_area)) if inside_truth[label, 1:].sum() >= 2}
    masks: list[ClassifiedMask] = []
    for label in np.flatnonzero(true_area).tolist():
        if label == 0 or matched[label].any():
            continue
        if label in split:
            masks.append(ClassifiedMask("split", True, label))
        elif not any(inside_prediction[label, other] for other in merged):
            masks.append(ClassifiedMask("missed", True, label))
    for label in np.flatnonzero(predicted_area).tolist():
        if label == 0:
            continue
        if matched[:, label].any():
            masks.append(ClassifiedMask("correct", False, label))
        elif label in merged:
            masks.append(ClassifiedMask("merged", False, label))
        elif not any(inside_truth[other, label] for other in split):
            masks.append(ClassifiedMask("false", False, label))
    return masks

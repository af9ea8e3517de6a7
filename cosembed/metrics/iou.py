"""Scores classes by intersection over union (the paper's Table 1a)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def iou_per_class(prediction: NDArray, truth: NDArray, classes: Iterable[int]) -> dict[int, float]:
    """Divides, for every class, the pixels where both images have it by those where either has.

    Args:
        prediction: Classes of any shape.
        truth: Classes of the same shape.
        classes: The classes to score.

    Returns:
        Class -> 0..1; NaN where neither image has the class.

    Raises:
        ValueError: The shapes differ.
    """
    if prediction.shape != truth.shape:
        raise ValueError(f"class images must have one shape. Received: {prediction.shape} and {truth.shape}")
    scores = {}
    for label in classes:
        predicted, true = prediction == label, truth == label
        union = np.count_nonzero(predicted | true)
        scores[label] = np.count_nonzero(predicted & true) / union if union else float("nan")
    return scores

"""Smooths the outlines of labels: a Gaussian of every label's mask, of which the largest wins.

This module knows no files and no network.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# Beyond so many sigmas the Gaussian is cut off.
TRUNCATE = 4.0


def smooth_labels(labels: NDArray[np.uint16], sigma: float) -> NDArray[np.uint16]:
    """Replaces every pixel's label by the one whose Gaussian-filtered mask is largest there.

    The background takes part like any label.

    Args:
        labels: uint16 [H, W].
        sigma: The Gaussian's, in pixels of `labels`; 0 changes nothing.

    Returns:
        uint16 [H, W]. Ties go to the background, then to the lower label.
    """
    if sigma == 0:
        return labels
    margin = int(TRUNCATE * sigma + 0.5) + 1
    best_label = np.zeros(labels.shape, np.uint16)
    best = np.zeros(labels.shape, np.float32)
    total = np.zeros(labels.shape, np.float32)
    for index, box in enumerate(ndimage.find_objects(labels), start=1):
        if box is None:
            continue
        around = tuple(slice(max(0, s.start - margin), s.stop + margin) for s in box)
        mask = (labels[around] == index).astype(np.float32)
        weight = ndimage.gaussian_filter(mask, sigma, mode="nearest", truncate=TRUNCATE)
        total[around] += weight
        wins = weight > best[around]
        best[around][wins] = weight[wins]
        best_label[around][wins] = index
    # The filter is linear and keeps constants: the background's weight is what the labels leave of 1.
    best_label[best <= 1.0 - total] = 0
    return best_label

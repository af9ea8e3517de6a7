"""Prepares every frame alike in training and testing: smoothing, crop, normalisation.

Source: paper appendix 6; the order is that of the released code. This module knows no labels, no augmentation
and no network.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.errors import DataError
from cosembed.specs import PreprocessingSpec

Padding = Literal["mirror", "constant", "zero"]
# The intensity beyond the image (and beyond its mirror), after normalisation.
OUTSIDE: dict[Padding, float] = {"mirror": -1.0, "constant": -1.0, "zero": 0.0}


def preprocess_frame(frame: NDArray, spec: PreprocessingSpec, *, crop: int = 0) -> NDArray[np.float32]:
    """Smooths on the original grid, crops, and normalises robustly to about -1..1, every channel by itself.

    Args:
        frame: [H, W] or [H, W, C], any numeric dtype.
        spec: Gives the sigma and the percentiles.
        crop: How many pixels are removed at each side: `spec.crop` in training, none at test time.

    Returns:
        float32 [h, w, C]; not clamped.

    Raises:
        DataError: The crop leaves nothing of the frame.
    """
    image = np.atleast_3d(np.asarray(frame, np.float32))
    height, width = image.shape[:2]
    if min(height, width) <= 2 * crop:
        raise DataError(
            f"a frame of {height}x{width} pixels has nothing left inside preprocessing.crop={crop}; lower it"
        )
    if spec.smoothing_sigma:
        image = ndimage.gaussian_filter(
            image, (spec.smoothing_sigma, spec.smoothing_sigma, 0), mode="nearest"
        )
    if crop:
        image = image[crop:-crop, crop:-crop]
    return np.stack([_normalise(image[..., channel], spec) for channel in range(image.shape[2])], axis=-1)


def _normalise(image: NDArray[np.float32], spec: PreprocessingSpec) -> NDArray[np.float32]:
    """Maps two percentiles of an image [H, W] to -1 and 1.

    The released code takes medians of the lowest and the highest pixels: the median of the lowest 20 % is the
    10th percentile of all pixels, and so on. Mirror padding by half the image repeats every pixel four times
    (but one row or column of an odd side), so the padded frame, over which the released code takes them, has
    the same percentiles.
    """
    low_index = int(image.size * spec.lower_percentile / 100)
    high_index = min(int(image.size * spec.upper_percentile / 100), image.size - 1)
    ordered = np.partition(image, (low_index, high_index), axis=None)
    low, high = float(ordered[low_index]), float(ordered[high_index])
    # A frame of so few grey values that both percentiles coincide still keeps its contrast.
    if high <= low:
        low, high = float(image.min()), float(image.max())
    span = high - low if high > low else 1.0
    return ((image - low) * (2.0 / span) - 1.0).astype(np.float32)

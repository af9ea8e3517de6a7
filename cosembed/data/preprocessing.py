"""What happens to every frame, in training and testing alike: smoothing, crop, normalisation; and the test geometry.

Knows no labels, no augmentation and no network (paper appendix 6; order as in the released code).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.errors import DataError
from cosembed.specs import PreprocessingSpec

Padding = Literal["mirror", "constant", "zero"]
# The intensity beyond the image (and beyond its mirror), after normalisation.
OUTSIDE: dict[Padding, float] = {"mirror": -1.0, "constant": -1.0, "zero": 0.0}


class Grid(NamedTuple):
    """Where network pixels lie in the original image: network pixel i is at original pixel offset + scale * i."""

    scale_y: float
    offset_y: float
    scale_x: float
    offset_x: float


def preprocess_frame(frame: NDArray, spec: PreprocessingSpec, *, crop: int = 0) -> NDArray[np.float32]:
    """Smooths on the original grid, crops, and normalises robustly to about -1..1, every channel by itself.

    Args:
        frame: [H, W] or [H, W, C], any numeric dtype.
        spec: Sigma and percentiles.
        crop: Pixels removed at each side: `spec.crop` in training, none at test time.

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
    """The median of the lowest 20 % is the 10th percentile of all pixels, and so on.

    Mirror padding by half the image repeats every pixel four times (but one row or column of an odd side), so the padded
    frame, over which the released code takes the percentiles, has the same ones.
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


def frame_grid(image_shape: tuple[int, int], spec: PreprocessingSpec, image_size: int) -> Grid:
    """The test geometry: zoomed and stretched to the network's square; the aspect ratio is not kept.

    Args:
        image_shape: Height and width of the original image.
        spec: Test zoom.
        image_size: Side N of the network's input.

    Returns:
        Pixel-centre convention: pixel i of N covers the i-th N-th of the kept part.
    """
    height, width = image_shape
    scale_y, offset_y = _axis(height, spec, image_size)
    scale_x, offset_x = _axis(width, spec, image_size)
    return Grid(scale_y, offset_y, scale_x, offset_x)


def _axis(side: int, spec: PreprocessingSpec, image_size: int) -> tuple[float, float]:
    kept = side * spec.test_zoom
    scale = kept / image_size
    return scale, (side - kept) / 2 + 0.5 * scale - 0.5


def fit_frame(image: NDArray[np.float32], spec: PreprocessingSpec, image_size: int) -> NDArray[np.float32]:
    """A preprocessed frame on the network's grid at test time, interpolated linearly.

    Args:
        image: float32 [H, W, C], as `preprocess_frame` returns it.
        spec: Test zoom.
        image_size: Side N.

    Returns:
        float32 [N, N, C].
    """
    height, width, _ = image.shape
    return resample_linear(image, frame_grid((height, width), spec, image_size), (image_size, image_size))


def resample_linear(image: NDArray[np.float32], grid: Grid, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Linear interpolation on another grid; positions beyond the edge stay on it.

    Args:
        image: float32 [h, w, C].
        grid: Where the new pixels lie in `image`.
        shape: Height and width of the result.

    Returns:
        float32 [H, W, C].
    """
    rows, row_weight = _taps(image.shape[0], grid.scale_y, grid.offset_y, shape[0])
    columns, column_weight = _taps(image.shape[1], grid.scale_x, grid.offset_x, shape[1])
    lines = image[rows] + (image[rows + 1] - image[rows]) * row_weight[:, None, None]
    return lines[:, columns] + (lines[:, columns + 1] - lines[:, columns]) * column_weight[None, :, None]


def inverse(grid: Grid) -> Grid:
    """Where the original pixels lie in the network's image."""
    scale_y, scale_x = 1 / grid.scale_y, 1 / grid.scale_x
    return Grid(scale_y, -grid.offset_y * scale_y, scale_x, -grid.offset_x * scale_x)


def _taps(side: int, scale: float, offset: float, count: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Lower neighbour and weight of the upper one, per output pixel; positions beyond the edge stay on it."""
    position = np.clip(offset + scale * np.arange(count), 0, side - 1)
    lower = np.minimum(position.astype(np.intp), side - 2)
    return lower, (position - lower).astype(np.float32)

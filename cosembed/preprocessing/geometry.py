"""Maps between the original image and the network's square input at test time.

Knows no labels and no network.

Source: the released code. The image is zoomed and stretched to the square, so the aspect ratio is not kept.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.specs import PreprocessingSpec


class Grid(NamedTuple):
    """Says where network pixels lie in the original image: pixel i is at offset + scale * i."""

    scale_y: float
    offset_y: float
    scale_x: float
    offset_x: float


def frame_grid(image_shape: tuple[int, int], spec: PreprocessingSpec, image_size: int) -> Grid:
    """Places the network's square input over the kept part of an image.

    Args:
        image_shape: Height and width of the original image.
        spec: Gives the test zoom.
        image_size: Side N of the network's input.

    Returns:
        The grid in the pixel-centre convention: pixel i of N covers the i-th N-th of the kept part.
    """
    height, width = image_shape
    scale_y, offset_y = _axis(height, spec, image_size)
    scale_x, offset_x = _axis(width, spec, image_size)
    return Grid(scale_y, offset_y, scale_x, offset_x)


def fit_frame(image: NDArray[np.float32], spec: PreprocessingSpec, image_size: int) -> NDArray[np.float32]:
    """Brings a preprocessed frame onto the network's grid at test time, by linear interpolation.

    Args:
        image: float32 [H, W, C], as `preprocess_frame` returns it.
        spec: Gives the test zoom.
        image_size: Side N of the network's input.

    Returns:
        float32 [N, N, C].
    """
    height, width, _ = image.shape
    return resample_linear(image, frame_grid((height, width), spec, image_size), (image_size, image_size))


def resample_linear(image: NDArray[np.float32], grid: Grid, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Interpolates an image linearly on another grid; positions beyond the edge stay on it.

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
    """Returns the grid that says where the original pixels lie in the network's image."""
    scale_y, scale_x = 1 / grid.scale_y, 1 / grid.scale_x
    return Grid(scale_y, -grid.offset_y * scale_y, scale_x, -grid.offset_x * scale_x)


def _axis(side: int, spec: PreprocessingSpec, image_size: int) -> tuple[float, float]:
    """Returns scale and offset of the grid along one axis of `side` original pixels."""
    kept = side * spec.test_zoom
    scale = kept / image_size
    return scale, (side - kept) / 2 + 0.5 * scale - 0.5


def _taps(side: int, scale: float, offset: float, count: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Returns the lower neighbour of each of `count` output pixels and the weight of the upper one."""
    position = np.clip(offset + scale * np.arange(count), 0, side - 1)
    lower = np.minimum(position.astype(np.intp), side - 2)
    return lower, (position - lower).astype(np.float32)

"""Maps between the original image and the network's pixels at test time.

Knows no labels and no network.

Source: the released code. The image is zoomed and stretched to the square, so the aspect ratio is not kept.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.specs import CellsSpec, PreprocessingSpec, TrainedSpec


class Grid(NamedTuple):
    """Says where network pixels lie in the original image: pixel i is at offset + scale * i."""

    scale_y: float
    offset_y: float
    scale_x: float
    offset_x: float


def shape_of_test(image_shape: tuple[int, int], spec: TrainedSpec) -> tuple[int, int]:
    """Says to how many network pixels an image is brought at test time.

    Args:
        image_shape: Height and width of the original image.
        spec: Gives the network's size, the test zoom, and the scale of tiles.

    Returns:
        Height and width: the network's square if the whole image is scaled, else what is cut into tiles.
    """
    if not isinstance(spec, CellsSpec) or not spec.inference.tiled:
        return spec.network.image_size, spec.network.image_size
    if not spec.inference.scale:
        return spec.inference.size
    height, width = (
        max(1, math.ceil(side * spec.preprocessing.test_zoom * spec.inference.scale - 1e-6))
        for side in image_shape
    )
    return height, width


def frame_grid(image_shape: tuple[int, int], spec: PreprocessingSpec, shape: tuple[int, int]) -> Grid:
    """Places the network's pixels over the kept part of an image.

    Args:
        image_shape: Height and width of the original image.
        spec: Gives the test zoom.
        shape: How many network pixels there are along each axis, as `shape_of_test` says.

    Returns:
        The grid in the pixel-centre convention: pixel i of N covers the i-th N-th of the kept part.
    """
    scale_y, offset_y = _axis(image_shape[0], spec, shape[0])
    scale_x, offset_x = _axis(image_shape[1], spec, shape[1])
    return Grid(scale_y, offset_y, scale_x, offset_x)


def fit_frame(
    image: NDArray[np.float32], spec: PreprocessingSpec, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Brings a preprocessed frame onto the network's grid at test time, by linear interpolation.

    Args:
        image: float32 [H, W, C], as `preprocess_frame` returns it.
        spec: Gives the test zoom.
        shape: Height and width in network pixels, as `shape_of_test` says.

    Returns:
        float32 [h, w, C].
    """
    height, width, _ = image.shape
    return resample_linear(image, frame_grid((height, width), spec, shape), shape)


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


def _axis(side: int, spec: PreprocessingSpec, count: int) -> tuple[float, float]:
    """Returns scale and offset of the grid along one axis of `side` original pixels."""
    kept = side * spec.test_zoom
    scale = kept / count
    return scale, (side - kept) / 2 + 0.5 * scale - 0.5


def _taps(side: int, scale: float, offset: float, count: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Returns the lower neighbour of each of `count` output pixels and the weight of the upper one."""
    position = np.clip(offset + scale * np.arange(count), 0, side - 1)
    lower = np.minimum(position.astype(np.intp), side - 2)
    return lower, (position - lower).astype(np.float32)

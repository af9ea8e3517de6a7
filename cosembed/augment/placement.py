"""Places the network's square in the image that a clip is cut from: its transform, and what it can see.

Both augmenters place clips by this module, which knows what was drawn and the sizes of images, but no pixels.

Without tiles the whole image is scaled to fit the square, and its aspect ratio is kept. With tiles the square
is a window of the image at the scale of the test, whose centre is drawn so that the window lies within the
image before it is turned and zoomed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.augment.parameters import Pair, SpatialParameters
from cosembed.preprocessing.geometry import frame_grid, shape_of_test
from cosembed.specs import CellsSpec, TrainedSpec


class Window(NamedTuple):
    """Says how the network sees a part of an image. Pairs are in the order (y, x).

    Attributes:
        scale: Image pixels per network pixel.
        room: How far the window's centre may lie from that of the image, in network pixels; 0 along an axis
            on which the window is no smaller than the image.
    """

    scale: Pair
    room: Pair


class Placement(NamedTuple):
    """Says where in an image the network's square lies.

    Without its elastic part, the transform leads network pixel p to c + matrix (p - c) + translation in the
    image, c being the square's centre.

    Attributes:
        matrix: float64 [2, 2], in the order (x, y).
        translation: float64 [2], (x, y), in image pixels.
        rows: The rows of the image of which any pixel can be seen, directly or mirrored.
        columns: The columns likewise.
    """

    matrix: NDArray[np.float64]
    translation: NDArray[np.float64]
    rows: slice
    columns: slice


def training_window(image_shape: tuple[int, int], spec: TrainedSpec) -> Window | None:
    """Says which window of an image a training clip sees.

    Args:
        image_shape: Height and width of the image, of which `preprocessing.crop` is cut off already.
        spec: Gives the scale of the test and the network's size.

    Returns:
        The window; None if the whole image is scaled to fit the network's square.
    """
    if not isinstance(spec, CellsSpec) or not spec.inference.tiled:
        return None
    height, width = (side + 2 * spec.preprocessing.crop for side in image_shape)
    shape = shape_of_test((height, width), spec)
    grid = frame_grid((height, width), spec.preprocessing, shape)
    room_y, room_x = (max(0, side - spec.network.image_size) / 2 for side in shape)
    return Window((grid.scale_y, grid.scale_x), (room_y, room_x))


def place_clip(
    image_shape: tuple[int, int], image_size: int, parameters: SpatialParameters, window: Window | None
) -> Placement:
    """Computes where the network's square lies in an image.

    Flip, zoom and rotation are about the square's centre. A window is moved to its drawn position instead of
    by the drawn translation, if it has room along any axis (the follow-up's code).

    Args:
        image_shape: Height and width of the (cropped) image.
        image_size: Side N of the network's input.
        parameters: The drawn transform, in network pixels.
        window: What the network sees of the image; None for all of it.
    """
    height, width = image_shape
    if window is None:
        scale = np.full(2, max(height, width) / image_size)
        moved = -np.array(parameters.translation[::-1])
    else:
        scale, room = np.array(window.scale[::-1]), np.array(window.room[::-1])
        moved = room * parameters.position[::-1] if room.any() else -np.array(parameters.translation[::-1])
    flip = np.diag([-1.0 if flipped else 1.0 for flipped in reversed(parameters.flip)])
    zoom = np.diag([1.0 / factor for factor in reversed(parameters.zoom)])
    cosine, sine = np.cos(parameters.rotation), np.sin(parameters.rotation)
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    matrix = scale[:, None] * rotation @ zoom @ flip
    translation = np.array([width - 1, height - 1]) / 2 - (image_size - 1) / 2 + scale * moved
    if window is None:
        return Placement(matrix, translation, slice(0, height), slice(0, width))
    # A spline moves no pixel further than the control point that is moved most.
    reach = (image_size - 1) / 2 + np.abs(parameters.elastic).reshape(-1, 2).max(axis=0, initial=0)[::-1]
    middle, extent = (image_size - 1) / 2 + translation, np.abs(matrix) @ reach
    columns, rows = (
        _seen(low, high, side)
        for low, high, side in zip(middle - extent, middle + extent, (width, height), strict=True)
    )
    return Placement(matrix, translation, rows, columns)


def _seen(low: float, high: float, side: int) -> slice:
    """Finds the pixels of an axis of which places from `low` to `high` see any, mirrored beyond its ends."""
    begin, end = max(low, 0.0), min(high, side - 1.0)
    if low < 0:
        begin, end = 0.0, max(end, -low)
    if high > side - 1:
        begin, end = min(begin, 2 * side - 2 - high), side - 1.0
    # One pixel more at either end leaves rounding, and the half pixel beyond an edge, without effect.
    return slice(max(0, math.floor(begin) - 1), min(side, math.ceil(end) + 2))

"""Lays pictures out side by side, at sizes a person can look at. It knows numpy arrays only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cosembed.reporting.overlays import encode_png
from cosembed.reporting.report import Picture, Row

# In pixels: what a picture's longer side is enlarged to at least, and the white gap between pictures.
SMALLEST_SIDE, GAP = 280, 8


def labelled_row(caption: str, panels: Mapping[str, NDArray[np.uint8]]) -> Row:
    """Makes a row of a report from pictures, each enlarged by a whole factor if it is small.

    Args:
        caption: What the pictures show together.
        panels: Title -> RGB uint8 [H, W, 3].
    """
    return Row(
        caption, [Picture(title, encode_png(enlarged_to_see(panel))) for title, panel in panels.items()]
    )


def picture_row(panels: list[NDArray[np.uint8]], side: int = SMALLEST_SIDE) -> NDArray[np.uint8]:
    """Joins pictures RGB uint8 [H, W, 3] of one size side by side, enlarged as `enlarged_to_see` does."""
    return _joined([enlarged_to_see(panel, side) for panel in panels], axis=1)


def picture_column(rows: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Joins pictures RGB uint8 [H, W, 3] of one width below each other."""
    return _joined(rows, axis=0)


def enlarged_to_see(picture: NDArray[np.uint8], side: int = SMALLEST_SIDE) -> NDArray[np.uint8]:
    """Enlarges a picture [H, W, 3] by the least whole factor that makes its longer side at least `side`."""
    factor = max(1, -(-side // max(picture.shape[:2])))
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def grey_rgb(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Makes grey values [H, W] an RGB picture [H, W, 3]."""
    return np.repeat(grey[..., None], 3, axis=-1)


def resized(picture: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Copies a picture or label image at another size, by the nearest neighbour.

    Args:
        picture: [H, W, ...].
        shape: Height and width of the copy; further sizes are not looked at.
    """
    rows, columns = (
        np.arange(side) * before // side for side, before in zip(shape, picture.shape, strict=False)
    )
    return picture[rows][:, columns]


def _joined(pictures: list[NDArray[np.uint8]], axis: int) -> NDArray[np.uint8]:
    height, width, _ = pictures[0].shape
    gap = np.full((height, GAP, 3) if axis else (GAP, width, 3), 255, np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], axis)

"""Pictures side by side, at sizes a person can look at. Knows numpy arrays only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cosembed.reporting.overlays import encode_png
from cosembed.reporting.report import Picture, Row

SMALLEST_SIDE, GAP = 280, 8


def labelled_row(caption: str, panels: Mapping[str, NDArray[np.uint8]]) -> Row:
    """Panels of a report, title -> RGB uint8 [H, W, 3], enlarged by a whole factor if they are small."""
    return Row(
        caption, [Picture(title, encode_png(enlarged_to_see(panel))) for title, panel in panels.items()]
    )


def picture_row(panels: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Panels of one size side by side with a white gap, enlarged by a whole factor if they are small."""
    return _joined([enlarged_to_see(panel) for panel in panels], axis=1)


def picture_column(rows: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Pictures of one width below each other with a white gap."""
    return _joined(rows, axis=0)


def enlarged_to_see(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A small picture enlarged by a whole factor."""
    factor = max(1, -(-SMALLEST_SIDE // max(picture.shape[:2])))
    return picture.repeat(factor, axis=0).repeat(factor, axis=1)


def grey_rgb(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey [H, W] as RGB."""
    return np.repeat(grey[..., None], 3, axis=-1)


def resized(picture: NDArray, shape: tuple[int, ...]) -> NDArray:
    """Nearest-neighbour copy [H, W, ...] of a picture or label image at another size."""
    rows, columns = (
        np.arange(side) * before // side for side, before in zip(shape, picture.shape, strict=False)
    )
    return picture[rows][:, columns]


def _joined(pictures: list[NDArray[np.uint8]], axis: int) -> NDArray[np.uint8]:
    height, width, _ = pictures[0].shape
    gap = np.full((height, GAP, 3) if axis else (GAP, width, 3), 255, np.uint8)
    return np.concatenate([part for picture in pictures for part in (picture, gap)][:-1], axis)

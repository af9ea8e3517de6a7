"""Chooses how large cells are to the network: whole images, or tiles at some scale. Knows sizes only.

The paper scales every image to the network's square, and names the limit of that: small cells in large images
become too small. The follow-up cuts the image into tiles instead.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# A narrower cell, in network pixels, has hardly a pixel whose surroundings are its own.
FEWEST_WIDE = 12.0
# Cells of tiles are made so wide: twice what they need, since many are smaller than a typical one.
WANTED_WIDE = 24.0
# Enlarging further adds no detail.
LARGEST_SCALE = 2.0
# Neighbouring tiles share what a large cell takes, so that every cell lies whole in some tile.
OVERLAP_WIDTHS, OVERLAP_STEP = 1.5, 8
# Augmentation zooms by up to a quarter (paper appendix 6), so that a network knows cells of such widths.
ALIKE = 1.25


class Magnification(NamedTuple):
    """Says how an image is brought to the network.

    Attributes:
        scale: Network pixels per original pixel; 0: the whole image is scaled to the network's square.
        overlap: Network pixels that neighbouring tiles share; 0 without tiles.
        narrow: How wide small cells are, in network pixels.
        typical: How wide a typical cell is, in network pixels.
        wide: How wide large cells are, in network pixels.
    """

    scale: float
    overlap: int
    narrow: float
    typical: float
    wide: float

    @property
    def too_small(self) -> bool:
        """Returns whether small cells are narrower than the network needs."""
        return self.narrow < FEWEST_WIDE


def disc_width(area: float) -> float:
    """Returns how wide a disc of an area is, as cells of that area are taken to be."""
    return math.sqrt(area * 4 / math.pi)


def choose_magnification(
    areas: NDArray[np.float64], image_shape: tuple[int, int], image_size: int
) -> Magnification:
    """Chooses whole images where small cells stay wide enough, else tiles.

    Args:
        areas: Areas of cells, in original pixels; at least one.
        image_shape: Height and width of the images.
        image_size: Side of the network's input.
    """
    widths = _widths(areas)
    narrow, typical, _ = widths
    whole = image_size / math.sqrt(math.prod(image_shape))
    scale = round(min(max(WANTED_WIDE / typical, FEWEST_WIDE / narrow), LARGEST_SCALE), 2)
    # Of an image that a single tile holds, tiles would only change the shape.
    if narrow * whole >= FEWEST_WIDE or scale * max(image_shape) <= image_size:
        return _whole(widths, whole)
    return _tiles(widths, scale, image_size)


def match_magnification(
    areas: NDArray[np.float64], image_shape: tuple[int, int], image_size: int, known: float, tiled: bool
) -> Magnification:
    """Chooses the scale at which cells are as wide as those that a network was trained on.

    Args:
        areas: As for `choose_magnification`.
        image_shape: Height and width of the images.
        image_size: Side of the network's input.
        known: How wide a typical cell of its training was, in network pixels.
        tiled: Whether the network knows tiles only. One that knows whole images keeps them where their cells
            are about as wide.
    """
    widths = _widths(areas)
    whole = image_size / math.sqrt(math.prod(image_shape))
    scale = float(f"{min(known / widths[1], LARGEST_SCALE):.3g}")
    if not tiled and 1 / ALIKE <= whole / scale <= ALIKE:
        return _whole(widths, whole)
    return _tiles(widths, scale, image_size)


def _widths(areas: NDArray[np.float64]) -> tuple[float, float, float]:
    """Returns how wide small, typical and large cells are, in original pixels."""
    narrow, typical, wide = (disc_width(float(area)) for area in np.percentile(areas, (10, 50, 95)))
    return narrow, typical, wide


def _whole(widths: tuple[float, float, float], zoom: float) -> Magnification:
    narrow, typical, wide = widths
    return Magnification(0.0, 0, narrow * zoom, typical * zoom, wide * zoom)


def _tiles(widths: tuple[float, float, float], scale: float, image_size: int) -> Magnification:
    narrow, typical, wide = widths
    steps = math.ceil(OVERLAP_WIDTHS * wide * scale / OVERLAP_STEP)
    overlap = min(OVERLAP_STEP * steps, image_size // 2)
    return Magnification(scale, overlap, narrow * scale, typical * scale, wide * scale)

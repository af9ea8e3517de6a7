"""Writes the numbers of cells on a picture, where there is room for them. It knows numpy arrays only."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from cosembed.reporting.panels import resized
from cosembed.tracking.regions import measure_regions

# The digits' height in pixels of the picture, about; smaller ones could not be read.
DIGITS = 11


def draw_numbers(picture: NDArray[np.uint8], labels: NDArray) -> NDArray[np.uint8]:
    """Writes the label of every cell at its centroid, or else just below or above it, white with a black rim.

    At the centroid it may neither be larger than the cell nor cover another one, beside it not cover any. A
    number that fits nowhere, within the picture and free of other numbers, is left out.

    Args:
        picture: RGB uint8 [H, W, 3], at the size at which it is shown.
        labels: [H', W'] of any size; 0 is background.

    Returns:
        A copy of the picture with numbers.
    """
    shown = resized(labels, picture.shape).astype(np.uint16)
    image = Image.fromarray(picture)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(DIGITS)
    boxes = ndimage.find_objects(shown)
    taken = shown.astype(np.int64)
    for label, region in measure_regions(shown).items():
        text, rows, (row, column) = str(label), boxes[label - 1][0], (region.y, region.x)
        height, width = _size(draw, text, font)
        at_centre = height * width <= region.area and shown[round(row), round(column)] == label
        for middle, allowed in (
            *([(row, label)] if at_centre else []),
            (rows.stop + height / 2, 0),
            (rows.start - height / 2 - 1, 0),
        ):
            top, left = round(middle - height / 2), round(column - width / 2)
            if min(top, left) < 0 or top + height > len(shown) or left + width > shown.shape[1]:
                continue
            covered = taken[top : top + height, left : left + width]
            if ((covered == 0) | (covered == allowed)).all():
                draw.text(
                    (left + width / 2, top + height / 2),
                    text,
                    fill="white",
                    font=font,
                    anchor="mm",
                    stroke_width=1,
                    stroke_fill="black",
                )
                # No other number may come here.
                covered[...] = -1
                break
    return np.asarray(image)


def _size(
    draw: ImageDraw.ImageDraw, text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont
) -> tuple[int, int]:
    """Measures the height and width of a text with its rim."""
    left, top, right, bottom = draw.textbbox((0, 0), text, font=font, anchor="mm", stroke_width=1)
    return math.ceil(bottom - top), math.ceil(right - left)

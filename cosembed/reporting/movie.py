"""Makes an overlay movie of a video as an animated GIF of bounded size and memory.

However long and large the video, the movie has at most `MAX_FRAMES` pictures with sides of at most `MAX_SIDE`
pixels. This module knows frames and label images, no files.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cosembed.reporting.colours import PALETTE
from cosembed.reporting.numbers import draw_numbers
from cosembed.reporting.overlays import OUTLINE, TINT, overlay
from cosembed.reporting.panels import enlarged_to_see, resized

MAX_FRAMES, MAX_SIDE = 120, 480
MILLISECONDS = 125


def movie_frames(count: int) -> range:
    """Chooses the frames to show: every one, or every n-th of a long video.

    Args:
        count: Number of frames of the video.
    """
    return range(0, count, -(-count // MAX_FRAMES))


def shrink(frame: NDArray) -> NDArray[np.float32]:
    """Shrinks the first channel of a frame to sides of at most `MAX_SIDE` pixels, by the mean of the pixels.

    Args:
        frame: [H, W] or [H, W, C] of any dtype; a small one keeps its size.

    Returns:
        float32 [H', W'].
    """
    grey = Image.fromarray(np.asarray(frame if frame.ndim == 2 else frame[..., 0], np.float32))
    height, width = shown_shape((grey.height, grey.width))
    return np.asarray(grey.resize((width, height), Image.Resampling.BOX))


def shown_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """Gives the height and width to which `shrink` brings frames of a height and width."""
    factor = min(1.0, MAX_SIDE / max(shape))
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def movie_picture(
    frame: NDArray, labels: NDArray, title: str, colours: Mapping[int, int] | None = None
) -> Image.Image:
    """Draws one picture of the movie: a frame, its labels with their numbers, and a title in the corner.

    Args:
        frame: [H, W] or [H, W, C] of any dtype; a large one is shrunk, a small one enlarged.
        labels: [H, W], or as small as `shown_shape` says.
        title: Short text, such as the frame's number.
        colours: The labels' colours, as in `overlays.colour_labels`.

    Returns:
        A picture in the colours that all pictures of a movie share.
    """
    small = shrink(frame)
    coloured = overlay(small, resized(labels, small.shape), colours)
    return in_shared_colours(titled(draw_numbers(enlarged_to_see(coloured), labels), title))


def titled(picture: NDArray[np.uint8], title: str) -> NDArray[np.uint8]:
    """Writes a short title into the upper left corner of a picture RGB uint8 [H, W, 3]; gives a copy."""
    image = Image.fromarray(picture)
    ImageDraw.Draw(image).text((4, 3), title, fill="white", stroke_width=1, stroke_fill="black")
    return np.asarray(image)


def in_shared_colours(picture: NDArray[np.uint8]) -> Image.Image:
    """Draws a picture RGB uint8 [H, W, 3] in the colours that all pictures of a movie share."""
    return Image.fromarray(picture).quantize(palette=_PALETTE, dither=Image.Dither.NONE)


def _palette() -> Image.Image:
    """Collects the 256 colours that all pictures share: greys, greys tinted in labels' colours, and outlines.

    With a palette of its own in each picture, a label's colour would flicker.
    """
    tinted = (1 - TINT) * np.linspace(0, 255, 15)[:, None, None] + TINT * PALETTE
    outlines = (1 - OUTLINE) * 128 + OUTLINE * PALETTE
    greys = np.repeat(np.linspace(0, 255, 256 - 16 * len(PALETTE))[:, None], 3, axis=1)
    image = Image.new("P", (1, 1))
    image.putpalette(
        np.concatenate([greys, tinted.reshape(-1, 3), outlines]).round().astype(np.uint8).tobytes()
    )
    return image


_PALETTE = _palette()


def encode_gif(pictures: Iterable[Image.Image]) -> bytes:
    """Encodes pictures of one size as an animated GIF that repeats for ever.

    Args:
        pictures: At least one; they are made and written one at a time, so that few are in memory.
    """
    iterator, buffer = iter(pictures), io.BytesIO()
    next(iterator).save(
        buffer, "GIF", save_all=True, append_images=iterator, duration=MILLISECONDS, loop=0, optimize=False
    )
    return buffer.getvalue()

"""An overlay movie of a video as an animated GIF of bounded size and memory. Knows frames and label images, no files.

At most `MAX_FRAMES` pictures with sides of at most `MAX_SIDE` pixels, whatever the video.
"""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cosembed.reporting.overlays import OUTLINE, PALETTE, TINT, overlay
from cosembed.reporting.panels import enlarged_to_see, resized

MAX_FRAMES, MAX_SIDE = 120, 480
MILLISECONDS = 125


def movie_frames(count: int) -> range:
    """The frames that are shown: every one, or every n-th of a long video."""
    return range(0, count, -(-count // MAX_FRAMES))


def shrink(frame: NDArray) -> NDArray[np.float32]:
    """The first channel of a frame [H, W] or [H, W, C] with sides of at most `MAX_SIDE`, by the mean of the pixels."""
    grey = Image.fromarray(np.asarray(frame if frame.ndim == 2 else frame[..., 0], np.float32))
    factor = min(1.0, MAX_SIDE / max(grey.size))
    size = (max(1, round(grey.width * factor)), max(1, round(grey.height * factor)))
    return np.asarray(grey.resize(size, Image.Resampling.BOX))


def movie_picture(frame: NDArray, labels: NDArray, title: str) -> Image.Image:
    """One picture of the movie: the shrunken frame (or the frame enlarged), its labels, and a title in the corner."""
    small = shrink(frame)
    coloured = overlay(small, resized(labels, small.shape))
    image = Image.fromarray(enlarged_to_see(coloured))
    ImageDraw.Draw(image).text((4, 3), title, fill="white", stroke_width=1, stroke_fill="black")
    return image.quantize(palette=_PALETTE, dither=Image.Dither.NONE)


def _palette() -> Image.Image:
    """The 256 colours of every picture, so that a label has the same ones in all: greys, tinted greys, outlines."""
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
    """Pictures of one size, in turn and for ever."""
    iterator, buffer = iter(pictures), io.BytesIO()
    next(iterator).save(
        buffer, "GIF", save_all=True, append_images=iterator, duration=MILLISECONDS, loop=0, optimize=False
    )
    return buffer.getvalue()

"""Reads PNG files. Knows pixels, not what they mean.

The size is checked in the header before anything is decoded.
"""

from __future__ import annotations

from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cosembed.files.reading import check_extent
from cosembed.images.decoding import Header, check_decoded, decoder_errors

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# The colour type that a header states -> channels after decoding: grey, RGB, palette, grey and RGB with
# opacity.
CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}


def is_png(path: Path) -> bool:
    """Tells whether a file's name says that it is a PNG."""
    return path.suffix.lower() == ".png"


def read_png(path: Path) -> NDArray:
    """Decodes an image, [H, W] or [H, W, C], uint8 or uint16.

    Raises:
        DataError: It is missing, damaged, too large, or no PNG.
    """
    with decoder_errors(path):
        header = _read_header(path)
        return check_decoded(path, np.asarray(imagecodecs.png_decode(path.read_bytes())), header)


def read_png_header(path: Path) -> Header:
    """Reads the header and decodes nothing; raises as `read_png`."""
    with decoder_errors(path):
        return _read_header(path)


def _read_header(path: Path) -> Header:
    with path.open("rb") as stream:
        start = stream.read(26)
    if len(start) < 26 or start[:8] != SIGNATURE:
        raise ValueError("not a PNG file")
    width, height = int.from_bytes(start[16:20], "big"), int.from_bytes(start[20:24], "big")
    channels = CHANNELS.get(start[25], 1)
    check_extent(str(path), (height, width, channels), 2 if start[24] == 16 else 1)
    return Header(height, width, f"uint{start[24]}", channels)

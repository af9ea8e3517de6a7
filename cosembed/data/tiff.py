"""Reading and writing single images. Knows pixels, not what they mean.

TIFF (any compression that imagecodecs knows) and PNG. Dimensions are checked in the header before anything is decoded.
"""

from __future__ import annotations

import io
import logging
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.files import atomic_write_bytes

SUFFIXES = (".tif", ".tiff", ".png")
MAX_PIXELS = 2**28
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# tifffile logs what it also raises; the user gets one sentence from us.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)


def read_image(path: Path, page: int = 0) -> NDArray:
    """One image, [H, W] or [H, W, C], in its native dtype.

    Raises:
        DataError: Missing, unreadable, truncated, too large, or neither TIFF nor PNG.
    """
    check_header(path, page)
    try:
        if path.suffix.lower() == ".png":
            image = np.asarray(imagecodecs.png_decode(path.read_bytes()))
        else:
            with tifffile.TiffFile(path) as file:
                image = np.asarray(file.pages[page].asarray())
    except Exception as error:
        raise _unreadable(path, error) from error
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim not in (2, 3) or image.dtype.kind not in "uif":
        raise DataError(f"{path}: holds an array of shape {image.shape} and type {image.dtype}; save it as a 2D image")
    return image


def image_shape(path: Path) -> tuple[int, int]:
    """Height and width of the first page, from the header alone."""
    return check_header(path, 0)[:2]


def page_count(path: Path) -> int:
    """How many pages of the first page's size a TIFF has."""
    try:
        with tifffile.TiffFile(path) as file:
            return len(file.pages)
    except Exception as error:
        raise _unreadable(path, error) from error


def check_header(path: Path, page: int) -> tuple[int, int, str]:
    """Height, width and dtype as the header states them.

    Raises:
        DataError: No image, or one too large to be a microscopy frame.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{path}: is neither TIFF nor PNG; convert it")
    try:
        if path.suffix.lower() == ".png":
            with path.open("rb") as stream:
                header = stream.read(26)
            if len(header) < 26 or header[:8] != PNG_SIGNATURE:
                raise ValueError("not a PNG file")
            width, height = (int.from_bytes(header[start : start + 4], "big") for start in (16, 20))
            dtype = f"PNG of {header[24]} bits"
        else:
            with tifffile.TiffFile(path) as file:
                description = file.pages[page].aspage()
                height, width, dtype = description.imagelength, description.imagewidth, str(description.dtype)
    except Exception as error:
        raise _unreadable(path, error) from error
    if not 0 < height * width <= MAX_PIXELS:
        raise DataError(
            f"{path}: states a size of {width} x {height} pixels; the file is damaged or too large, cut or replace it"
        )
    return height, width, dtype


def write_mask(path: Path, mask: NDArray[np.uint16]) -> None:
    """Writes a label image uint16 [H, W] as zlib-compressed TIFF, complete or not at all."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.ascontiguousarray(mask, dtype=np.uint16), compression="zlib", metadata=None)
    atomic_write_bytes(path, buffer.getvalue())


def _unreadable(path: Path, error: Exception) -> DataError:
    if not path.exists():
        return DataError(f"{path}: does not exist; check the path")
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(f"{path}: cannot be read ({reason}); the file is damaged or truncated, replace it")

"""Reading and writing single images. Knows pixels, not what they mean.

TIFF (any compression that imagecodecs knows) and PNG. Dimensions are checked in the header before anything is decoded.
"""

from __future__ import annotations

import io
import logging
import math
from pathlib import Path
from typing import NamedTuple

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.files import atomic_write_bytes

SUFFIXES = (".tif", ".tiff", ".png")
MAX_PIXELS = 2**28
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}

# tifffile logs what it also raises; the user gets one sentence from us.
logging.getLogger("tifffile").setLevel(logging.CRITICAL)


class Header(NamedTuple):
    """Height, width, type and channels of one page, as its header states them."""

    height: int
    width: int
    dtype: str
    channels: int

    @property
    def pixels(self) -> str:
        """Kind of pixels, `uint16` or `uint8 x 3`."""
        return self.dtype if self.channels == 1 else f"{self.dtype} x {self.channels}"


def read_image(path: Path, page: int = 0) -> NDArray:
    """One image, [H, W] or [H, W, C], in its native dtype.

    Raises:
        DataError: Missing, unreadable, truncated, too large, or neither TIFF nor PNG.
    """
    _check_suffix(path)
    try:
        if is_png(path):
            _png_header(path)
            image = np.asarray(imagecodecs.png_decode(path.read_bytes()))
        else:
            with tifffile.TiffFile(path) as file:
                selected = file.pages[page].aspage()
                _tiff_header(selected, path)
                image = np.asarray(selected.asarray())
                if selected.axes == "SYX":
                    image = np.moveaxis(image, 0, -1)
    except DataError:
        raise
    except Exception as error:
        raise unreadable(path, error) from error
    if image.ndim not in (2, 3) or image.dtype.kind not in "uif":
        raise DataError(f"{path}: holds an array of shape {image.shape} and type {image.dtype}; save it as a 2D image")
    return image


def image_shape(path: Path) -> tuple[int, int]:
    """Height and width of the first page, from the header alone."""
    return check_header(path)[:2]


def check_header(path: Path, page: int = 0) -> Header:
    """The header of one page; raises as `read_headers`."""
    return read_headers(path)[page]


def read_headers(path: Path) -> list[Header]:
    """The headers of all pages; nothing is decoded.

    Raises:
        DataError: No image, a truncated one, or one too large to be a microscopy frame.
    """
    _check_suffix(path)
    try:
        if is_png(path):
            return [_png_header(path)]
        with tifffile.TiffFile(path) as file:
            headers = [_tiff_header(page.aspage(), path) for page in file.pages]
            if len(headers) == 1 and math.prod(file.series[0].shape) > math.prod(file.pages[0].aspage().shape):
                raise DataError(f"{path}: holds several images in one TIFF page; save them as a folder of TIFF files")
            return headers
    except DataError:
        raise
    except Exception as error:
        raise unreadable(path, error) from error


def write_mask(path: Path, mask: NDArray[np.uint16]) -> None:
    """Writes a label image uint16 [H, W] as zlib-compressed TIFF, complete or not at all."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.ascontiguousarray(mask, dtype=np.uint16), compression="zlib", metadata=None)
    atomic_write_bytes(path, buffer.getvalue())


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(f"{path}: is neither TIFF nor PNG; convert it")


def is_png(path: Path) -> bool:
    """Whether the name says PNG."""
    return path.suffix.lower() == ".png"


def _png_header(path: Path) -> Header:
    with path.open("rb") as stream:
        start = stream.read(26)
    if len(start) < 26 or start[:8] != PNG_SIGNATURE:
        raise ValueError("not a PNG file")
    width, height = int.from_bytes(start[16:20], "big"), int.from_bytes(start[20:24], "big")
    return _header(path, height, width, f"uint{start[24]}", PNG_CHANNELS.get(start[25], 1))


def _tiff_header(page: tifffile.TiffPage, path: Path) -> Header:
    header = _header(path, page.imagelength, page.imagewidth, str(page.dtype), page.samplesperpixel)
    ends = (offset + count for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False))
    if max(ends, default=math.inf) > path.stat().st_size:
        raise ValueError("its pixels reach beyond the end of the file")
    return header


def _header(path: Path, height: int, width: int, dtype: str, channels: int) -> Header:
    if not 0 < height * width * channels <= MAX_PIXELS:
        raise DataError(
            f"{path}: states a size of {width} x {height} pixels; the file is damaged or too large, cut or replace it"
        )
    return Header(height, width, dtype, channels)


def unreadable(path: Path, error: Exception) -> DataError:
    """The sentence for a file that a library failed to read."""
    if not path.exists():
        return DataError(f"{path}: does not exist; check the path")
    if isinstance(error, PermissionError):
        return DataError(f"{path}: may not be read; change its permissions")
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(f"{path}: cannot be read ({reason}); the file is damaged or truncated, replace it")

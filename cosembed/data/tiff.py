"""Reading and writing single images. Knows pixels, not what they mean.

TIFF (uncompressed, LZW, deflate, PackBits, Zstandard) and PNG. Dimensions are checked in the header before anything is
decoded, and what a decoder would replace by zeros is an error.
"""

from __future__ import annotations

import io
import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import imagecodecs
import numpy as np
import tifffile
from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.files import atomic_write_bytes
from cosembed.reading import check_extent, check_regular, reason

SUFFIXES = (".tif", ".tiff", ".png")
# Lossless, and unpacked to the size that the header states, not to that of a header within.
COMPRESSIONS = ("NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "ZSTD", "ZSTD_DEPRECATED")
AXES = ("YX", "YXS", "SYX")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}


class _Damage(logging.Handler):
    """Where tifffile logs an error and goes on, without a page or a tag, reading ends for us."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.reading = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(self.reading, "active", False):
            # Behind the name of tifffile's own object.
            raise ValueError(record.getMessage().rpartition("> ")[2])


_damage = _Damage()
# Its warnings are about headers that do no harm.
logging.getLogger("tifffile").setLevel(logging.ERROR)
logging.getLogger("tifffile").addHandler(_damage)


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
    with opened(path) as file:
        if file is None:
            header = _png_header(path)
            image = np.asarray(imagecodecs.png_decode(path.read_bytes()))
        else:
            selected = file.pages[page].aspage()
            header = _tiff_header(selected, path)
            image = np.asarray(selected.asarray())
            if selected.axes == "SYX":
                image = np.moveaxis(image, 0, -1)
    if image.shape[:2] != header[:2] or image.ndim not in (2, 3) or image.dtype.kind not in "uif":
        raise DataError(
            f"{path}: holds an array of shape {image.shape} and type {image.dtype}; save it as a 2D image"
        )
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
    with opened(path) as file:
        return [_png_header(path)] if file is None else _tiff_headers(file, path)


@contextmanager
def opened(path: Path) -> Iterator[tifffile.TiffFile | None]:
    """The file as TIFF, or None if it is PNG; whatever a decoder raises in the block becomes a `DataError`."""
    try:
        check_regular(path)
        if is_png(path):
            yield None
            return
        _damage.reading.active = True
        # Other files that its metadata name are not opened.
        with tifffile.TiffFile(path, _multifile=False) as file:
            yield file
    except DataError:
        raise
    except Exception as error:
        raise unreadable(path, error) from error
    finally:
        _damage.reading.active = False


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
    channels = PNG_CHANNELS.get(start[25], 1)
    check_extent(str(path), (height, width, channels), 2 if start[24] == 16 else 1)
    return Header(height, width, f"uint{start[24]}", channels)


def _tiff_headers(file: tifffile.TiffFile, path: Path) -> list[Header]:
    headers: list[Header] = []
    offsets: set[int] = set()
    for page in file.pages:
        if page.offset in offsets:
            raise ValueError("its pages run in a circle")
        offsets.add(page.offset)
        headers.append(_tiff_header(page.aspage(), path))
    if len(headers) != len(file.pages):
        raise ValueError(f"only {len(headers)} of its {len(file.pages)} pages are there")
    if len(headers) == 1 and math.prod(file.series[0].shape) > math.prod(file.pages[0].aspage().shape):
        raise DataError(f"{path}: holds several images in one TIFF page; save them as a folder of TIFF files")
    return headers


def _tiff_header(page: tifffile.TiffPage, path: Path) -> Header:
    compression = getattr(page.compression, "name", str(page.compression))
    if compression not in COMPRESSIONS:
        raise DataError(
            f"{path}: its pixels are compressed as {compression}; save it without compression, or with LZW or deflate"
        )
    if page.dtype is None or page.axes not in AXES:
        raise DataError(
            f"{path}: is not a two-dimensional image (axes {page.axes}, type {page.dtype}); save it as one"
        )
    if page.samplesperpixel < 1:
        raise ValueError("it states that a pixel has no value")
    if page.dtype.kind not in "uif":
        raise DataError(
            f"{path}: its pixels are of type {page.dtype}; save it with 8 or 16 bits a pixel, or as float"
        )
    check_extent(str(path), page.shape, page.dtype.itemsize)
    if page.is_tiled:
        check_extent(str(path), (page.tilelength, page.tilewidth, page.samplesperpixel), page.dtype.itemsize)
    _check_parts(page, path.stat().st_size)
    return Header(page.imagelength, page.imagewidth, str(page.dtype), page.samplesperpixel)


def _check_parts(page: tifffile.TiffPage, size: int) -> None:
    """Raises `ValueError` unless all strips or tiles are there; tifffile leaves the others empty."""
    parts = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if len(parts) != math.prod(page.chunked):
        raise ValueError(f"it holds {len(parts)} of {math.prod(page.chunked)} parts of its pixels")
    if any(offset < 1 or count < 1 or offset + count > size for offset, count in parts):
        raise ValueError("its pixels reach beyond the end of the file")


def unreadable(path: Path, error: Exception) -> DataError:
    """The sentence for a file that a library failed to read."""
    if not path.exists():
        return DataError(f"{path}: does not exist; check the path")
    if isinstance(error, PermissionError):
        return DataError(f"{path}: may not be read; change its permissions")
    return DataError(
        f"{path}: cannot be read ({reason(error)}); the file is damaged or truncated, replace it"
    )

"""Reads and writes TIFF files: uncompressed, LZW, deflate, PackBits or Zstandard.

Knows pixels, not what they mean.

Sizes are checked in the header before anything is decoded, and what the library would replace by zeros is an
error.
"""

from __future__ import annotations

import io
import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.files.reading import check_extent
from cosembed.files.wording import counted
from cosembed.files.writing import atomic_write_bytes
from cosembed.images.decoding import Header, check_decoded, decoder_errors

# Lossless, and unpacked to the size that the header states, not to that of a header within.
COMPRESSIONS = ("NONE", "LZW", "ADOBE_DEFLATE", "DEFLATE", "PACKBITS", "ZSTD", "ZSTD_DEPRECATED")
# tifffile's names of the axes of a page: rows, columns, and the samples of a pixel.
AXES = ("YX", "YXS", "SYX")


class _Damage(logging.Handler):
    """Ends our reading where tifffile logs an error and goes on, without a page or a tag."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.reading = threading.local()

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(self.reading, "active", False):
            # The message begins with the name of tifffile's own object.
            raise ValueError(record.getMessage().rpartition("> ")[2])


_damage = _Damage()
# Warnings of tifffile are about headers that do no harm.
logging.getLogger("tifffile").setLevel(logging.ERROR)
logging.getLogger("tifffile").addHandler(_damage)


@contextmanager
def open_tiff(path: Path) -> Iterator[tifffile.TiffFile]:
    """Opens a file; whatever goes wrong in the block becomes a `DataError` that names it."""
    with decoder_errors(path):
        _damage.reading.active = True
        try:
            # Other files that its metadata name are not opened.
            with tifffile.TiffFile(path, _multifile=False) as file:
                yield file
        finally:
            _damage.reading.active = False


def read_tiff(path: Path, page: int = 0) -> NDArray:
    """Decodes one page, [H, W] or [H, W, C], in its native dtype.

    Raises:
        DataError: The file is missing, damaged, truncated, too large, or no TIFF.
    """
    with open_tiff(path) as file:
        selected = file.pages[page].aspage()
        header = _read_header(selected, path)
        image = np.asarray(selected.asarray())
        return check_decoded(path, np.moveaxis(image, 0, -1) if selected.axes == "SYX" else image, header)


def read_tiff_headers(path: Path) -> list[Header]:
    """Reads the headers of all pages and decodes nothing; raises as `read_tiff`."""
    headers: list[Header] = []
    offsets: set[int] = set()
    with open_tiff(path) as file:
        for page in file.pages:
            if page.offset in offsets:
                raise ValueError("its pages run in a circle")
            offsets.add(page.offset)
            headers.append(_read_header(page.aspage(), path))
        if len(headers) != len(file.pages):
            raise ValueError(f"only {len(headers)} of its {counted(len(file.pages), 'page')} are there")
        if len(headers) == 1 and math.prod(file.series[0].shape) > math.prod(file.pages[0].aspage().shape):
            raise DataError(
                f"{path}: holds several images in one TIFF page; save them as a folder of TIFF files"
            )
    return headers


def write_mask(path: Path, mask: NDArray[np.uint16]) -> None:
    """Writes a label image uint16 [H, W] as zlib-compressed TIFF, complete or not at all."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.ascontiguousarray(mask, dtype=np.uint16), compression="zlib", metadata=None)
    atomic_write_bytes(path, buffer.getvalue())


def _read_header(page: tifffile.TiffPage, path: Path) -> Header:
    compression = getattr(page.compression, "name", str(page.compression))
    if compression not in COMPRESSIONS:
        raise DataError(
            f"{path}: its pixels are compressed as {compression}; "
            "save it without compression, or with LZW or deflate"
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
    _check_segments(page, path.stat().st_size)
    return Header(page.imagelength, page.imagewidth, str(page.dtype), page.samplesperpixel)


def _check_segments(page: tifffile.TiffPage, size: int) -> None:
    """Raises `ValueError` unless all strips or tiles lie in the file's `size` bytes.

    tifffile would leave the others empty.
    """
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if len(segments) != math.prod(page.chunked):
        raise ValueError(f"it holds {len(segments)} of {math.prod(page.chunked)} parts of its pixels")
    if any(offset < 1 or count < 1 or offset + count > size for offset, count in segments):
        raise ValueError("its pixels reach beyond the end of the file")

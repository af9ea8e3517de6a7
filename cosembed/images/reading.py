"""Reads single images, TIFF or PNG by their names. Knows pixels, not what they mean."""

from __future__ import annotations

from pathlib import Path

from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.images.decoding import Header
from cosembed.images.frame_files import KINDS, how_to_convert, is_movie
from cosembed.images.png import is_png, read_png, read_png_header
from cosembed.images.tiff import read_tiff, read_tiff_headers


def read_image(path: Path, page: int = 0) -> NDArray:
    """Reads one image, [H, W] or [H, W, C], in its native dtype.

    Args:
        path: The file.
        page: Which page of a TIFF, counted from 0; a PNG has one.

    Raises:
        DataError: It is missing, unreadable, truncated, too large, or neither TIFF nor PNG.
    """
    _check_suffix(path)
    return read_png(path) if is_png(path) else read_tiff(path, page)


def read_headers(path: Path) -> list[Header]:
    """Reads the headers of all pages and decodes nothing.

    Raises:
        DataError: It is no image, a truncated one, or one too large to be a microscopy frame.
    """
    _check_suffix(path)
    return [read_png_header(path)] if is_png(path) else read_tiff_headers(path)


def image_shape(path: Path) -> tuple[int, int]:
    """Returns height and width of the first page, from the header alone; raises as `read_headers`."""
    return read_headers(path)[0][:2]


def _check_suffix(path: Path) -> None:
    if is_movie(path):
        raise DataError(
            f"{path}: is a film, not a series of images; convert it, {how_to_convert(path)}, and give the "
            "folder"
        )
    if path.suffix.lower() not in KINDS:
        raise DataError(f"{path}: is neither TIFF nor PNG; convert it")

"""Holds what all image formats share: headers, and decoders' errors in one sentence. Knows no format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.files.reading import check_regular, reason
from cosembed.images.frame_files import KINDS


class Header(NamedTuple):
    """Holds height, width, type and channels of one image, as its file's header states them."""

    height: int
    width: int
    dtype: str
    channels: int

    @property
    def pixels(self) -> str:
        """Names the kind of pixels: `uint16`, or `uint8 x 3` where there are channels."""
        return self.dtype if self.channels == 1 else f"{self.dtype} x {self.channels}"


# How files of other kinds begin, which people name as ours.
SIGNATURES = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"\x89HDF": "HDF5",
    b"%PDF": "PDF",
    b"PK\x03\x04": "ZIP",
}


@contextmanager
def decoder_errors(path: Path) -> Iterator[None]:
    """Checks that a file may be opened, and turns what a decoder raises in the block into a `DataError`."""
    try:
        check_regular(path)
        yield
    except DataError:
        raise
    except Exception as error:
        raise _unreadable(path, error) from error


def check_decoded(path: Path, image: NDArray, header: Header) -> NDArray:
    """Returns a decoded image after checking it.

    Raises:
        DataError: Its size is not what the header states, or it is no two-dimensional image of numbers.
    """
    if image.shape[:2] != header[:2] or image.ndim not in (2, 3) or image.dtype.kind not in "uif":
        raise DataError(
            f"{path}: holds an array of shape {image.shape} and type {image.dtype}; save it as a 2D image"
        )
    return image


def _unreadable(path: Path, error: Exception) -> DataError:
    if not path.exists():
        return DataError(f"{path}: does not exist; check the path")
    if isinstance(error, PermissionError):
        return DataError(f"{path}: may not be read; change its permissions")
    kind, named = _kind_of(path), KINDS.get(path.suffix.lower())
    if kind is not None and named is not None and kind != named:
        remedy = (
            "rename it" if kind in KINDS.values() else "convert it to TIFF, which is more than renaming it"
        )
        return DataError(f"{path}: is a {kind} file, though its name says {named}; {remedy}")
    return DataError(
        f"{path}: cannot be read ({reason(error)}); the file is damaged or truncated, replace it"
    )


def _kind_of(path: Path) -> str | None:
    """Names the kind of a file by its first bytes; None if they are of no kind that is known."""
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
    except OSError:
        return None
    return next((kind for signature, kind in SIGNATURES.items() if start.startswith(signature)), None)

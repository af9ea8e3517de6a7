"""Holds what all image formats share: headers, and decoders' errors in one sentence. Knows no format."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.files.reading import check_regular, reason


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
    return DataError(
        f"{path}: cannot be read ({reason(error)}); the file is damaged or truncated, replace it"
    )

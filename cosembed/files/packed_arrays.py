"""Keeps many arrays in little memory: compressed, and beyond a limit in a temporary file.

The file has no name, so that the system removes it however the program ends, be it by kill -9. It lies where
the system keeps temporary files, which the environment variable TMPDIR decides. Knows nothing of what the
arrays hold.
"""

from __future__ import annotations

import math
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from cosembed.errors import OutputError

# So many compressed bytes of one store are kept in memory.
IN_MEMORY = 128 * 10**6
# The fastest level of Zstandard. Label maps take half of what zlib's fastest makes of them, in a quarter of
# its time.
_LEVEL = 1


class Packed(NamedTuple):
    """Holds an array, compressed, with its type and its shape."""

    content: bytes
    dtype: np.dtype
    shape: tuple[int, ...]


class _Entry(NamedTuple):
    """Says where an array lies in the file, and what it is."""

    begin: int
    length: int
    dtype: np.dtype
    shape: tuple[int, ...]


class PackedArrays:
    """Keeps arrays by their index; they can be added, and read in any order.

    Args:
        in_memory: So many compressed bytes are kept in memory.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=in_memory)  # noqa: SIM115
        # It lives as long as this object, whose end is not known here.
        weakref.finalize(self, self._file.close)
        self._entries: list[_Entry] = []
        self._end = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[NDArray]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int, /) -> NDArray:
        """Returns an array, which is not to be written to."""
        content, dtype, shape = self.packed(index)
        size = dtype.itemsize * math.prod(shape)
        return np.frombuffer(imagecodecs.zstd_decode(content, out=size), dtype).reshape(shape)

    def append(self, array: NDArray) -> None:
        """Adds an array.

        Raises:
            OutputError: There is no space for temporary files.
        """
        content = bytes(imagecodecs.zstd_encode(array.tobytes(), _LEVEL))
        self.append_packed(Packed(content, array.dtype, array.shape))

    def packed(self, index: int) -> Packed:
        """Returns an array as it is kept."""
        begin, length, dtype, shape = self._entries[index]
        with _errors_told():
            self._file.seek(begin)
            return Packed(self._file.read(length), dtype, shape)

    def append_packed(self, packed: Packed) -> None:
        """Adds an array that another store has compressed; raises as `append`."""
        with _errors_told():
            self._file.seek(self._end)
            self._file.write(packed.content)
        self._entries.append(_Entry(self._end, len(packed.content), packed.dtype, packed.shape))
        self._end += len(packed.content)

    @property
    def packed_bytes(self) -> int:
        """Counts the compressed bytes of all arrays."""
        return self._end


@contextmanager
def _errors_told() -> Iterator[None]:
    """Turns the system's errors into a sentence that says what to do."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"{tempfile.gettempdir()}: temporary files cannot be kept there ({error.strerror}); free space, "
            "or set the environment variable TMPDIR to a folder that has it"
        ) from error

"""Reads and writes the arrays of a network's folder: npz files of plain numbers. Knows no network.

Nothing is unpickled, and nothing is unpacked before its size was compared with what is expected.
"""

from __future__ import annotations

import hashlib
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import CheckpointError
from cosembed.files.reading import check_regular, reason

Arrays = dict[str, NDArray]
Shape = tuple[int, ...]
# The header of an array within the file.
_HEADER_BYTES = 1024
_UNREADABLE = (OSError, ValueError, EOFError, KeyError, MemoryError, NotImplementedError, RuntimeError)
_DAMAGED = (*_UNREADABLE, zipfile.BadZipFile, zlib.error)


def write_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Writes named arrays; the same arrays give the same bytes."""
    np.savez_compressed(path, **arrays)


def read_arrays(path: Path, shapes: Mapping[str, Shape]) -> Arrays:
    """Reads named arrays of finite floating-point numbers.

    Args:
        path: The npz file.
        shapes: The names it must hold, and no other, and their shapes.

    Returns:
        float32 arrays.

    Raises:
        CheckpointError: The file is damaged, or holds something else.
    """
    try:
        arrays = _read(path, shapes)
    except _DAMAGED as error:
        raise CheckpointError(f"{path}: is damaged ({reason(error)}); restore the file") from error
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise CheckpointError(
                f"{path}: '{name}' has the shape {arrays[name].shape}, and spec.yaml describes a network "
                f"where it is {shape}; keep the files of one network together"
            )
        if not np.isfinite(arrays[name]).all():
            raise CheckpointError(f"{path}: '{name}' holds values that are not finite; restore the file")
    return arrays


def file_sha256(path: Path) -> str:
    """Computes the SHA-256 of a file.

    Raises:
        CheckpointError: It cannot be read.
    """
    try:
        check_regular(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: cannot be read ({reason(error)}); restore the file") from error


def _read(path: Path, shapes: Mapping[str, Shape]) -> Arrays:
    check_regular(path)
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
        names = {name.removesuffix(".npy") for name in archive.namelist()}
    strange = sorted(names ^ shapes.keys())
    if strange:
        raise ValueError(f"'{strange[0]}' is {'missing' if strange[0] in shapes else 'unknown'}")
    # Float64 is the widest number that anyone would store.
    if unpacked > sum(8 * math.prod(shape) + _HEADER_BYTES for shape in shapes.values()):
        raise ValueError("it holds more than the network of spec.yaml has")
    with np.load(path, allow_pickle=False) as archive:
        return {name: _as_float(name, archive[name]) for name in shapes}


def _as_float(name: str, array: NDArray) -> NDArray[np.float32]:
    if not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"'{name}' holds {array.dtype}, not floating-point numbers")
    return array.astype(np.float32)

"""Keeps what some pieces of a video gave in a file, complete or not at all, for them to be joined later.

The file is an npz archive without pickled objects. `record` is a JSON text of whoever writes it, about which
nothing is known here.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.files.packed_arrays import Packed
from cosembed.files.reading import reason
from cosembed.files.writing import atomic_file
from cosembed.inference.piece_labels import PackedPair
from cosembed.inference.samples import SampledTile
from cosembed.inference.tiled import PieceResults

_DAMAGED = (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error)
_SAMPLE = "sample"


def write_pieces(path: Path, record: Mapping[str, Any], found: PieceResults) -> None:
    """Writes what pieces gave.

    Args:
        path: The file.
        record: What made it, in plain values.
        found: The instances and samples of the pieces.

    Raises:
        OSError: The file cannot be written.
    """
    pairs = list(found.labels.packed())
    index = [(one.pair, one.tile, *one.packed.shape, len(one.packed.content)) for one in pairs]
    arrays: dict[str, Any] = {
        "record": _as_bytes(json.dumps({**record, "seconds": found.seconds}).encode()),
        "index": np.array(index, np.int64).reshape(-1, 6),
        "instances": _as_bytes(b"".join(one.packed.content for one in pairs)),
    }
    for frame, tile, embeddings in found.sampled:
        arrays[f"{_SAMPLE} {frame} {tile}"] = embeddings
    with atomic_file(path) as partial, partial.open("wb") as file:
        np.savez(file, **arrays)


def read_record(path: Path) -> dict[str, Any]:
    """Reads only what made the pieces of a file.

    Raises:
        DataError: The file is damaged.
    """
    return _read(path, ("record",))[0]


def read_pieces(path: Path) -> PieceResults:
    """Reads what pieces gave.

    Raises:
        DataError: The file is damaged.
    """
    record, arrays = _read(path)
    if "instances" not in arrays:
        raise DataError(
            f"{path}: was made by another version of cosembed; remove it, and make this shard again"
        )
    found = PieceResults(seconds=record["seconds"])
    begin = 0
    for pair, tile, frames, height, width, length in arrays["index"].tolist():
        content = arrays["instances"][begin : begin + length].tobytes()
        packed = Packed(content, np.dtype(np.int32), (frames, height, width))
        found.labels.append_packed(PackedPair(pair, tile, packed))
        begin += length
    for name, array in arrays.items():
        if name.startswith(_SAMPLE):
            _, frame, tile = name.split()
            found.sampled.append(SampledTile(int(frame), int(tile), array))
    return found


def _as_bytes(content: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(content, np.uint8)


def _read(path: Path, names: tuple[str, ...] = ()) -> tuple[dict[str, Any], dict[str, NDArray]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in names or archive.files}
        record: dict[str, Any] = json.loads(arrays["record"].tobytes())
        record["seconds"] = {str(stage): float(spent) for stage, spent in record["seconds"].items()}
        return record, arrays
    except _DAMAGED as error:
        raise DataError(
            f"{path}: is damaged ({reason(error)}); remove it, and make this shard again"
        ) from error

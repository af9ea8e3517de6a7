"""Keeps the results of a fold: each is there as a whole and made by this very spec, or it is absent.

This module knows no task.

A result is a file or folder below `<fold>/results`. Its record, `<name>.json` beside it, says what made it
and how long each stage took. The record is written last: a result without one, or with one of other values,
is none. That results come from the network in the fold's folder needs no record: `RunFolder` refuses to train
another one there.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed import specs
from cosembed.errors import DataError
from cosembed.files.reading import read_json, reason
from cosembed.files.writing import atomic_write_bytes, atomic_write_text, remove_folder
from cosembed.specs import TrainedSpec

FOLDER = "results"


@dataclass(frozen=True)
class StoredResult:
    """Stands for one result of a fold, whether or not it is there.

    Attributes:
        path: The file or folder of the result.
        record: The file that says what made it.
        fingerprint: What must have made it, as a digest.
    """

    path: Path
    record: Path
    fingerprint: str

    def is_complete(self) -> bool:
        """Tells whether the result is there as a whole and made by these values; a damaged record is none."""
        if not self.path.exists() or not self.record.exists():
            return False
        try:
            return bool(read_record(self.record, "made_from")["made_from"] == self.fingerprint)
        except DataError:
            return False

    def require(self) -> Path:
        """Gives the path of a complete result.

        Raises:
            DataError: There is none.
        """
        if not self.is_complete():
            raise DataError(f"{self.path}: there are no results to score; run --mode=predict first")
        return self.path

    def discard(self) -> None:
        """Removes what is there, the record first."""
        self.record.unlink(missing_ok=True)
        if self.path.is_dir():
            remove_folder(self.path)
        else:
            self.path.unlink(missing_ok=True)

    def complete(self, seconds: Mapping[str, float], **facts: object) -> None:
        """Records that the result is complete.

        Args:
            seconds: Wall time per stage.
            **facts: Whatever else a reader may want to know of the result, in types of JSON.
        """
        record = {"made_from": self.fingerprint, **facts, "seconds": dict(seconds)}
        atomic_write_text(self.record, json.dumps(record, indent=1) + "\n")


def stored_result(fold: Path, file: str, name: str, spec: TrainedSpec, extent: str = "") -> StoredResult:
    """Gives a result of a fold.

    Args:
        fold: The fold's folder.
        file: The name of the result's file or folder.
        name: What the result is of: a video, a patient, a plant.
        spec: Of the network that makes it.
        extent: Which part of a video it is of.
    """
    made_from = f"{spec.training.iterations} {f'{name} {extent}'.strip()}\n{specs.dump(spec)}"
    fingerprint = hashlib.sha256(made_from.encode()).hexdigest()
    results = fold / FOLDER
    return StoredResult(results / file, results / f"{name}.json", fingerprint)


def seconds_of_results(fold: Path) -> dict[str, float]:
    """Sums the wall time of every stage over all results of a fold.

    Raises:
        DataError: A record is damaged.
    """
    stages: dict[str, float] = {}
    for file in sorted((fold / FOLDER).glob("*.json")):
        for stage, seconds in read_record(file, "seconds")["seconds"].items():
            stages[stage] = stages.get(stage, 0.0) + seconds
    return stages


def read_record(path: Path, *keys: str) -> dict[str, Any]:
    """Reads a JSON object that an earlier stage wrote.

    Args:
        path: The file.
        *keys: What the object must have, at least.

    Raises:
        DataError: The file is absent or damaged.
    """
    try:
        content = read_json(path)
        if not isinstance(content, dict):
            raise ValueError("it is no JSON object")
        return content | {key: content[key] for key in keys}
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{path}: is damaged ({reason(error)}); remove it and run the same command with --mode=all"
        ) from error


def write_arrays(path: Path, arrays: Mapping[str, NDArray]) -> None:
    """Writes arrays to one compressed .npz file."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **dict[str, Any](arrays))
    atomic_write_bytes(path, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, NDArray]:
    """Reads all arrays that `write_arrays` wrote; objects are never loaded.

    Raises:
        DataError: The file is absent or damaged.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (
        OSError,
        ValueError,
        EOFError,
        TypeError,
        NotImplementedError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(
            f"{path}: is damaged ({reason(error)}); remove the folder {path.parent} and run --mode=predict "
            "again"
        ) from error

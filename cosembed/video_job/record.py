"""Keeps beside the masks of a result what made them, so that the report can be made later, and anew.

track.json                    where the video is, fingerprints of video and network, units, facts, warnings,
times spec.yaml                     every value that was used
pictures/embedding_tNNN.png   what the network made of some frames

A folder has them from the moment at which it has its masks; `report.html` is written last. This module knows
result folders, not how a result is made.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import DataError, InputError, OutputError
from cosembed.files.progress import with_progress
from cosembed.files.reading import read_json, read_text, reason
from cosembed.files.writing import atomic_write_bytes, atomic_write_text
from cosembed.images.array_frames import VideoFrames
from cosembed.images.calibration import UNKNOWN, Calibration, given_by_person
from cosembed.images.reading import read_image
from cosembed.reporting.overlays import embedding_rgb, encode_png
from cosembed.video_job.source import Source

RECORD, VALUES, REPORT, PICTURES = "track.json", "spec.yaml", "report.html", "pictures"
_EMBEDDING = "embedding_t"


@dataclass(frozen=True)
class Record:
    """Says what a result was made from, and what is known of its making.

    Attributes:
        frames: The fingerprint of all frames.
        network: The fingerprint of the network's weights.
        source: The files of the video; None if it was an array.
        facts: Names and values for the report.
        warnings: What makes the result doubtful, a sentence each.
        seconds: Stage -> wall time.
        calibration: What a pixel and a frame are.
    """

    frames: str
    network: str
    source: Source | None
    facts: list[tuple[str, str]]
    warnings: list[str]
    seconds: dict[str, float]
    calibration: Calibration = UNKNOWN


class Fingerprint:
    """Sums up arrays, one after the other, in a text that others do not have."""

    def __init__(self) -> None:
        """Starts without any array."""
        self._hash = hashlib.sha256()

    def add(self, array: NDArray) -> None:
        """Adds an array: its type, its shape and its values."""
        self._hash.update(f"{array.dtype.str} {array.shape};".encode())
        self._hash.update(np.ascontiguousarray(array).data)

    def passing(self, arrays: Iterable[NDArray]) -> Iterator[NDArray]:
        """Yields arrays after each was added."""
        for array in arrays:
            self.add(array)
            yield array

    def __str__(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def fingerprint(arrays: Iterable[NDArray]) -> str:
    """Sums up all arrays in one text."""
    found = Fingerprint()
    for array in arrays:
        found.add(array)
    return str(found)


def fingerprint_frames(frames: VideoFrames) -> str:
    """Sums up a video in one text; reads every frame."""
    seen = Fingerprint()
    for frame in with_progress(frames, len(frames), "reading"):
        seen.add(frame)
    seen.add(np.asarray(frames.numbers))
    return str(seen)


def write_record(
    folder: Path, record: Record, values: str, embeddings: Mapping[int, NDArray[np.float32]]
) -> None:
    """Writes a record, and what the report shows of the network.

    Args:
        folder: The result folder.
        record: What made the result.
        values: The spec as YAML.
        embeddings: Number of a frame -> its embedding float32 [N, N, D], for the frames shown in detail.
    """
    for number, embedding in embeddings.items():
        picture = encode_png(embedding_rgb(embedding))
        atomic_write_bytes(folder / PICTURES / f"{_EMBEDDING}{number:03d}.png", picture)
    source = record.source and record.source.as_mapping()
    atomic_write_text(folder / VALUES, values)
    content = asdict(record) | {"source": source, "calibration": record.calibration._asdict()}
    atomic_write_text(folder / RECORD, json.dumps(content, indent=1) + "\n")


def read_record(folder: Path) -> Record | None:
    """Reads the record of a result; None if it has none.

    Raises:
        DataError: The record is damaged.
    """
    file = folder / RECORD
    if not file.exists():
        return None
    try:
        content = read_json(file)
        source = content["source"] and Source.from_mapping(content["source"])
        facts = [(str(name), str(value)) for name, value in content["facts"]]
        seconds = {str(stage): float(spent) for stage, spent in content["seconds"].items()}
        warnings = [str(warning) for warning in content["warnings"]]
        # Results of earlier versions have no units.
        units = content.get("calibration", UNKNOWN._asdict())
        calibration = given_by_person(units["pixel_size"], units["frame_interval"])
        made_from = str(content["frames"]), str(content["network"]), source
        return Record(*made_from, facts, warnings, seconds, calibration)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, InputError) as error:
        raise DataError(
            f"{file}: does not say what made the result ({reason(error)}); remove it, and the report is made "
            "without"
        ) from error


def read_values(folder: Path) -> str:
    """Reads the spec of a result as YAML; an empty text if it has none.

    Raises:
        DataError: It cannot be read.
    """
    file = folder / VALUES
    if not file.exists():
        return ""
    try:
        return read_text(file)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file}: cannot be read ({reason(error)}); remove it, and the report is made without"
        ) from error


def read_embeddings(folder: Path) -> dict[int, NDArray[np.uint8]]:
    """Reads the pictures of embeddings: number of the frame -> RGB uint8 [N, N, 3].

    Raises:
        DataError: One is damaged.
    """
    files = {
        int(path.stem.removeprefix(_EMBEDDING)): path
        for path in (folder / PICTURES).glob(f"{_EMBEDDING}*.png")
        if path.stem.removeprefix(_EMBEDDING).isdecimal()
    }
    return {number: read_image(path) for number, path in sorted(files.items())}


def lacks_report(folder: Path) -> bool:
    """Tells whether a folder holds a complete result of `cosembed track` whose report was not finished."""
    return (folder / RECORD).is_file() and not (folder / REPORT).exists()


def is_complete(folder: Path) -> bool:
    """Tells whether a folder holds a complete result of `cosembed track` with its report."""
    return (folder / RECORD).is_file() and (folder / REPORT).exists()


def refuse_another(folder: Path, frames: str, network: str, values: str, calibration: Calibration) -> None:
    """Refuses to finish a result that was made from something else.

    Args:
        folder: The result folder, with its record.
        frames: The fingerprint of the frames.
        network: The fingerprint of the network's weights.
        values: The spec as YAML.
        calibration: What a pixel and a frame are.

    Raises:
        DataError: The record is damaged.
        OutputError: Frames, network, values or units are others; names which.
    """
    record = read_record(folder)
    assert record is not None
    pairs: dict[str, tuple[object, object]] = {
        "another video": (record.frames, frames),
        "another network": (record.network, network),
        "other values": (read_values(folder), values),
        "other units": (record.calibration, calibration),
    }
    different = [name for name, (before, now) in pairs.items() if before != now]
    if different:
        raise OutputError(
            f"{folder}: exists already, made with {' and '.join(different)}; choose another output folder or "
            "remove it first"
        )

"""Reads a result folder of the Cell Tracking Challenge as cells and lineages. Knows no other format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.faults import require_valid
from cosembed.datasets.ctc.mask_files import mask_files, read_labels
from cosembed.datasets.ctc.track_table import Track, read_tracks
from cosembed.datasets.ctc.validation import check_result
from cosembed.errors import DataError
from cosembed.files.progress import with_progress
from cosembed.images.reading import image_shape
from cosembed.tracking.measured import collect
from cosembed.tracking.regions import Region, region_columns
from cosembed.tracking.writer import RestoredTracks


@dataclass(frozen=True)
class ResultFolder:
    """Holds what a result folder says; its masks are read one at a time.

    Attributes:
        masks: Frame number -> the file of its mask, in order and without a gap.
        found: The tracks, and the region of every cell in every frame.
    """

    masks: dict[int, Path]
    found: RestoredTracks

    @property
    def first(self) -> int:
        """Returns the number of the first frame."""
        return next(iter(self.masks))

    @property
    def shape(self) -> tuple[int, int]:
        """Returns the height and width of the masks."""
        return image_shape(self.masks[self.first])

    def labels(self) -> Iterator[NDArray[np.uint16]]:
        """Reads the masks uint16 [H, W], one after the other."""
        return (read_labels(path) for path in self.masks.values())


def open_result(folder: Path) -> ResultFolder:
    """Checks a result folder, and measures its cells.

    Raises:
        DataError: It holds no masks, or is not valid.
    """
    masks = mask_files(folder, "mask")
    if not masks:
        raise DataError(
            f"{folder}: holds no masks (mask000.tif, ...); name a result folder of the Cell Tracking "
            "Challenge"
        )
    require_valid(folder, check_result(folder, warnings=False))
    paths = with_progress(masks.values(), len(masks), "measuring")
    measured = [region_columns(read_labels(path)) for path in paths]
    regions = collect(Region, list(masks), *zip(*measured, strict=True))
    return ResultFolder(masks, RestoredTracks(sorted(read_tracks(folder / "res_track.txt")), regions))


def chains(tracks: Sequence[Track]) -> dict[int, int]:
    """Joins tracks of which one alone continues the other: label -> label of the first track of its chain.

    A track whose parent has other daughters begins a chain, as does one without a parent.

    Args:
        tracks: A valid table: parents end before their daughters begin.
    """
    daughters = Counter(track.parent for track in tracks if track.parent)
    first: dict[int, int] = {}
    for track in sorted(tracks, key=lambda track: track.begin):
        first[track.label] = first[track.parent] if daughters[track.parent] == 1 else track.label
    return first


def lineages(tracks: Sequence[Track]) -> dict[int, int]:
    """Finds the first ancestor of every track: label -> label; raises nothing for a valid table."""
    root: dict[int, int] = {}
    for track in sorted(tracks, key=lambda track: track.begin):
        root[track.label] = root[track.parent] if track.parent else track.label
    return root

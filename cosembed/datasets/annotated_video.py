"""Defines the form in which readers of videos hand them on, with their labels.

Knows no file format and no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import Track


@dataclass(frozen=True)
class AnnotatedVideo:
    """Holds a video and what is annotated in it. Frame numbers count from 0, whatever the files' names say.

    Attributes:
        name: The video's name, for example `01`.
        frames: T arrays [H, W] or [H, W, C] in their native dtype; they may be read from disk on access.
        labels: uint16 [T, H, W]; 0 is background (or unknown, where the frame is not complete). An id means
            the same instance in all frames of a segment.
        complete: bool [T]; True where every instance of the frame is fully segmented.
        loss_mask: bool [H, W]; False in the border where truth is not reliable.
        tracks: The track table; empty where the truth has none.
        segments: Half-open frame ranges within which label ids are consistent; a training clip stays inside
            one.
        segmented: bool [T]; True where the truth has a file of masks, whether of all instances or some. None:
            nobody asks.
    """

    name: str
    frames: Sequence[NDArray]
    labels: NDArray[np.uint16]
    complete: NDArray[np.bool_]
    loss_mask: NDArray[np.bool_]
    tracks: tuple[Track, ...]
    segments: tuple[tuple[int, int], ...]
    segmented: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.labels)

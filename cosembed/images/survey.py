"""Reads every frame of a video once, so that what cannot be used is found before hours of work.

Keeps few numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Different values are counted on so many rows and columns of a frame.
GRID = 256


@dataclass(frozen=True)
class Survey:
    """Says what the pixels of a video are like.

    Attributes:
        saturated: The largest share, over the frames, of pixels at the highest value of their integer type; 0
            for float.
        grey_values: The least number of different values in a frame, on a grid of about `GRID` x `GRID` of
            its pixels.
    """

    saturated: float
    grey_values: int


def survey_frames(frames: Iterable[NDArray]) -> Survey:
    """Looks at every frame; one at a time is in memory.

    Raises:
        DataError: A frame cannot be read or used; names it.
    """
    saturated, grey_values = 0.0, GRID**2
    for frame in frames:
        if frame.dtype.kind in "ui":
            saturated = max(saturated, float(np.mean(frame == np.iinfo(frame.dtype).max)))
        rows, columns = (max(1, side // GRID) for side in frame.shape[:2])
        grey_values = min(grey_values, len(np.unique(frame[::rows, ::columns])))
    return Survey(saturated, grey_values)

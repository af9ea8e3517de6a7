"""Defines the form in which readers of hearts hand them on: short-axis slices with labels.

Knows no layout, no files.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MYOCARDIUM = 1
CAVITY = 2
CLASSES = {"myocardium": MYOCARDIUM, "cavity": CAVITY}


@dataclass(frozen=True)
class HeartSlice:
    """Holds one slice of the heart over one beat.

    Attributes:
        patient: The patient's name in the data set.
        index: The slice's number in the data set's own order, which may begin at the base or at the apex.
        frames: [T, H, W], T at least 1, in the scanner's values: whole numbers as stored, others as float32.
        labels: uint8 [T, H, W]: 0 background, 1 myocardium, 2 blood cavity of the left ventricle.
        labelled: bool [T]. Where False, the frame's labels are 0 and mean nothing.
    """

    patient: str
    index: int
    frames: NDArray
    labels: NDArray[np.uint8]
    labelled: NDArray[np.bool_]

    def __str__(self) -> str:
        return f"{self.patient}, slice {self.index}"


def patients(slices: Iterable[HeartSlice]) -> list[str]:
    """Lists the names of the patients that slices belong to, sorted, each once."""
    return sorted({item.patient for item in slices})


def central_indices(indices: Sequence[int], count: int) -> Sequence[int]:
    """Chooses the `count` middle ones of sorted indices, the lower ones in a tie; all if there are fewer.

    `count` is at least 1.
    """
    start = max(0, (len(indices) - count) // 2)
    return indices[start : start + count]

"""The one form in which readers of cine MR hand data on. Knows no file format and no network."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BACKGROUND, MYOCARDIUM, CAVITY = 0, 1, 2
CLASSES = {"myocardium": MYOCARDIUM, "cavity": CAVITY}
# In training batches: a pixel of a frame without a label.
UNLABELLED = 255


@dataclass(frozen=True)
class CineSlice:
    """One slice of a patient's heart over one heartbeat, which repeats: the first frame follows the last.

    Attributes:
        patient: The patient's name.
        index: The slice's number in the stack.
        frames: Intensities [T, H, W].
        labels: uint8 [T, H, W]; 0 background, 1 myocardium of the left ventricle, 2 its blood cavity.
        labelled: bool [T]; labels of other frames mean nothing.
    """

    patient: str
    index: int
    frames: NDArray
    labels: NDArray[np.uint8]
    labelled: NDArray[np.bool_]

    def __str__(self) -> str:
        return f"{self.patient}, slice {self.index}"


def patients(slices: Iterable[CineSlice]) -> list[str]:
    """The patients' names, sorted."""
    return sorted({cine.patient for cine in slices})


def central(indices: list[int], count: int) -> list[int]:
    """The `count` middle ones of sorted slice numbers, or all if there are fewer."""
    begin = max(0, (len(indices) - count) // 2)
    return indices[begin : begin + count]

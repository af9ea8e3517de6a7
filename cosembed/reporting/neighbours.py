"""Collects which labels of a video ever come close to each other. It knows label images only."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from cosembed.preprocessing.label_overlap import present_labels

# Labels are neighbours if pixels of theirs are at most so far apart: in the frame itself, and on a grid over
# the picture whose longer side has at most GRID_SIDE points, close as it is seen however large frames are.
REACH, GRID_SIDE = 3, 480


class NeighbourGraph:
    """Collects which labels of a video ever come close to each other, a frame at a time.

    Its memory grows with the number of such pairs, not with the number or size of the frames.
    """

    def __init__(self) -> None:
        """Starts without any label."""
        self._shared: dict[int, Counter[int]] = {}

    def __len__(self) -> int:
        """Counts the labels."""
        return len(self._shared)

    def add(self, labels: NDArray) -> None:
        """Adds one frame.

        Args:
            labels: [H, W]; 0 is background.
        """
        for label in present_labels(labels):
            self._shared.setdefault(int(label), Counter())
        step = -(-max(labels.shape) // GRID_SIDE)
        near = _pairs(labels) if step == 1 else _pairs(labels) | _pairs(labels[::step, ::step])
        for first, second in near:
            self._shared[first][second] += 1
            self._shared[second][first] += 1

    def frames_shared(self, label: int) -> Mapping[int, int]:
        """Gives the neighbours of a label, and in how many frames each of them is one."""
        return self._shared[label]

    def conflicts(self, entries: Mapping[int, int]) -> int:
        """Counts the pairs of neighbours that share an entry.

        Args:
            entries: Label -> entry of the palette.
        """
        return sum(
            entries[label] == entries[other]
            for label, neighbours in self._shared.items()
            for other in neighbours
            if label < other
        )

    def smallest_last(self) -> list[int]:
        """Orders the labels so that as few neighbours as possible come before each.

        The label of the fewest neighbours is taken away again and again; the one taken last comes first
        (Matula and Beck 1983). Of equal ones the lower label is taken first.
        """
        degrees = {label: len(neighbours) for label, neighbours in self._shared.items()}
        heap = [(degree, label) for label, degree in degrees.items()]
        heapq.heapify(heap)
        taken: dict[int, None] = {}
        while heap:
            degree, label = heapq.heappop(heap)
            if label in taken or degree != degrees[label]:
                continue
            taken[label] = None
            for other in self._shared[label]:
                if other not in taken:
                    degrees[other] -= 1
                    heapq.heappush(heap, (degrees[other], other))
        return list(reversed(taken))


def _pairs(labels: NDArray) -> set[tuple[int, int]]:
    """Lists the pairs of labels, the lower one first, with pixels at most `REACH` apart."""
    # With a rim of background no step leads past an edge, so that an image is one row.
    rim = np.pad(labels, (0, REACH))
    row = rim.ravel()
    found = []
    for step in _steps(rim.shape[1]):
        where = np.flatnonzero(row[:-step] != row[step:])
        first, second = row[where].astype(np.int64), row[where + step].astype(np.int64)
        both = (first > 0) & (second > 0)
        first, second = first[both], second[both]
        found.append(np.minimum(first, second) << 32 | np.maximum(first, second))
    return {(pair >> 32, pair & 0xFFFFFFFF) for pair in np.unique(np.concatenate(found)).tolist()}


def _steps(width: int) -> Iterator[int]:
    """Lists the steps to the pixels after one that are at most `REACH` away, in an image that is one row."""
    for down in range(REACH + 1):
        for across in range(-REACH if down else 1, REACH + 1):
            if down**2 + across**2 <= REACH**2:
                yield down * width + across

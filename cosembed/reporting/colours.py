"""Gives every label of a video a colour that no label near it has.

The colours are such that everybody can tell them apart. This module knows label images only, not how they
are drawn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from cosembed.preprocessing.label_overlap import present_labels

# Any two differ by at least 17 in CIEDE2000 and by 20 in CIELAB, for normal vision and for vision without
# red, green or blue cones; none is so dark, or so grey, that it is lost on a frame. A test measures all this.
PALETTE = np.array(
    [
        [202, 147, 4],
        [102, 84, 255],
        [139, 254, 248],
        [202, 6, 2],
        [0, 179, 153],
        [255, 227, 0],
        [176, 44, 134],
        [220, 252, 193],
        [29, 126, 87],
        [188, 159, 230],
    ],
    np.uint8,
)
# A label has the entry of the palette that this times the label gives, where its neighbours are not known.
_STRIDE = 3
# Labels are neighbours within this many points of a grid over the picture whose longer side has at most
# GRID_SIDE points: close as it is seen, however large the frames are.
REACH, GRID_SIDE = 3, 480
# How often every label may change to a better colour.
SWEEPS = 20


class NeighbourGraph:
    """Collects which labels of a video ever come close to each other, a frame at a time.

    Its memory grows with the number of such pairs, not with the number or size of the frames.
    """

    def __init__(self) -> None:
        """Starts without any label."""
        self._shared: dict[int, Counter[int]] = {}

    def add(self, labels: NDArray) -> None:
        """Adds one frame.

        Args:
            labels: [H, W]; 0 is background.
        """
        for label in present_labels(labels):
            self._shared.setdefault(int(label), Counter())
        step = -(-max(labels.shape) // GRID_SIDE)
        near = _pairs(labels, 1) | _pairs(labels[::step, ::step], REACH)
        for first, second in near:
            self._shared[first][second] += 1
            self._shared[second][first] += 1

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

    def colours(self) -> dict[int, int]:
        """Chooses an entry of `PALETTE` for every label.

        Labels of many neighbours come first, and each takes the entry that is used least. Where all are
        taken, it shares one with the neighbours that it meets in the fewest frames; labels in such a conflict
        may then change to a better entry a few times.

        Returns:
            Label -> index of its colour. The same frames give the same colours.
        """
        entries: dict[int, int] = {}
        used = [0] * len(PALETTE)
        for label in sorted(self._shared, key=lambda label: (-len(self._shared[label]), label)):
            self._assign(label, entries, used)
        for _ in range(SWEEPS):
            in_conflict = [label for label in entries if self._costs(label, entries)[entries[label]]]
            before = dict(entries)
            for label in in_conflict:
                used[entries.pop(label)] -= 1
                self._assign(label, entries, used)
            if entries == before:
                break
        return entries

    def _assign(self, label: int, entries: dict[int, int], used: list[int]) -> None:
        costs = self._costs(label, entries)
        best = min(range(len(PALETTE)), key=lambda entry: (costs[entry], used[entry], entry))
        entries[label] = best
        used[best] += 1

    def _costs(self, label: int, entries: Mapping[int, int]) -> list[int]:
        costs = [0] * len(PALETTE)
        for neighbour, frames in self._shared[label].items():
            if neighbour in entries:
                costs[entries[neighbour]] += frames
        return costs


def default_entry(label: int) -> int:
    """Returns the entry of `PALETTE` of a label whose neighbours are not known."""
    return label * _STRIDE % len(PALETTE)


def label_colours(frames: Iterable[NDArray]) -> dict[int, int]:
    """Chooses colours for all labels of a video, so that labels that ever come close have different ones.

    Args:
        frames: Label images [H, W] of the video; each is looked at once, and none is kept.

    Returns:
        Label -> index of its colour in `PALETTE`.
    """
    graph = NeighbourGraph()
    for labels in frames:
        graph.add(labels)
    return graph.colours()


def _pairs(labels: NDArray, reach: int) -> set[tuple[int, int]]:
    """Lists the pairs of labels, the lower one first, with pixels at most so far apart; 1 means touching.

    Corners that touch count as touching.
    """
    pairs: set[tuple[int, int]] = set()
    for down in range(reach + 1):
        for across in range(-reach if down else 1, reach + 1):
            if max(down, abs(across)) > 1 and down**2 + across**2 > reach**2:
                continue
            upper = labels[: labels.shape[0] - down, max(0, -across) : labels.shape[1] - max(0, across)]
            lower = labels[down:, max(0, across) : labels.shape[1] + min(0, across)]
            if not upper.size:
                continue
            different = (upper != lower) & (upper > 0) & (lower > 0)
            both = np.unique(np.stack([upper[different], lower[different]], axis=-1), axis=0)
            pairs.update((min(pair), max(pair)) for pair in both.tolist())
    return pairs

"""Joins what stitching has split by mistake, while a video grows (the follow-up's tracker; step 9).

A cell may be cut in two for some frames, or go on under another number because one pair was clustered badly.
Such a label is short, came out of the cell that it turns into, or was there from the video's first frame:
then it was that cell all along.

Whether it is, is decided by how many pixels labels share with those of the frame before. These numbers are
counted once for every pair of frames, and added up where labels are joined, so that no earlier frame is
looked at again. Knows label images only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosembed.preprocessing.label_overlap import label_overlap, present_labels


@dataclass
class _Beginning:
    """Describes how a label began: in which frame, and the pixels its mask shares with the frame before's."""

    frame: int
    origins: Counter[int]


class FalseSplits:
    """Finds the labels of a growing video that are another label's.

    Args:
        longest: Labels whose last frame comes more than so many frames after their first are left alone.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._frame = -1
        self._last: NDArray[np.int32] | None = None
        self._beginnings: dict[int, _Beginning] = {}
        self._names: dict[int, int] = {}

    def append(self, frame: NDArray[np.int32], repair: bool = True) -> NDArray[np.int32]:
        """Adds a frame and joins labels that turn into another one in it.

        Every label L of the frame before is looked at, by rising number. M is the label of this frame that
        shares most pixels with it. L becomes M if they differ, L is short, and either L has been there since
        frame 0, or M is also the label that L shared most pixels with in the frame before its first.

        Args:
            frame: int32 [H, W], stitched to what this method returned last.
            repair: Whether labels are joined; not in the video's first pair, which was clustered as one.

        Returns:
            The frame, its labels joined.
        """
        self._frame += 1
        shared: dict[int, Counter[int]] = {label: Counter() for label in self._beginnings}
        origins: dict[int, Counter[int]] = {label: Counter() for label in present_labels(frame)}
        if self._last is not None:
            overlap = label_overlap(self._last, frame)
            for old, new, pixels in zip(
                overlap.first.tolist(), overlap.second.tolist(), overlap.shared.tolist(), strict=True
            ):
                shared[old][new] = origins[new][old] = pixels
        for label in origins:
            self._beginnings.setdefault(label, _Beginning(self._frame, origins[label]))
        if repair:
            for label in sorted(shared):
                into = _largest(shared[label])
                if self._is_split_off(label, into, alive=label in origins):
                    self._join(label, into, shared)
        self._last = self.named(frame)
        alive = set(present_labels(self._last))
        self._beginnings = {label: self._beginnings[label] for label in alive}
        return self._last

    def named(self, frame: NDArray[np.int32]) -> NDArray[np.int32]:
        """Gives an earlier frame the numbers that its labels have by now."""
        changed = [label for label in present_labels(frame) if label in self._names]
        if not changed:
            return frame
        table = np.arange(int(frame.max()) + 1, dtype=np.int32)
        for label in changed:
            table[label] = self._name(label)
        return table[frame]

    def _is_split_off(self, label: int, into: int, alive: bool) -> bool:
        beginning = self._beginnings[label]
        last = self._frame if alive else self._frame - 1
        if into in (0, label) or last - beginning.frame > self._longest:
            return False
        return beginning.frame == 0 or _largest(self._by_name(beginning.origins)) == into

    def _join(self, label: int, into: int, shared: dict[int, Counter[int]]) -> None:
        self._names[label] = into
        # Both rows and columns of the table of shared pixels are added up.
        if into in shared:
            shared[into] += shared[label]
        for counts in shared.values():
            if label in counts:
                counts[into] += counts.pop(label)
        one, other = self._beginnings[label], self._beginnings[into]
        if one.frame == other.frame:
            self._beginnings[into] = _Beginning(one.frame, one.origins + other.origins)
        else:
            self._beginnings[into] = min(one, other, key=lambda beginning: beginning.frame)

    def _by_name(self, counts: Counter[int]) -> Counter[int]:
        named: Counter[int] = Counter()
        for label, pixels in counts.items():
            named[self._name(label)] += pixels
        return named

    def _name(self, label: int) -> int:
        while label in self._names:
            label = self._names[label]
        return label


def _largest(shared: Counter[int]) -> int:
    """Returns the label of which most pixels are shared, of equals the lowest; 0 if there is none."""
    return min(shared, key=lambda label: (-shared[label], label), default=0)

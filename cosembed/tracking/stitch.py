"""Stitches the labels of overlapping frame pairs into a video by IoU (paper section 2.3; steps 8 and 9).

Steps are numbered as in `cosembed.tracking`. Knows label images only, not what found the labels.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from cosembed.preprocessing.label_overlap import label_overlap, match_greedily, present_labels
from cosembed.tracking.false_splits import FalseSplits
from cosembed.tracking.second_look import separate_joined


def stitch_pairs(
    pairs: Iterable[NDArray[np.int32]],
    minimum: float,
    false_split_frames: int = 0,
    second_look: bool = False,
) -> Iterator[NDArray[np.int32]]:
    """Makes a video of the labels of its overlapping pairs, one label per instance (steps 8 and 9).

    Both frames of the first pair start the video; of every later pair only the second frame is appended. A
    label never comes back after a frame without it.

    Args:
        pairs: int32 [2, H, W] each, pair t holding frames t and t + 1; or one [1, H, W], for a video of one
            frame.
        minimum: The least IoU at which a label goes on in the next frame.
        false_split_frames: After every pair, labels whose last frame comes at most so many frames after their
            first are joined to those that they turn into, see `FalseSplits`; 0 is off.
        second_look: Whether labels of the video's last frame are separated where the next pair shows several
            instances, see `separate_joined`. Not together with `false_split_frames`.

    Yields:
        int32 [H, W], one frame after the other, `false_split_frames` late, or one frame late with a second
        look; 0 is background. How the labels of a pair are numbered makes no difference.
    """
    before: NDArray[np.int32] | None = None
    last: NDArray[np.int32] | None = None
    highest = 0
    splits = FalseSplits(false_split_frames)
    held: deque[NDArray[np.int32]] = deque()
    late = false_split_frames + 1 if false_split_frames else int(second_look)
    for pair in map(number_by_appearance, pairs):
        is_first = last is None
        if last is None:
            frames, highest = list(pair), int(pair.max())
        else:
            if second_look and before is not None:
                last, highest = separate_joined(before, last, pair[0], highest, minimum)
                held[-1] = last
            appended, highest = append_pair(last, pair, highest, minimum)
            frames = [appended]
        if false_split_frames:
            frames = [splits.append(frame, repair=not is_first) for frame in frames]
        before, last = (frames[-2] if len(frames) > 1 else last), frames[-1]
        held.extend(frames)
        # An earlier frame's labels are too old to be joined, or were looked at twice.
        while len(held) > late:
            yield splits.named(held.popleft())
    yield from map(splits.named, held)


def number_by_appearance(pair: NDArray[np.int32]) -> NDArray[np.int32]:
    """Renumbers the labels [F, H, W] of a pair 1..n by their first pixel in frame, row and column.

    Ties in later steps are decided by labels, and then do not depend on how the clusters were numbered.
    """
    flat = pair.ravel()
    # Backwards, so that of all places of a label the first is written last.
    places = np.flatnonzero(flat)[::-1]
    first = np.full(int(flat.max(initial=0)) + 1, flat.size)
    first[flat[places]] = places
    present = np.flatnonzero(first < flat.size)
    table = np.zeros(len(first), np.int32)
    table[present[np.argsort(first[present])]] = np.arange(1, len(present) + 1)
    return table[pair]


def match_labels(first: NDArray, second: NDArray, minimum: float) -> dict[int, int]:
    """Matches the labels of two images of the same frame one to one, the largest IoU first (step 9).

    Label 0 takes part on both sides, as in the released code: background that becomes an instance, and an
    instance that becomes background, are matched like any other label.

    Args:
        first: Integers [H, W], the labels of the result so far.
        second: Integers [H, W], the labels of the new pair.
        minimum: The least IoU of a match.

    Returns:
        For labels of `second`, the label of `first` that they match. Ties go to the lower labels.
    """
    overlap = label_overlap(first, second, background=True)
    return {new: old for old, new in match_greedily(overlap, minimum).items()}


def append_pair(
    last: NDArray[np.int32], pair: NDArray[np.int32], highest: int, minimum: float
) -> tuple[NDArray[np.int32], int]:
    """Labels the second frame of a pair as the video so far is labelled (step 9).

    Args:
        last: int32 [H, W], the video's last frame, which is the same image as the pair's first frame.
        pair: int32 [2, H, W].
        highest: The highest label that the video has used.
        minimum: The least IoU of a match.

    Returns:
        The new frame int32 [H, W], and the highest label that the video has used now.
    """
    table = np.zeros(int(pair.max()) + 1, np.int32)
    matches = match_labels(last, pair[0], minimum)
    for new, old in matches.items():
        table[new] = old
    for label in present_labels(pair):
        if label not in matches:
            highest += 1
            table[label] = highest
    return table[pair[1]], highest

"""Cuts a video into windows of time, at whose start the network's state is zero (the follow-up).

Knows numbers of frames only. The first window gives all of its pairs of frames; every later one, which begins
a frame after the one before it, gives its last pair.
"""

from __future__ import annotations

from typing import NamedTuple


class Window(NamedTuple):
    """Says which frames a network sees from a zero state on, and which pairs of them are used.

    Attributes:
        begin: The first frame.
        end: The frame after the last one.
        first_pair: The first pair that is used; pair t holds frames t and t + 1. The last is `end` - 2.
    """

    begin: int
    end: int
    first_pair: int


def plan_windows(frames: int, length: int) -> list[Window]:
    """Covers a video with windows of time.

    Args:
        frames: Number of frames.
        length: How many frames a window has; 0: the state is carried on from the first frame to the last.

    Returns:
        The windows in the order of time; one if the video is no longer than a window. Every pair of
        successive frames belongs to exactly one of them.
    """
    if not length or frames <= length:
        return [Window(0, frames, 0)]
    later = [Window(begin, begin + length, begin + length - 2) for begin in range(1, frames - length + 1)]
    return [Window(0, length, 0), *later]

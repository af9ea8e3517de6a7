"""Windows give every pair of frames once, each from a window of the full length."""

import pytest

from cosembed.inference.windows import Window, plan_windows


def test_the_follow_ups_windows():
    """Recovered facts of 2019, section 3.2: all pairs of the first window, the last one of every other."""
    assert plan_windows(10, 8) == [Window(0, 8, 0), Window(1, 9, 7), Window(2, 10, 8)]


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 8, 9, 30])
@pytest.mark.parametrize("length", [0, 2, 3, 8])
def test_every_pair_comes_from_one_window(frames, length):
    windows = plan_windows(frames, length)
    pairs = [pair for window in windows for pair in range(window.first_pair, window.end - 1)]
    assert pairs == list(range(frames - 1))
    assert all(window.begin <= window.first_pair for window in windows)
    whole = not length or frames <= length
    assert {window.end - window.begin for window in windows} == {frames if whole else length}

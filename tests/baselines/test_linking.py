"""The classical linking: assignments against a search of all, divisions, short tracks, and videos without."""

from itertools import permutations

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from cosembed.baselines.linking import link_cells, measure_frames
from cosembed.baselines.values import BaselineValues
from cosembed.datasets.ctc.track_table import Track

VALUES = BaselineValues(reach=12.0, division=15.0, likeness=0.5)


def squares(*places: tuple[int, int, int]) -> np.ndarray:
    """Labels 1, 2, ... as squares of (y, x, side)."""
    labels = np.zeros((60, 120), int)
    for label, (y, x, side) in enumerate(places, start=1):
        labels[y : y + side, x : x + side] = label
    return labels


def linked(frames: list[np.ndarray], values: BaselineValues = VALUES) -> tuple[list[np.ndarray], list[Track]]:
    return link_cells(measure_frames(frames), values)


@pytest.mark.parametrize("seed", range(5))
def test_the_assignment_has_the_largest_sum_of_iou_and_nearness(seed):
    random = np.random.default_rng(seed)
    before, after = (
        squares(
            *((10 * (i % 2) + int(random.integers(8)), 14 * i + int(random.integers(5)), 8) for i in range(5))
        )
        for _ in range(2)
    )
    tables, tracks = linked([before, after], BaselineValues(reach=20.0, division=0))
    frames = measure_frames([before, after])
    gain = frames[1].iou + np.clip(1 - cdist(frames[0].centres, frames[1].centres) / 20.0, 0, None)
    best = max(sum(gain[i, j] for i, j in enumerate(order)) for order in permutations(range(5)))
    places = {track: cell for cell, track in enumerate(tables[1][1:])}
    pairs = [(cell, places[track]) for cell, track in enumerate(tables[0][1:]) if track in places]
    assert sum(gain[pair] for pair in pairs) == pytest.approx(best)
    assert len(tracks) == 10 - len(pairs)


def test_two_daughters_alike_in_size_descend_from_the_cell_between_them():
    frames = [
        squares((20, 40, 14)),
        squares((20, 40, 14)),
        squares((20, 32, 10), (20, 50, 9)),
        squares((20, 30, 10), (20, 52, 9)),
    ]
    _, tracks = linked(frames)
    assert tracks == [(1, 0, 1, 0), (2, 2, 3, 1), (3, 2, 3, 1)]
    _, undivided = linked(frames, BaselineValues(reach=12.0, division=0))
    assert undivided == [(1, 0, 3, 0), (2, 2, 3, 0)]


@pytest.mark.parametrize(
    "second",
    [(20, 52, 5), (20, 59, 10)],
    ids=["much smaller", "too far"],
)
def test_a_new_cell_that_is_no_daughter_begins_a_track(second):
    frames = [squares((20, 40, 14)), squares((20, 36, 10), second)]
    _, tracks = linked(frames)
    assert tracks == [(1, 0, 1, 0), (2, 1, 1, 0)]


def test_a_cell_that_stays_as_large_as_it_was_has_no_daughters():
    _, tracks = linked([squares((20, 40, 14)), squares((20, 40, 14), (20, 55, 12))])
    assert tracks == [(1, 0, 1, 0), (2, 1, 1, 0)]


def test_short_tracks_inside_the_video_are_dropped_and_those_at_its_ends_kept():
    steady, spark = (10, 10, 10), (40, 80, 10)
    frames = [squares(steady, spark), squares(steady), squares(steady, spark), squares(steady)]
    frames += [squares(steady, spark)]
    tables, tracks = linked(frames, BaselineValues(reach=12.0, shortest=2))
    assert tracks == [(1, 0, 4, 0), (2, 0, 0, 0), (3, 4, 4, 0)]
    assert [table.tolist() for table in tables] == [[0, 1, 2], [0, 1], [0, 1, 0], [0, 1], [0, 1, 3]]


def test_a_mother_that_loses_a_short_daughter_goes_on_in_the_other():
    mother, left, right = (20, 40, 14), (20, 32, 10), (20, 50, 9)
    frames = [squares(mother), squares(mother), squares(left, right), squares(left), squares(left)]
    tables, tracks = linked(frames, BaselineValues(reach=12.0, division=15.0, shortest=2))
    assert tracks == [(1, 0, 4, 0)]
    assert tables[2].tolist() == [0, 1, 0]


def test_a_chain_of_undone_divisions_keeps_the_last_true_one():
    a, left, right = (20, 40, 14), (20, 32, 10), (20, 50, 9)
    frames = [squares(a), squares(left, right), squares(left), squares(left)]
    frames += [squares((20, 26, 7), (20, 39, 7))] * 2
    _, tracks = linked(frames, BaselineValues(reach=12.0, division=15.0, shortest=2))
    assert tracks == [(1, 0, 3, 0), (2, 4, 5, 1), (3, 4, 5, 1)]


@pytest.mark.parametrize("empty", [{0}, {1}, {2}, {0, 1}, {0, 1, 2}])
def test_frames_without_cells_end_and_begin_tracks(empty):
    frames = [squares() if index in empty else squares((10, 10, 10)) for index in range(3)]
    tables, tracks = linked(frames)
    full = [index for index in range(3) if index not in empty]
    runs = sum(index - 1 not in full for index in full)
    assert len(tracks) == runs
    assert [len(table) for table in tables] == [1 if index in empty else 2 for index in range(3)]


def test_one_frame_gives_one_track_a_cell():
    tables, tracks = linked([squares((5, 5, 8), (30, 60, 8))])
    assert tracks == [(1, 0, 0, 0), (2, 0, 0, 0)]
    np.testing.assert_array_equal(tables[0], [0, 1, 2])

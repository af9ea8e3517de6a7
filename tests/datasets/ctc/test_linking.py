"""Masks of neighbouring frames get consistent ids."""

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.linking import link_masks

Labels = NDArray[np.uint16]


def row(*labels: int) -> Labels:
    return np.array([labels], np.uint16)


def test_linking_by_hand() -> None:
    """5 overlaps 8 best; 6 is new; in frame 4 the cell has split: the larger daughter keeps the id."""
    linked, segments = link_masks(
        {
            0: row(7, 7, 0, 0, 0, 0),
            3: row(8, 8, 8, 8, 0, 0),
            4: row(5, 5, 5, 6, 0, 9),
            5: row(0, 0, 0, 0, 0, 3),
        }
    )
    assert segments == [(0, 1), (3, 6)]
    assert linked[0].tolist() == [[1, 1, 0, 0, 0, 0]]
    assert linked[3].tolist() == [[1, 1, 1, 1, 0, 0]]
    assert linked[4].tolist() == [[1, 1, 1, 2, 0, 3]]
    assert linked[5].tolist() == [[0, 0, 0, 0, 0, 3]]


def test_two_cells_under_one_mask_leave_it_to_the_larger_overlap() -> None:
    linked, _ = link_masks({0: row(1, 2, 2, 2), 1: row(6, 6, 6, 6), 2: row(3, 0, 0, 4)})
    assert [linked[frame].tolist()[0] for frame in range(3)] == [[1, 2, 2, 2], [2, 2, 2, 2], [2, 0, 0, 3]]


def test_linking_stops_below_the_minimum_overlap() -> None:
    linked, _ = link_masks({0: row(*[1] * 10, *[0] * 9), 1: row(*[0] * 9, *[1] * 10)})
    assert linked[1].max() == 2

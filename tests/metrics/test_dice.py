"""Best Dice and difference in count: by hand, against loops, and their properties."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed.metrics import best_dice, difference_in_count, foreground_dice, symmetric_best_dice

LABELS = hnp.arrays(np.uint16, (6, 7), elements=st.integers(0, 4))


def loop_best_dice(first, second):
    best = []
    for label in set(first.ravel().tolist()) - {0}:
        dice = [
            2
            * np.count_nonzero((first == label) & (second == other))
            / (np.count_nonzero(first == label) + np.count_nonzero(second == other))
            for other in set(second.ravel().tolist()) - {0}
        ]
        best.append(max(dice, default=0.0))
    return np.mean(best) if best else float(not second.any())


@settings(max_examples=80, deadline=None)
@given(LABELS, LABELS)
def test_dice_equals_loops_and_keeps_its_properties(first, second):
    assert best_dice(first, second) == pytest.approx(loop_best_dice(first, second))
    symmetric = symmetric_best_dice(first, second)
    assert symmetric == symmetric_best_dice(second, first)
    assert 0 <= symmetric <= 1
    assert symmetric_best_dice(first, first) == 1
    painted = np.count_nonzero(first) + np.count_nonzero(second)
    both = 2 * np.count_nonzero((first > 0) & (second > 0))
    assert foreground_dice(first, second) == pytest.approx(both / painted if painted else 1)
    renamed = np.array([0, 9, 3, 700, 1])[second]
    assert symmetric_best_dice(first, renamed) == pytest.approx(symmetric)
    assert (
        difference_in_count(first, second)
        == -difference_in_count(second, first)
        == difference_in_count(first, renamed)
    )


def test_dice_by_hand():
    truth = np.array([[1, 1, 1, 1, 2, 2, 0, 0]])
    prediction = np.array([[5, 5, 6, 6, 6, 6, 0, 0]])
    # Truth 1: with 5 2*2/6, with 6 2*2/8; truth 2: with 6 2*2/6. Prediction 5: 2/3; 6: with 1 1/2, with 2
    # 2/3.
    assert best_dice(truth, prediction) == pytest.approx(2 / 3)
    assert symmetric_best_dice(prediction, truth) == pytest.approx(2 / 3)
    empty = np.zeros_like(truth)
    assert symmetric_best_dice(empty, empty) == 1
    assert symmetric_best_dice(empty, truth) == symmetric_best_dice(truth, empty) == 0
    assert difference_in_count(np.array([[1, 2, 3]]), np.array([[1, 1, 0]])) == 2
    assert foreground_dice(prediction, truth) == 1 and foreground_dice(empty, truth) == 0
    with pytest.raises(ValueError, match="one shape"):
        best_dice(truth, truth[:, 1:])
    with pytest.raises(ValueError, match="one shape"):
        foreground_dice(truth, truth[:, 1:])

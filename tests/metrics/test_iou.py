"""Intersection over union of classes: by hand and its properties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed.metrics import iou_per_class

LABELS = hnp.arrays(np.uint16, (6, 7), elements=st.integers(0, 4))


def test_iou_per_class_by_hand():
    scores = iou_per_class(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]), [0, 1, 2, 3])
    assert [scores[label] for label in (0, 1, 2)] == [1, 0.5, 0.5]
    assert math.isnan(scores[3])


@settings(max_examples=80, deadline=None)
@given(LABELS, LABELS)
def test_iou_per_class_keeps_its_properties(first, second):
    classes = range(6)
    scores, other = iou_per_class(first, second, classes), iou_per_class(second, first, classes)
    for label in classes:
        union = np.count_nonzero((first == label) | (second == label))
        if not union:
            assert math.isnan(scores[label]) and math.isnan(other[label])
            continue
        assert scores[label] == other[label] == np.count_nonzero((first == label) & (second == label)) / union
        assert 0 <= scores[label] <= 1
        if (first == label).any():
            assert iou_per_class(first, first, [label]) == {label: 1}
    # Classes renamed in both images keep their scores.
    names = np.array([5, 3, 0, 1, 2, 4])
    renamed = iou_per_class(names[first], names[second], names.tolist())
    np.testing.assert_array_equal(
        [renamed[names[label]] for label in classes], [scores[label] for label in classes]
    )


def test_iou_of_nothing_found_is_zero_and_shapes_must_agree():
    truth = np.array([[0, 1, 1, 2]])
    assert iou_per_class(np.zeros_like(truth), truth, [1, 2]) == {1: 0.0, 2: 0.0}
    with pytest.raises(ValueError, match="one shape"):
        iou_per_class(truth, truth[:, 1:], [1])

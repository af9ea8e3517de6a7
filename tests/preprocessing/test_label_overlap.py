"""Overlap of two label images and greedy matching, by hand and against counting pixel by pixel."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed.preprocessing.label_overlap import (
    LabelOverlap,
    count_labels,
    label_overlap,
    match_greedily,
    present_labels,
)

# Above 65,535 the labels are sorted, below they are counted in a table.
IMAGES = st.sampled_from([[0, 1, 2, 3, 65535], [0, 1, 2, 70000], [0, 1, -3, 2**40]]).flatmap(
    lambda labels: hnp.arrays(np.int64, (4, 5), elements=st.sampled_from(labels))
)


def counted(first, second, background):
    """(first label, second label) -> (shared pixels, first area, second area), one pixel after the other."""
    found = {}
    for a, b in zip(first.ravel().tolist(), second.ravel().tolist(), strict=True):
        if background or (a and b):
            shared = found.get((a, b), (0, 0, 0))[0] + 1
            found[a, b] = (shared, int((first == a).sum()), int((second == b).sum()))
    return found


def test_overlap_by_hand():
    overlap = label_overlap(np.array([[7, 7, 0], [2, 2, 2]]), np.array([[9, 0, 9], [9, 9, 60000]]))
    assert overlap.first.tolist() == [2, 2, 7] and overlap.second.tolist() == [9, 60000, 9]
    assert overlap.shared.tolist() == [2, 1, 1]
    assert overlap.first_area.tolist() == [3, 3, 2] and overlap.second_area.tolist() == [4, 1, 4]
    np.testing.assert_allclose(overlap.iou, [2 / 5, 1 / 3, 1 / 5])


def test_background_takes_part_only_when_asked():
    first, second = np.array([0, 0, 1]), np.array([0, 4, 4])
    assert label_overlap(first, second).first.tolist() == [1]
    overlap = label_overlap(first, second, background=True)
    assert list(zip(overlap.first, overlap.second, overlap.shared, strict=True)) == [
        (0, 0, 1),
        (0, 4, 1),
        (1, 4, 1),
    ]


@given(IMAGES, IMAGES, st.booleans())
@settings(max_examples=100)
def test_overlap_equals_counting_pixel_by_pixel(first, second, background):
    overlap = label_overlap(first, second, background=background)
    expected = counted(first, second, background)
    pairs = list(zip(overlap.first.tolist(), overlap.second.tolist(), strict=True))
    assert pairs == sorted(expected), "each pair once, ascending"
    rows = zip(
        overlap.shared.tolist(), overlap.first_area.tolist(), overlap.second_area.tolist(), strict=True
    )
    assert list(rows) == [expected[pair] for pair in pairs]
    union = [((first == a) | (second == b)).sum() for a, b in pairs]
    np.testing.assert_allclose(overlap.iou, overlap.shared / np.array(union), rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.uint16, np.int32, np.uint64])
def test_every_integer_type_gives_the_same_counts(dtype):
    labels = np.array([[0, 1, 1], [0, 0, 1]]).astype(dtype)
    assert [column.tolist() for column in count_labels(labels)] == [[0, 1], [3, 3]]
    assert label_overlap(labels, labels).shared.tolist() == [3]


@pytest.mark.parametrize("shape", [(0,), (3, 0), (2, 2)])
def test_images_without_labels_have_no_pairs(shape):
    nothing = np.zeros(shape, np.uint16)
    assert present_labels(nothing) == []
    overlap = label_overlap(nothing, nothing)
    assert len(overlap.iou) == 0 and match_greedily(overlap, 0.0) == {}


@given(IMAGES)
def test_present_labels_are_those_of_a_plain_set(labels):
    assert present_labels(labels) == sorted(set(labels.ravel().tolist()) - {0})


def pairs_of(*rows):
    """An overlap of given pairs: (first, second, shared, first area, second area)."""
    return LabelOverlap(*map(np.array, zip(*rows, strict=True)))


def test_the_largest_iou_is_matched_first_and_each_label_once():
    overlap = pairs_of((1, 5, 4, 8, 6), (1, 6, 4, 8, 4), (2, 5, 2, 2, 6))
    # IoU: 0.4, 0.5, 1/3. Label 6 takes 1, so 5 is left to 2.
    assert match_greedily(overlap, 0.0) == {1: 6, 2: 5}
    assert match_greedily(overlap, 0.5) == {1: 6}, "the minimum itself is enough"
    assert match_greedily(overlap, 0.51) == {}


def test_of_equal_pairs_the_first_wins_so_their_order_is_the_order_of_ties():
    overlap = label_overlap(np.array([1, 1, 2, 2]), np.array([8, 9, 8, 9]))
    assert len(set(overlap.iou)) == 1
    assert match_greedily(overlap, 0.0) == {1: 8, 2: 9}, "the lower labels first"
    assert match_greedily(overlap.pick(slice(None, None, -1)), 0.0) == {2: 9, 1: 8}
    assert match_greedily(overlap.pick([2, 0, 1, 3]), 0.0) == {2: 8, 1: 9}


@given(IMAGES, IMAGES, st.sampled_from([0.0, 0.1, 0.25, 0.5]), st.booleans())
@settings(max_examples=100)
def test_matching_equals_repeated_search_for_the_best_free_pair(first, second, minimum, background):
    ious = {
        pair: shared / (area + other - shared)
        for pair, (shared, area, other) in counted(first, second, background).items()
    }
    expected = {}
    while free := {
        pair: iou
        for pair, iou in ious.items()
        if iou >= minimum and pair[0] not in expected and pair[1] not in expected.values()
    }:
        best = min(free, key=lambda pair: (-free[pair], pair))
        expected[best[0]] = best[1]
    found = match_greedily(label_overlap(first, second, background=background), minimum)
    assert list(found.items()) == list(expected.items())


@given(IMAGES, IMAGES)
def test_no_two_labels_left_over_could_still_be_matched(first, second):
    matches = match_greedily(label_overlap(first, second), 0.2)
    for a, b in itertools.product(present_labels(first), present_labels(second)):
        iou = ((first == a) & (second == b)).sum() / ((first == a) | (second == b)).sum()
        assert iou < 0.2 or a in matches or b in matches.values()

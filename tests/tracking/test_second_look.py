"""A frame's second look separates what its first look joined, and nothing else."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cosembed.tracking.second_look import separate_joined
from cosembed.tracking.stitch import stitch_pairs


def row(*labels: int) -> np.ndarray:
    return np.array([labels], np.int32)


def test_daughters_that_their_mother_connects_come_apart():
    before = row(0, 3, 3, 3, 3, 3, 3, 0)
    last = row(3, 3, 3, 3, 0, 3, 3, 3)
    again = row(1, 1, 1, 1, 0, 2, 2, 2)
    # IoU with the mother: 3/7 on the left, 2/7 on the right.
    separated, highest = separate_joined(before, last, again, 9, 0.25)
    np.testing.assert_array_equal(separated, row(3, 3, 3, 3, 0, 10, 10, 10))
    assert highest == 10


def test_a_cell_that_was_joined_for_a_frame_keeps_its_label():
    before = row(3, 3, 3, 3, 5, 5, 5, 0)
    last = row(3, 3, 3, 3, 3, 3, 3, 3)
    again = row(1, 1, 1, 1, 2, 2, 2, 2)
    separated, highest = separate_joined(before, last, again, 9, 0.25)
    np.testing.assert_array_equal(separated, row(3, 3, 3, 3, 5, 5, 5, 5))
    assert highest == 9
    # So it is if the label that both had is the smaller cell's.
    separated, _ = separate_joined(before, row(5, 5, 5, 5, 5, 5, 5, 5), again, 9, 0.25)
    np.testing.assert_array_equal(separated, row(3, 3, 3, 3, 5, 5, 5, 5))


def test_a_label_that_lives_on_elsewhere_is_not_taken():
    before = row(3, 3, 5, 5, 5, 5, 0, 0)
    last = row(3, 3, 3, 3, 3, 5, 0, 0)
    again = row(1, 1, 1, 2, 2, 6, 0, 0)
    # The second part lies on what was 5, but 5 is still there.
    separated, highest = separate_joined(before, last, again, 9, 0.25)
    np.testing.assert_array_equal(separated, row(3, 3, 3, 10, 10, 5, 0, 0))
    assert highest == 10


def test_without_a_match_the_largest_part_keeps_the_label():
    before = row(0, 0, 0, 0, 0, 0, 0, 0)
    last = row(7, 7, 7, 7, 7, 7, 0, 0)
    again = row(2, 1, 1, 1, 4, 4, 0, 0)
    separated, highest = separate_joined(before, last, again, 9, 0.25)
    np.testing.assert_array_equal(separated, row(11, 7, 7, 7, 10, 10, 0, 0))
    assert highest == 11


def test_pixels_of_no_instance_go_to_the_nearest_one():
    before = last = row(3, 3, 3, 3, 3, 3, 3, 3)
    again = row(0, 1, 1, 1, 1, 0, 2, 2)
    separated, _ = separate_joined(before, last, again, 3, 0.25)
    assert separated[0, 0] == 3 and separated[0, 7] == 4
    assert separated[0, 5] in (3, 4)


def test_one_instance_or_instances_that_fill_little_separate_nothing():
    before = last = row(3, 3, 3, 3, 3, 3, 3, 3)
    for again in (
        row(1, 1, 1, 0, 0, 0, 0, 0),
        row(1, 1, 0, 0, 0, 0, 2, 2),
        row(0, 0, 0, 0, 0, 0, 0, 0),
    ):
        separated, highest = separate_joined(before, last, again, 3, 0.25)
        np.testing.assert_array_equal(separated, last)
        assert highest == 3


def test_an_instance_that_lies_mostly_elsewhere_does_not_count():
    before = last = row(3, 3, 3, 3, 4, 4, 4, 4)
    again = row(1, 1, 1, 2, 2, 2, 2, 2)
    np.testing.assert_array_equal(separate_joined(before, last, again, 4, 0.25)[0], last)


images = arrays(np.int32, (4, 6), elements=st.integers(0, 4))


@given(images, images, images)
def test_only_labels_that_several_instances_share_are_cut(before, last, again):
    separated, highest = separate_joined(before, last, again, 4, 0.25)
    np.testing.assert_array_equal(separated > 0, last > 0)
    joined = []
    for label in np.unique(last[last > 0]):
        inside = [
            np.count_nonzero((again == other) & (last == label))
            for other in np.unique(again[again > 0])
            if 2 * np.count_nonzero((again == other) & (last == label)) > np.count_nonzero(again == other)
        ]
        if len(inside) > 1 and 2 * sum(inside) > np.count_nonzero(last == label):
            joined.append(label)
        else:
            assert (separated[last == label] == label).all()
    parts = {(a, b) for a, b in zip(last.ravel().tolist(), separated.ravel().tolist(), strict=True) if a}
    # No two labels are put together, and every joined one falls into at least two.
    assert len({part for _, part in parts}) == len(parts)
    for label in joined:
        assert sum(old == label for old, _ in parts) > 1
    # A label is the joined one, one that had ended in the frame before, or new.
    for old, part in parts:
        assert part == old or part > 4 or (part in before and part not in last)
    assert sorted({part for _, part in parts if part > 4}) == list(range(5, highest + 1))


def test_a_division_is_found_in_its_frame_and_later_frames_go_on():
    mother, joined, apart = row(1, 1, 1, 1, 1, 1), row(1, 1, 1, 0, 1, 1), row(1, 1, 1, 0, 2, 2)
    pairs = [
        np.stack(frames) for frames in ((mother, mother), (mother, joined), (apart, apart), (apart, apart))
    ]
    first_look = list(stitch_pairs(pairs, 0.25))
    np.testing.assert_array_equal(first_look[2], row(1, 1, 1, 0, 1, 1))
    np.testing.assert_array_equal(first_look[3], row(1, 1, 1, 0, 2, 2))
    second_look = list(stitch_pairs(pairs, 0.25, second_look=True))
    assert len(second_look) == len(first_look) == 5
    for frame, expected in zip(second_look, (mother, mother, apart, apart, apart), strict=True):
        np.testing.assert_array_equal(frame, expected)


def test_pairs_that_agree_are_stitched_as_without_a_second_look():
    generator = np.random.default_rng(0)
    frames = [np.repeat(generator.permutation(4), 3).reshape(1, 12).astype(np.int32) for _ in range(5)]
    pairs = [np.stack(pair) for pair in pairwise(frames)]
    second_look = list(stitch_pairs(pairs, 0.25, second_look=True))
    np.testing.assert_array_equal(list(stitch_pairs(pairs, 0.25)), second_look)


def test_a_video_of_one_frame_has_no_second_look():
    pair = np.array([[[0, 1, 2]]], np.int32)
    np.testing.assert_array_equal(list(stitch_pairs([pair], 0.25, second_look=True)), pair)

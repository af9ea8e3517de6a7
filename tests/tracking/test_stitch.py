"""Labels of overlapping frame pairs are matched by IoU and go on in the video."""

import numpy as np

from cosembed.tracking.stitch import append_pair, match_labels, stitch_pairs


def test_matching_is_greedy_one_to_one_down_to_the_minimum():
    first = np.array([[1, 1, 1, 1, 2, 2, 0, 0]])
    second = np.array([[5, 5, 5, 6, 6, 6, 0, 0]])
    # IoU: 1-5 3/4, 2-6 2/3, 1-6 1/6, 0-0 1.
    assert match_labels(first, second, 0.25) == {0: 0, 5: 1, 6: 2}
    assert match_labels(first, second, 0.7) == {0: 0, 5: 1}


def test_the_largest_iou_goes_first_not_the_largest_overlap():
    first = np.array([[3, 3, 4, 4, 4, 4, 4, 4]])
    second = np.array([[8, 8, 8, 8, 8, 5, 6, 7]])
    # 3-8 has IoU 2/5, 4-8 only 3/8 although it overlaps in one more pixel.
    assert match_labels(first, second, 0.25) == {8: 3}


def test_both_sides_are_matched_once_and_the_minimum_itself_counts():
    first = np.array([[1, 1, 1, 1, 2, 2, 2, 2]])
    # 5 lies on all of 1 and of 2: IoU 1/2 with both; it goes to the lower one, and 2 stays without.
    assert match_labels(first, np.full((1, 8), 5), 0.25) == {5: 1}
    # One label cut in two: IoU 3/4 and 1/4.
    assert match_labels(np.full((1, 4), 1), np.array([[5, 5, 5, 6]]), 0.25) == {5: 1}
    assert match_labels(np.array([[1, 2, 2, 2]]), np.array([[0, 0, 3, 3]]), 0.5) == {3: 2, 0: 1}


def test_label_0_takes_part_in_stitching():
    last = np.array([[0, 0, 0, 0, 3, 3]])
    pair = np.array([[[7, 7, 7, 0, 8, 8]], [[7, 7, 7, 7, 8, 0]]])
    # 7 lies on what was background (IoU 3/4): it is taken for background.
    labels, highest = append_pair(last, pair, 3, 0.25)
    np.testing.assert_array_equal(labels, [[0, 0, 0, 0, 3, 0]])
    assert highest == 3
    # With a small new label the background matches the background, and the label is new.
    pair = np.array([[[7, 0, 0, 0, 8, 8]], [[7, 7, 0, 0, 8, 8]]])
    labels, highest = append_pair(last, pair, 3, 0.3)
    np.testing.assert_array_equal(labels, [[4, 4, 0, 0, 3, 3]])
    assert highest == 4


def test_a_pair_of_one_frame_is_a_video_of_one_frame():
    pair = np.array([[[0, 1, 2]]], np.int32)
    np.testing.assert_array_equal(list(stitch_pairs([pair], 0.25)), pair)

"""Label maps give, frame by frame, the names that their labels have in the end."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cosembed.files.packed_arrays import PackedArrays
from cosembed.tracking.label_maps import FrameTables, LabelMaps

tables = st.lists(st.dictionaries(st.integers(1, 9), st.integers(1, 10**6)), min_size=1, max_size=5)


@given(tables)
def test_tables_are_those_that_were_given(tables):
    kept = FrameTables(tables)
    assert list(kept) == tables and len(kept) == len(tables)
    assert [kept[frame] for frame in range(len(tables))] == tables


def test_a_key_is_renamed_in_the_frames_from_the_first_to_the_last():
    kept = FrameTables([{1: 5, 2: 6}] * 4)
    kept.rename(1, 1, 2, 7)
    assert list(kept) == [{1: 5, 2: 6}, {7: 5, 2: 6}, {7: 5, 2: 6}, {1: 5, 2: 6}]


def test_maps_have_the_names_of_their_frame_and_lose_labels_without_one():
    stored = PackedArrays()
    image = np.array([[0, 70000, 3], [4, 3, 3]], np.int32)
    for _ in range(2):
        stored.append(image)
    maps = LabelMaps(stored, FrameTables([{1: 70000, 2: 3}, {9: 4}]))
    first, second = maps
    np.testing.assert_array_equal(first, [[0, 1, 2], [0, 2, 2]])
    np.testing.assert_array_equal(second, [[0, 0, 0], [9, 0, 0]])
    assert first.dtype == np.uint16 and len(maps) == 2

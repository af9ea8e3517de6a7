"""Markers and masks of one frame become one label image."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from cosembed.datasets.ctc.merging import merge_markers_and_masks

Labels = NDArray[np.uint16]


def test_merge_takes_the_largest_overlap_and_keeps_what_masks_do_not_cover() -> None:
    markers = np.array([[1, 1, 1, 2, 2, 0, 3]], np.uint16)
    masks = np.array([[0, 7, 7, 7, 0, 5, 5]], np.uint16)
    merged, complete = merge_markers_and_masks(markers, masks, "man_seg000.tif")
    assert merged.tolist() == [[1, 1, 1, 1, 2, 3, 3]]
    assert not complete, "marker 2 is touched by a mask, but it has none of its own"


def test_a_mask_without_a_marker_is_left_out_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    markers = np.array([[1, 0, 0, 0]], np.uint16)
    masks = np.array([[4, 4, 0, 9]], np.uint16)
    merged, complete = merge_markers_and_masks(markers, masks, "man_seg000.tif")
    assert merged.tolist() == [[1, 1, 0, 0]]
    assert not complete
    assert caplog.messages == ["man_seg000.tif: label 9 covers no marker of TRA and is left out"]


@given(arrays.arrays(np.uint16, (6, 7), elements=st.integers(0, 5)), st.permutations(range(1, 6)))
@settings(max_examples=60)
def test_merge_restores_permuted_ids(labels: Labels, permutation: list[int]) -> None:
    masks = np.array([0, *permutation], np.uint16)[labels]
    merged, complete = merge_markers_and_masks(labels, masks, "man_seg000.tif")
    np.testing.assert_array_equal(merged, labels)
    assert complete

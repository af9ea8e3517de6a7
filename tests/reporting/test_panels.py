"""Pictures are laid out side by side at sizes a person can look at."""

import imagecodecs
import numpy as np
import pytest

from cosembed.reporting.panels import (
    GAP,
    SMALLEST_SIDE,
    enlarged_to_see,
    labelled_row,
    picture_column,
    picture_row,
    resized,
)


def picture_of(height, width, value=7):
    return np.full((height, width, 3), value, np.uint8)


@pytest.mark.parametrize(
    ("size", "enlarged"),
    [((4, 5), (224, 280)), ((281, 9), (281, 9)), ((140, 141), (280, 282)), ((1, 1), (280, 280))],
)
def test_small_pictures_are_enlarged_by_a_whole_factor(size, enlarged):
    assert enlarged_to_see(picture_of(*size)).shape == (*enlarged, 3)


def test_a_picture_is_enlarged_to_the_side_asked_for():
    assert enlarged_to_see(picture_of(40, 20), 100).shape == (120, 60, 3)
    assert picture_row([picture_of(40, 20)] * 2, 40).shape == (40, 40 + GAP, 3)


def test_pictures_are_joined_with_a_white_gap():
    side = SMALLEST_SIDE
    row = picture_row([picture_of(side, side, 1), picture_of(side, side, 2)])
    assert row.shape == (side, 2 * side + GAP, 3)
    assert (
        (row[:, :side] == 1).all()
        and (row[:, side : side + GAP] == 255).all()
        and (row[:, side + GAP :] == 2).all()
    )
    column = picture_column([row, row, row])
    assert column.shape == (3 * side + 2 * GAP, 2 * side + GAP, 3)
    assert (column[side : side + GAP] == 255).all()


def test_a_row_of_a_report_holds_its_panels_as_pngs():
    row = labelled_row("both", {"left": picture_of(300, 2), "right": picture_of(2, 300, 9)})
    assert row.caption == "both"
    assert [panel.caption for panel in row.pictures] == ["left", "right"]
    np.testing.assert_array_equal(imagecodecs.png_decode(row.pictures[1].png), picture_of(2, 300, 9))


def test_labels_are_resized_without_new_labels():
    labels = np.array([[1, 2], [3, 40]], np.uint16)
    larger = resized(labels, (4, 6))
    np.testing.assert_array_equal(larger, labels.repeat(2, axis=0).repeat(3, axis=1))
    np.testing.assert_array_equal(resized(larger, (2, 2)), labels)

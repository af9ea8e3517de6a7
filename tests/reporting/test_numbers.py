"""A cell's number stands where it can be read and belongs to no other cell."""

import numpy as np

from cosembed.reporting.movie import movie_picture
from cosembed.reporting.numbers import draw_numbers

BLUE = np.full((100, 100, 3), (0, 0, 200), np.uint8)


def changed(labels: np.ndarray) -> np.ndarray:
    """Where a number was drawn, bool [H, W]."""
    return np.any(draw_numbers(BLUE, labels) != BLUE, axis=-1)


def test_item_17_a_large_cell_has_its_number_at_the_centroid():
    labels = np.zeros((100, 100), np.uint16)
    labels[20:70, 30:90] = 27
    where = np.argwhere(changed(labels))
    np.testing.assert_allclose((where.min(axis=0) + where.max(axis=0)) / 2, [44.5, 59.5], atol=1.5)
    assert 8 <= np.ptp(where[:, 0]) <= 14, "small, but legible"
    other = np.where(labels == 27, 28, 0)
    assert (draw_numbers(BLUE, labels) != draw_numbers(BLUE, other)).any()
    assert draw_numbers(BLUE, labels).min(axis=-1).max() > 230, "white"


def test_item_17_a_small_cell_has_it_beside():
    labels = np.zeros((100, 100), np.uint16)
    labels[50:55, 50:55] = 27
    drawn = changed(labels)
    assert drawn.any() and not drawn[labels > 0].any()
    assert np.argwhere(drawn)[:, 0].min() >= 55
    labels = np.roll(labels, 44, axis=0)
    assert np.argwhere(changed(labels))[:, 0].max() < 94, "above, at the lower edge"


def test_item_17_a_number_that_fits_nowhere_is_left_out():
    labels = np.arange(1, 626).reshape(25, 25).repeat(4, axis=0).repeat(4, axis=1)
    assert not changed(labels).any()
    ring = np.zeros((100, 100), np.uint16)
    ring[10:90, 10:90] = 1
    ring[20:80, 20:80] = 2
    drawn = changed(ring)
    assert drawn[40:60, 40:60].any() and not drawn[20:80, 10:20].any()
    assert draw_numbers(BLUE, np.zeros((5, 5), np.uint16)).tobytes() == BLUE.tobytes()


def test_item_17_the_movie_has_numbers_at_the_size_that_is_shown():
    """A small frame is enlarged first, so that the digits are not."""
    labels = np.zeros((50, 50), np.uint16)
    labels[10:40, 10:40] = 8
    flat = np.zeros((50, 50))
    picture = np.asarray(movie_picture(flat, labels, "").convert("RGB"), int)
    assert picture.shape[0] == 300
    rows = np.flatnonzero((picture[100:200, 100:200].min(axis=-1) > 200).any(axis=1))
    assert 5 <= np.ptp(rows) <= 12

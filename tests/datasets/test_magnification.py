"""Cells become as wide to a network as those that it was trained on."""

import numpy as np
import pytest

from cosembed.datasets.magnification import match_magnification

# Discs 20 pixels wide, and a few of 30.
AREAS = np.pi / 4 * np.array([20.0] * 9 + [30.0]) ** 2


@pytest.mark.parametrize(("known", "tiled"), [(14.0, True), (10.0, False), (31.0, False), (9.8, True)])
def test_tiles_have_the_scale_at_which_cells_are_as_wide(known, tiled):
    found = match_magnification(AREAS, (256, 256), 96, known, tiled)
    assert found.typical == pytest.approx(known, rel=0.01)
    assert found.scale == pytest.approx(known / 20, rel=0.01)
    # A large cell, 25.5 original pixels wide, fits into what tiles share, unless that were all of a tile.
    assert found.overlap >= min(25.5 * found.scale, 48) and found.overlap <= 48


def test_whole_images_stay_where_their_cells_are_about_as_wide():
    # Of an image of 240 pixels, 96 network pixels make a cell 8 wide.
    for known, scale in ((8.0, 0.0), (9.9, 0.0), (6.5, 0.0), (10.2, 0.51), (6.2, 0.31)):
        found = match_magnification(AREAS, (240, 240), 96, known, tiled=False)
        assert found.scale == scale
        assert found.typical == pytest.approx(20 * scale if scale else 8.0)
        assert (found.overlap > 0) == (scale > 0)
    assert match_magnification(AREAS, (240, 240), 96, 8.0, tiled=True).scale == 0.4


def test_nothing_is_enlarged_more_than_twice():
    found = match_magnification(AREAS, (256, 256), 96, 70.0, tiled=True)
    assert (found.scale, found.typical) == (2.0, pytest.approx(40.0))

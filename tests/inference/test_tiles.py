"""Tiles cover an image, share at least the overlap, and divide it among them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosembed.inference.tiles import OUTSIDE, own_parts, plan_tiles, spread_evenly


def test_the_follow_ups_tiles_of_hela():
    """Recovered facts of 2019, section 3.1: 40 tiles at these offsets."""
    tiles = plan_tiles((700, 1100), 256, 128)
    assert sorted({tile.x for tile in tiles}) == [0, 128, 256, 384, 512, 640, 768, 844]
    assert sorted({tile.y for tile in tiles}) == [0, 128, 256, 384, 444]
    assert len(tiles) == 40


@given(
    shape=st.tuples(st.integers(1, 150), st.integers(1, 150)),
    side=st.integers(2, 64),
    share=st.floats(0.01, 0.9),
)
@settings(deadline=None)
def test_tiles_cover_an_image_and_overlap(shape, side, share):
    overlap = max(1, min(side - 1, round(side * share)))
    tiles = plan_tiles(shape, side, overlap)
    seen, owned = np.zeros(shape, int), np.zeros(shape, int)
    for tile, own in zip(tiles, own_parts(tiles), strict=True):
        assert tile.y >= 0 and tile.y + tile.height <= shape[0]
        assert tile.x >= 0 and tile.x + tile.width <= shape[1]
        assert (tile.height, tile.width) == (min(side, shape[0]), min(side, shape[1]))
        seen[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width] += 1
        owned[own] += 1
    assert seen.min() >= 1
    assert (owned == 1).all()
    for begins in (sorted({tile.y for tile in tiles}), sorted({tile.x for tile in tiles})):
        assert all(0 < step <= side - overlap for step in np.diff(begins))


@pytest.mark.parametrize("shape", [(40, 50), (5, 50), (40, 9), (5, 8), (1, 1)])
def test_what_is_cut_out_is_what_is_shown(shape):
    rng = np.random.default_rng(1)
    image = rng.random((*shape, 2)).astype(np.float32)
    for tile in plan_tiles(shape, 16, 8):
        cut = tile.cut(image)
        assert cut.shape == (16, 16, 2)
        part = image[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
        np.testing.assert_array_equal(tile.shown(cut), part)
        assert (cut == OUTSIDE).sum() == cut.size - part.size
    if max(shape) < 16:
        rows = np.flatnonzero((cut != OUTSIDE).any((1, 2)))
        assert abs((rows[0]) - (15 - rows[-1])) <= 1


def test_tiles_are_chosen_from_all_over_the_image():
    tiles = plan_tiles((100, 100), 10, 5)
    assert spread_evenly(tiles, 3) == [tiles[0], tiles[180], tiles[-1]]
    assert spread_evenly(tiles[:2], 16) == tiles[:2]

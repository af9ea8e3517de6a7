"""Merges tiles: every drawn cell is found whole, wherever it lies, whatever the order of the tiles is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosembed.clustering.pairs import split_into_components
from cosembed.inference.tiles import plan_tiles
from cosembed.tracking.merging import TileLabels, merge_tiles
from cosembed.tracking.stitch import number_by_appearance

SIDE, OVERLAP = 32, 16


def ellipse(shape, y, x, height, width, move=(0, 0)):
    """Draws an ellipse whose box begins at (y, x) in the first of two frames, and is moved in the second."""
    volume = np.zeros((2, *shape), bool)
    rows, columns = np.mgrid[:height, :width]
    mask = ((rows - (height - 1) / 2) / (height / 2)) ** 2 + (
        (columns - (width - 1) / 2) / (width / 2)
    ) ** 2 <= 1
    for frame in range(2):
        top, left = y + frame * move[0], x + frame * move[1]
        volume[frame, top : top + height, left : left + width] = mask
    return volume


def seen_in_tiles(volume, side=SIDE, overlap=OVERLAP, seed=0):
    """Cuts a label volume as clustering tile by tile would see it, with numbers of each tile's own."""
    rng = np.random.default_rng(seed)
    tiles = []
    for tile in plan_tiles(volume.shape[1:], side, overlap):
        part = volume[:, tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
        labels = split_into_components(part.astype(np.int32), 1)
        table = np.concatenate([[0], 1 + rng.permutation(labels.max())]).astype(np.int32)
        tiles.append(TileLabels(tile.y, tile.x, table[labels]))
    return tiles


def merged(volume, side=SIDE, overlap=OVERLAP, tiles=None, threshold=1):
    found = merge_tiles(
        tiles or seen_in_tiles(volume, side, overlap), volume.shape[1:], side, overlap, threshold
    )
    return found._replace(labels=number_by_appearance(found.labels))


def assert_found(volume, **how):
    found = merged(volume, **how)
    np.testing.assert_array_equal(found.labels, number_by_appearance(volume.astype(np.int32)))
    assert found.oversized == []


@pytest.mark.parametrize("size", [5, 9, 15, 16, 17, 24, 31, 32])
def test_a_cell_on_any_seam_or_corner_is_found_whole(size):
    """The image is of 5 x 5 tiles; cells lie all over it, one at a time, and end at every row and column."""
    shape = (96, 90)
    for place in range(0, 96 - size, 5):
        across = min(place, 90 - size - 2)
        assert_found(ellipse(shape, place, across, size, size).astype(np.int32))
        assert_found(ellipse(shape, 96 - size - place, across, size, size // 2 + 1, (0, 1)).astype(np.int32))


@pytest.mark.parametrize(("side", "overlap"), [(32, 16), (32, 8), (32, 1), (32, 24), (16, 8), (64, 32)])
def test_cells_of_all_sizes_side_by_side_are_found_whole(side, overlap):
    rng = np.random.default_rng(side + overlap)
    for _ in range(5):
        volume = np.zeros((2, 150, 130), np.int32)
        for label in range(1, 60):
            height, width = rng.integers(5, side, 2)
            y, x = rng.integers(0, 149 - height), rng.integers(0, 129 - width)
            cell = ellipse(volume.shape[1:], y, x, height, width, rng.integers(0, 2, 2))
            box = cell.any(0).nonzero()
            fits = max(np.ptp(box[0]), np.ptp(box[1])) < side
            if fits and not volume[cell].any():
                volume[cell] = label
        assert len(np.unique(volume)) > 5
        assert_found(volume, side=side, overlap=overlap)


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_order_of_tiles_and_their_numbers_make_no_difference_even_to_noise(data):
    """Tiles that know nothing of each other hold random blocks, so that they contradict each other."""
    seed = data.draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    shape = (70, 50)
    tiles = []
    for tile in plan_tiles(shape, SIDE, OVERLAP):
        labels = np.zeros((2, tile.height, tile.width), np.int32)
        for label in range(1, 7):
            y, x = rng.integers(0, (tile.height, tile.width))
            labels[rng.integers(0, 2) :, y : y + rng.integers(1, 25), x : x + rng.integers(1, 25)] = label
        tiles.append(TileLabels(tile.y, tile.x, labels))
    once = merge_tiles(tiles, shape, SIDE, OVERLAP, 4)
    renumbered = [
        tile._replace(labels=np.array([0, *(1 + rng.permutation(6))], np.int32)[tile.labels])
        for tile in data.draw(st.permutations(tiles))
    ]
    again = merge_tiles(renumbered, shape, SIDE, OVERLAP, 4)
    np.testing.assert_array_equal(once.labels, again.labels)
    assert once.oversized == again.oversized
    sizes = np.bincount(once.labels.ravel())[1:]
    assert (sizes >= 4).all()


def test_a_cell_larger_than_a_tile_is_left_out_and_told():
    volume = ellipse((96, 96), 10, 20, 40, 20).astype(np.int32)
    volume[ellipse((96, 96), 70, 60, 10, 12)] = 2
    found = merged(volume)
    np.testing.assert_array_equal(found.labels, volume == 2)
    (told,) = found.oversized
    assert told == (10, 20, 40, 20, int((volume == 1).sum()))


def test_what_only_one_tile_saw_at_its_inner_edge_is_left_out():
    volume = ellipse((64, 64), 40, 40, 10, 10).astype(np.int32)
    tiles = seen_in_tiles(volume)
    tiles[0].labels[:, 3:9, 25:32] = 7
    tiles[0].labels[0, 31, :] = 8
    np.testing.assert_array_equal(merged(volume, tiles=tiles).labels, volume)


def test_a_cell_that_one_tile_splits_is_taken_from_the_tile_that_sees_it_whole():
    volume = ellipse((64, 64), 20, 20, 12, 12).astype(np.int32)
    tiles = seen_in_tiles(volume)
    other = next(tile for tile in tiles if (tile.y, tile.x) == (16, 0))
    there = other.labels[:, :, :26]
    there[there > 0] += 1
    assert len(np.unique(other.labels)) == 3
    np.testing.assert_array_equal(merged(volume, tiles=tiles).labels, volume)


def test_an_instance_that_is_too_small_is_left_out():
    volume = ellipse((64, 64), 20, 20, 5, 5).astype(np.int32)
    area = int(volume.sum())
    assert merged(volume, threshold=area).labels.any()
    assert not merged(volume, threshold=area + 1).labels.any()


def test_an_image_of_one_tile_and_a_single_frame_are_merged_too():
    volume = ellipse((20, 28), 3, 0, 17, 28).astype(np.int32)
    assert_found(volume)
    np.testing.assert_array_equal(
        merge_tiles(
            [TileLabels(tile.y, tile.x, tile.labels[:1]) for tile in seen_in_tiles(volume)],
            (20, 28),
            SIDE,
            OVERLAP,
            1,
        ).labels,
        volume[:1],
    )


def test_tiles_without_any_instance_give_an_empty_image():
    found = merged(np.zeros((2, 50, 50), np.int32))
    assert not found.labels.any() and found.labels.shape == (2, 50, 50)

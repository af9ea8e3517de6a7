"""The tree of boxes holds every point once, in boxes that are as small as they can be."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from cosembed.clustering.search_tree import (
    build_search_tree,
    squared_distance_of_boxes,
    squared_distances_to_box,
    squared_distances_to_points,
)


@settings(max_examples=50, deadline=None)
@given(
    count=st.integers(1, 400),
    dimensions=st.integers(1, 7),
    leaf_size=st.integers(1, 50),
    values=st.sampled_from([1, 3, 10_000]),
    seed=st.integers(0, 2**32 - 1),
)
def test_every_point_has_a_place_in_boxes_that_fit(count, dimensions, leaf_size, values, seed):
    points = np.random.default_rng(seed).integers(0, values, (count, dimensions)) / 7.0
    tree = build_search_tree(points, leaf_size)
    np.testing.assert_array_equal(np.sort(tree.order), np.arange(count))
    inside, depths = points[tree.order], np.ones(len(tree.begins), int)
    for node, child in enumerate(tree.children):
        own = slice(tree.begins[node], tree.ends[node])
        np.testing.assert_array_equal(tree.lows[node], inside[own].min(axis=0))
        np.testing.assert_array_equal(tree.highs[node], inside[own].max(axis=0))
        if child < 0:
            assert 1 <= own.stop - own.start <= leaf_size
            block = tree.values[own.start * dimensions : own.stop * dimensions]
            np.testing.assert_array_equal(block.reshape(dimensions, -1).T, inside[own])
        else:
            assert (tree.begins[child], tree.ends[child + 1]) == (own.start, own.stop)
            assert tree.begins[child] < tree.ends[child] == tree.begins[child + 1] < tree.ends[child + 1]
            depths[child : child + 2] = depths[node] + 1
    assert tree.depth == depths.max()


def test_neighbouring_numbers_have_a_cut_between_them():
    low = 1.0
    points = np.array([[low], [np.nextafter(low, 2)]])
    tree = build_search_tree(points, 1)
    np.testing.assert_array_equal(tree.ends - tree.begins, [2, 1, 1])


@pytest.mark.parametrize("dimensions", [1, 3, 4, 7, 18])
def test_distances_are_those_of_all_pairs(dimensions):
    generator = np.random.default_rng(dimensions)
    points, others = generator.normal(0, 1, (5, dimensions)), generator.normal(0, 1, (37, dimensions))
    block, other_block = points.T.ravel().copy(), others.T.ravel().copy()
    found = np.empty(37)
    for place in range(5):
        squared_distances_to_points(block, 5, place, other_block, found)
        np.testing.assert_allclose(found, cdist(points[[place]], others)[0] ** 2, rtol=1e-13)
    # The same the other way round, to the last bit: core distances rely on it.
    back = np.empty(5)
    squared_distances_to_points(other_block, 37, 36, block, back)
    assert back[4] == found[36]
    low, high = np.full(dimensions, -0.5), np.full(dimensions, 0.25)
    to_box = np.empty(5)
    squared_distances_to_box(block, low, high, to_box)
    np.testing.assert_allclose(to_box, ((points - points.clip(low, high)) ** 2).sum(axis=1), rtol=1e-13)
    between = squared_distance_of_boxes(low, high, low + 1, high + 1)
    assert between == pytest.approx(dimensions * 0.25**2)
    assert squared_distance_of_boxes(low, high, low - 0.1, high) == 0

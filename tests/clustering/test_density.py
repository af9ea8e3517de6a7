"""Core distances are those of all distances, and middles stand well for the points around them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from cosembed.clustering.density import _select, _weighted_rank, squared_core_distances
from cosembed.clustering.search_tree import build_search_tree


def cores_of(points, min_samples, leaf_size=9):
    tree = build_search_tree(points, leaf_size)
    found = squared_core_distances(
        tree, np.ones(len(tree.begins), bool), tree, np.ones(len(points)), np.zeros(len(points)), min_samples
    )
    cores = np.empty(len(points))
    cores[tree.order] = np.sqrt(found)
    return cores


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(2, 300),
    share=st.floats(0, 1),
    dimensions=st.integers(1, 6),
    values=st.sampled_from([1, 2, 5, 10_000]),
    seed=st.integers(0, 2**32 - 1),
)
def test_core_distances_are_those_of_all_pairs(count, share, dimensions, values, seed):
    """Also where points are equal, or many are equally far."""
    points = np.random.default_rng(seed).integers(0, values, (count, dimensions)).astype(float)
    min_samples = 1 + int(share * (count - 2))
    expected = np.sort(cdist(points, points), axis=1)[:, min_samples]
    np.testing.assert_allclose(cores_of(points, min_samples), expected, rtol=1e-12)


def test_only_wanted_leaves_are_computed():
    points = np.random.default_rng(0).normal(0, 1, (100, 2))
    tree = build_search_tree(points, 10)
    wanted = np.zeros(len(tree.begins), bool)
    leaf = np.flatnonzero(tree.children < 0)[3]
    wanted[leaf] = True
    found = squared_core_distances(tree, wanted, tree, np.ones(100), np.zeros(100), 5)
    of_leaf = np.zeros(100, bool)
    of_leaf[tree.begins[leaf] : tree.ends[leaf]] = True
    np.testing.assert_array_equal(~np.isnan(found), of_leaf)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(30, 200),
    dimensions=st.integers(3, 9),
    widest=st.floats(0.01, 3),
    min_samples=st.integers(1, 25),
    seed=st.integers(0, 2**32 - 1),
)
def test_core_distances_to_middles_are_those_of_the_definition(count, dimensions, widest, min_samples, seed):
    """Half of every weight a standard deviation nearer, half farther, by all distances."""
    generator = np.random.default_rng(seed)
    middles = generator.normal(0, 1, (count, dimensions))
    weights, spreads = generator.integers(1, 9, count).astype(float), widest * generator.random(count)
    queries, tree = build_search_tree(middles, 7), build_search_tree(middles, 9)
    found = squared_core_distances(
        queries,
        np.ones(len(queries.begins), bool),
        tree,
        weights[tree.order],
        spreads[tree.order],
        min_samples,
    )
    squares = cdist(middles[queries.order], middles) ** 2
    deviations = np.sqrt((4 * squares + 2 * spreads) * spreads / dimensions)
    values = np.concatenate(
        [np.maximum(squares + spreads - deviations, 0), squares + spreads + deviations], axis=1
    )
    halves = np.concatenate([weights, weights]) / 2
    for row, core in zip(values, found, strict=True):
        order = np.argsort(row)
        ranks = np.cumsum(halves[order]) - halves[order] / 2
        assert core == pytest.approx(np.interp(min_samples + 0.5, ranks, row[order]), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("dimensions", "deviation"), [(8, 0.3), (18, 0.3)])
def test_middles_with_weight_and_spread_stand_for_their_points(dimensions, deviation):
    """Clouds of points that spread alike in all directions."""
    generator = np.random.default_rng(dimensions)
    middles = generator.normal(0, 1, (150, dimensions))
    points = (middles[:, None] + generator.normal(0, deviation, (150, 40, dimensions))).reshape(
        -1, dimensions
    )
    clumps = points.reshape(150, 40, dimensions)
    middles = clumps.mean(axis=1)
    spreads = ((clumps - middles[:, None]) ** 2).sum(axis=-1).mean(axis=1)
    queries, tree = build_search_tree(points[::7], 10), build_search_tree(middles, 10)
    found = squared_core_distances(
        queries, np.ones(len(queries.begins), bool), tree, np.full(150, 40.0), spreads[tree.order], 400
    )
    expected = np.sort(cdist(points[::7], points), axis=1)[:, 400][queries.order]
    error = np.sqrt(found) / expected - 1
    assert abs(error.mean()) < 0.01
    assert error.std() < 0.05
    # Without the spread, they would be farther off.
    narrow = squared_core_distances(
        queries, np.ones(len(queries.begins), bool), tree, np.full(150, 40.0), np.zeros(150), 400
    )
    assert abs((np.sqrt(narrow) / expected - 1).mean()) > 2 * abs(error.mean())


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 5)), min_size=1, max_size=40), st.floats(0.25, 1.2)
)
def test_selecting_brings_the_values_below_a_weight_to_the_front(pairs, share):
    values, weights = (np.array(column, float) for column in zip(*pairs, strict=True))
    wanted = share * weights.sum()
    given_pairs = sorted(zip(values, weights, strict=True))
    place, before = _select(values, weights, len(values), wanted)
    assert sorted(zip(values, weights, strict=True)) == given_pairs
    assert (values[:place] <= values[place]).all() and (values[place + 1 :] >= values[place]).all()
    assert before == weights[:place].sum()
    assert before < wanted
    assert before + weights[place] >= wanted or values[place] == values.max()


def test_between_two_middles_the_rank_is_taken_in_proportion():
    """The weights 2 and 4 lie half below 1 and half above it: 1 at rank 1, 4 at rank 4."""
    values, weights = np.array([4.0, 1.0]), np.array([4.0, 2.0])
    ranks = [_weighted_rank(values.copy(), weights.copy(), 2, wanted) for wanted in (1.0, 2.0, 3.0, 4.0)]
    np.testing.assert_allclose(ranks, [1, 2, 3, 4])
    assert _weighted_rank(values.copy(), weights.copy(), 2, 0.5) == 1
    assert _weighted_rank(values.copy(), weights.copy(), 2, 5.5) == 4

"""The spanning tree from lists of neighbours is as short as that of all pairs of points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from cosembed.clustering import spanning_tree
from cosembed.clustering.spanning_tree import mutual_reachability_tree
from tests.helpers.reference_clustering import mutual_reachability


@pytest.mark.parametrize("min_points", [1, 3, 12])
@pytest.mark.parametrize("kind", ["one cloud", "far apart", "rings", "many channels", "copies"])
def test_the_spanning_tree_is_that_of_all_pairs(kind, min_points):
    generator = np.random.default_rng(min_points)
    points = generator.normal(0, 1, (500, 3))
    if kind == "far apart":
        points[100:] = 0.1 * points[100:] + 50 * generator.integers(1, 5, (400, 1))
    if kind == "rings":
        points = points / np.linalg.norm(points, axis=1, keepdims=True) * generator.integers(1, 3, (500, 1))
    if kind == "many channels":
        points = np.eye(16)[generator.integers(0, 16, 500)] + generator.normal(0, 0.1, (500, 16))
    if kind == "copies":
        points[250:] = points[:250]
    tree = mutual_reachability_tree(points, min_points)
    # In a dense matrix, lengths near zero would be no edges.
    expected = minimum_spanning_tree(csr_matrix(np.maximum(mutual_reachability(points, min_points), 1e-12)))
    np.testing.assert_allclose(tree.length, np.sort(expected.data), rtol=1e-8, atol=1e-7)
    assert connected_components(tree.matrix(500))[0] == 1


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    clouds=st.integers(1, 6),
    spread=st.floats(0.01, 1.0),
    min_points=st.integers(1, 8),
)
def test_any_clouds_have_the_spanning_tree_of_all_pairs(seed, clouds, spread, min_points):
    generator = np.random.default_rng(seed)
    points = 5 * generator.normal(0, 1, (clouds, 4))[generator.integers(0, clouds, 200)] + generator.normal(
        0, spread, (200, 4)
    )
    expected = minimum_spanning_tree(mutual_reachability(points, min_points))
    np.testing.assert_allclose(
        mutual_reachability_tree(points, min_points).length, np.sort(expected.data), rtol=1e-8
    )


def test_the_example_of_the_module_goes_as_it_says(monkeypatch):
    """Seven points on a line: lists of two neighbours each do not have the edge in the middle."""
    monkeypatch.setattr(spanning_tree, "LEAST_MORE", 1)
    searched = []
    search = spanning_tree._find_shortcut
    monkeypatch.setattr(
        spanning_tree, "_find_shortcut", lambda space, group: searched.append(group) or search(space, group)
    )
    tree = mutual_reachability_tree(np.array([[0.0], [1.0], [2.0], [6.0], [7.0], [8.0], [14.0]]), 1)
    np.testing.assert_array_equal(tree.length, [1, 1, 1, 1, 4, 6])
    assert (int(tree.first[4]), int(tree.second[4])) == (2, 3)
    assert [(sorted(group.points), group.length) for group in searched] == [([0, 1, 2], np.inf)]

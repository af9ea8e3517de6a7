"""The spanning tree is as short as that of all pairs of points."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree

from cosembed.clustering.density import squared_core_distances
from cosembed.clustering.search_tree import build_search_tree
from cosembed.clustering.spanning_tree import spanning_tree
from tests.helpers.reference_clustering import mutual_reachability


def tree_of(points, min_points, leaf_size=9):
    """Edges between the points as they were given."""
    tree = build_search_tree(points, leaf_size)
    cores = squared_core_distances(
        tree, np.ones(len(tree.begins), bool), tree, np.ones(len(points)), np.zeros(len(points)), min_points
    )
    first, second, length = spanning_tree(tree, cores)
    return tree.order[first], tree.order[second], length


@pytest.mark.parametrize("min_points", [1, 3, 12])
@pytest.mark.parametrize("kind", ["one cloud", "far apart", "rings", "many channels", "copies", "a lattice"])
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
    if kind == "a lattice":
        points = np.indices((10, 10, 5)).reshape(3, -1).T.astype(float)
    first, second, length = tree_of(points, min_points)
    reachability = mutual_reachability(points, min_points)
    # In a sparse matrix, lengths of zero would be no edges.
    expected = minimum_spanning_tree(csr_matrix(np.maximum(reachability, 1e-12)))
    np.testing.assert_allclose(length, np.sort(expected.data), rtol=1e-8, atol=1e-7)
    np.testing.assert_allclose(length, reachability[first, second], rtol=1e-8, atol=1e-7)
    assert connected_components(coo_matrix((np.ones(499), (first, second)), (500, 500)))[0] == 1


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    clouds=st.integers(1, 6),
    spread=st.floats(0.01, 1.0),
    min_points=st.integers(1, 8),
    leaf_size=st.integers(2, 60),
)
def test_any_clouds_have_the_spanning_tree_of_all_pairs(seed, clouds, spread, min_points, leaf_size):
    generator = np.random.default_rng(seed)
    points = 5 * generator.normal(0, 1, (clouds, 4))[generator.integers(0, clouds, 200)] + generator.normal(
        0, spread, (200, 4)
    )
    expected = minimum_spanning_tree(mutual_reachability(points, min_points))
    np.testing.assert_allclose(tree_of(points, min_points, leaf_size)[2], np.sort(expected.data), rtol=1e-8)

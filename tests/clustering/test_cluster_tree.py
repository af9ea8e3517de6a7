"""Clusters are cut out of a spanning tree as the library cuts them; weights count as so many points."""

import hdbscan
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from cosembed.clustering.cluster_tree import NOISE, cut_clusters
from cosembed.clustering.spanning_tree import Edges


def random_tree(generator, count):
    """A spanning tree whose edges have lengths of their own, so that nothing is left to chance."""
    lengths = np.sort(generator.permutation(5 * count)[: count - 1] + 1.0)
    names = generator.permutation(count)
    joined = [generator.integers(0, number + 1) for number in range(count - 1)]
    order = generator.permutation(count - 1)
    return Edges(names[np.array(joined)[order]], names[order + 1], lengths)


def cut_by_the_library(edges, count, min_size):
    # The library takes the spanning tree of these distances, which is the given one.
    distances = np.full((count, count), np.inf)
    distances[edges.first, edges.second] = distances[edges.second, edges.first] = edges.length
    clusterer = hdbscan.HDBSCAN(min_cluster_size=min_size, min_samples=1, metric="precomputed")
    # Paths instead of missing edges: the longest edge on the way between two points.
    groups = {point: [point] for point in range(count)}
    of = list(range(count))
    full = np.zeros((count, count))
    for first, second, length in zip(*edges, strict=True):
        one, other = groups[of[first]], groups.pop(of[second])
        full[np.ix_(one, other)] = full[np.ix_(other, one)] = length
        for point in other:
            of[point] = of[first]
        one.extend(other)
    fitted = clusterer.fit(full)
    tree = fitted.condensed_tree_.to_numpy()
    joined = tree[tree["child_size"] == 1]
    levels = np.zeros(count)
    levels[joined["child"]] = 1 / joined["lambda_val"]
    return fitted.labels_, levels


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(6, 120), min_size=st.integers(2, 12))
def test_clusters_and_levels_are_the_librarys(seed, count, min_size):
    edges = random_tree(np.random.default_rng(seed), count)
    clusters, levels = cut_clusters(edges, np.ones(count), min_size)
    expected, expected_levels = cut_by_the_library(edges, count, min_size)
    assert adjusted_rand_score(expected, clusters) == 1
    np.testing.assert_array_equal(clusters == NOISE, expected == NOISE)
    np.testing.assert_allclose(levels, expected_levels)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(6, 60), min_size=st.integers(6, 20))
def test_a_weight_counts_as_so_many_points_in_one_place(seed, count, min_size):
    generator = np.random.default_rng(seed)
    edges = random_tree(generator, count)
    weights = generator.integers(1, 5, count)
    clusters, levels = cut_clusters(edges, weights.astype(float), min_size)
    # The copies of a point hang together by edges shorter than all others.
    owners = np.repeat(np.arange(count), weights)
    starts = np.cumsum(weights) - weights
    inside = np.flatnonzero(owners[1:] == owners[:-1])
    copies = Edges(
        np.concatenate([inside, starts[edges.first]]),
        np.concatenate([inside + 1, starts[edges.second]]),
        np.concatenate([np.full(len(inside), 1e-6), edges.length]),
    )
    expected, expected_levels = cut_clusters(copies, np.ones(len(owners)), min_size)
    assert adjusted_rand_score(expected, clusters[owners]) == 1
    np.testing.assert_array_equal(clusters[owners] == NOISE, expected == NOISE)
    np.testing.assert_allclose(levels[owners], expected_levels)

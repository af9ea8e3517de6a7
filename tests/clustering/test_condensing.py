"""Clusters of clumps are those of single points, but for some pixels at the clusters' ends."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from benchmarks.embeddings import wandering_cells
from cosembed.clustering import background_embedding, cluster_points, condensing, foreground_points
from cosembed.clustering.condensing import cluster_by_clumps, largest_clump
from tests.helpers.synthetic_embeddings import SPEC, embeddings_of, moving_discs


@pytest.fixture
def clumps_at_once(monkeypatch):
    """Small sets of points would be clustered one by one."""
    monkeypatch.setattr(condensing, "FEW_NEIGHBOURS", 0)


@pytest.mark.parametrize(("noise", "blur"), [(0.02, 0), (0.025, 1.0), (0.03, 1.5)])
def test_clumps_find_the_clusters_of_single_points(noise, blur):
    pair = embeddings_of(wandering_cells(2, 224, 8, 24, seed=1), 16, noise, blur=blur)
    spec = dataclasses.replace(SPEC, coordinate_factor=0.005)
    points = foreground_points(pair, background_embedding(pair), spec)[1]
    min_points = 400
    assert len(points) * min_points > condensing.FEW_NEIGHBOURS
    exact, found = cluster_points(points, min_points), cluster_by_clumps(points, min_points)
    assert found.max() == exact.max() == 7
    # Noise counts as a class.
    assert adjusted_rand_score(exact, found) > 0.99


def test_clumps_are_not_opened_where_they_lie_deep_inside(clumps_at_once, monkeypatch):
    pair = embeddings_of(moving_discs(frames=2), noise=0.05, blur=1.5)
    points = foreground_points(pair, background_embedding(pair), SPEC)[1]
    opened = []
    original = condensing._open_clumps
    monkeypatch.setattr(
        condensing, "_open_clumps", lambda *given: opened.append(original(*given)) or opened[-1]
    )
    cluster_by_clumps(points, 230)
    assert 0.02 < opened[0].mean() < 0.6


def test_without_any_cluster_all_is_noise(clumps_at_once):
    points = np.random.default_rng(0).normal(0, 1, (1000, 3))
    assert (cluster_by_clumps(points, 600) == -1).all()
    assert (cluster_by_clumps(np.zeros((1000, 3)), 100) == -1).all()
    assert len(cluster_by_clumps(np.zeros((0, 3)), 100)) == 0


def test_small_clusters_and_few_points_are_clustered_one_by_one(monkeypatch):
    monkeypatch.setattr(condensing, "build_search_tree", lambda *_: pytest.fail("clumps were made"))
    points = np.random.default_rng(0).normal(0, 1, (300, 3))
    assert largest_clump(119) == 1
    for min_points in (119, 130):
        np.testing.assert_array_equal(
            cluster_by_clumps(points, min_points), cluster_points(points, min_points)
        )

"""Points are clustered as HDBSCAN clusters them by all distances."""

import hdbscan
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from cosembed.clustering import cluster_points
from tests.helpers.reference_clustering import mutual_reachability


@pytest.mark.parametrize("min_points", [2, 3, 7])
@pytest.mark.parametrize("count", [14, 26, 100])
def test_few_points_or_many_cluster_as_with_all_distances(count, min_points):
    """The k-d tree back end (leaves of 25 points) against hdbscan's quadratic one."""
    generator = np.random.default_rng(count)
    points = generator.normal(0, 0.1, (count, 6)) + generator.integers(0, 3, (count, 1))
    reference = hdbscan.HDBSCAN(min_cluster_size=min_points, min_samples=min_points, algorithm="generic")
    assert adjusted_rand_score(reference.fit_predict(points), cluster_points(points, min_points)) == 1


def test_clusters_are_exact_where_the_librarys_default_is_not():
    generator = np.random.default_rng(0)
    points = generator.normal(0, 0.3, (400, 3)) + generator.integers(0, 3, (400, 1))
    options = {"min_cluster_size": 5, "min_samples": 5, "leaf_size": 25, "core_dist_n_jobs": 1}
    default, reference = (
        hdbscan.HDBSCAN(algorithm=algorithm, **options).fit_predict(points)
        for algorithm in ("boruvka_kdtree", "generic")
    )
    assert adjusted_rand_score(default, reference) < 0.9
    found = cluster_points(points, 5)
    number = {one: other for one, other in zip(found, reference, strict=True) if one >= 0 <= other}
    renamed = np.array([number.get(label, -1) for label in found])
    levels = mutual_reachability(points, 5)
    different = np.flatnonzero(renamed != reference)
    # Points that are as far from one cluster as from the other may go to either.
    assert len(different) < 5
    for point in different:
        one, other = (levels[point, labels == labels[point]].min() for labels in (renamed, reference))
        assert one == pytest.approx(other, rel=1e-9)


def test_equal_points_are_clusters_not_errors():
    points = np.repeat(np.eye(3), 12, axis=0)
    assert adjusted_rand_score(np.repeat([0, 1, 2], 12), cluster_points(points, 5)) == 1
    assert (cluster_points(np.zeros((50, 3)), 5) == -1).all()


def test_too_few_points_are_noise():
    assert (cluster_points(np.random.default_rng(0).normal(0, 1, (19, 3)), 10) == -1).all()
    assert len(cluster_points(np.zeros((0, 3)), 10)) == 0

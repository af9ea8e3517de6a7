"""Clustering of one frame pair: HDBSCAN, the two modes, the background, connected components."""

import dataclasses

import hdbscan
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import linkage
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components, minimum_spanning_tree
from scipy.spatial.distance import cdist
from sklearn.metrics import adjusted_rand_score
from synthetic import SPEC, embeddings_of, moving_discs

from cosembed import clustering
from cosembed.clustering import background_embedding, cluster_pair, cluster_points
from cosembed.clustering.grid import cluster_on_grid
from cosembed.clustering.pairs import _components
from cosembed.clustering.spanning_tree import mutual_reachability_tree


@pytest.mark.parametrize("min_points", [2, 3, 7])
@pytest.mark.parametrize("count", [14, 26, 100])
def test_few_points_or_many_cluster_as_with_all_distances(count, min_points):
    """The k-d tree back end (leaves of 25 points) against hdbscan's quadratic one."""
    generator = np.random.default_rng(count)
    points = generator.normal(0, 0.1, (count, 6)) + generator.integers(0, 3, (count, 1))
    reference = hdbscan.HDBSCAN(min_cluster_size=min_points, min_samples=min_points, algorithm="generic")
    assert adjusted_rand_score(reference.fit_predict(points), cluster_points(points, min_points)) == 1


def mutual_reachability(points, min_samples):
    distances = cdist(points, points)
    core = np.sort(distances, axis=1)[:, min_samples]
    return np.maximum(distances, np.maximum.outer(core, core))


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


def test_equal_points_are_clusters_not_errors():
    points = np.repeat(np.eye(3), 12, axis=0)
    assert adjusted_rand_score(np.repeat([0, 1, 2], 12), cluster_points(points, 5)) == 1
    assert (cluster_points(np.zeros((50, 3)), 5) == -1).all()


@pytest.mark.parametrize(("stride", "min_points"), [(2, 100), (3, 230)])
def test_fast_joins_pixels_to_the_clusters_of_the_grid_as_hdbscan_would(stride, min_points):
    """Against all distances: by the nearest clustered grid pixel, if the core distance is below the cluster's largest edge."""
    pair = embeddings_of(moving_discs(frames=2), noise=0.1, blur=1.5)
    background = background_embedding(pair)
    spec = dataclasses.replace(SPEC, min_points=min_points, mode="fast")
    foreground, points = clustering.foreground_points(pair, background, spec)
    _, rows, columns = np.nonzero(foreground)
    np.testing.assert_array_equal(foreground, pair @ background < 0.95)
    np.testing.assert_allclose(points, np.column_stack([pair[foreground], 0.01 * rows, 0.01 * columns]))
    found = cluster_on_grid(points, foreground, stride, min_points)
    grid = (rows % stride == 0) & (columns % stride == 0)
    count = round(min_points / stride**2)
    sampled = cluster_points(points[grid], count)

    reachability = mutual_reachability(points[grid], count)
    members = [np.flatnonzero(sampled == label) for label in range(sampled.max() + 1)]
    # A point joins when it becomes part of something as large as a cluster; the cluster is complete with its heaviest edge.
    joined = np.zeros(len(sampled))
    parts = {index: [index] for index in range(len(sampled))}
    for number, (one, other, level, size) in enumerate(
        linkage(reachability[np.triu_indices(len(sampled), 1)], "single")
    ):
        for part in (parts.pop(int(one)), parts.pop(int(other))):
            if len(part) < count <= size:
                joined[part] = level
            parts.setdefault(len(sampled) + number, []).extend(part)
    ends = [minimum_spanning_tree(reachability[np.ix_(inside, inside)]).max() for inside in members]
    distance = cdist(points[~grid], points[grid])
    nearest = sampled[distance.argsort(axis=1)[:, :8]]
    divided = (nearest != nearest[:, :1]).any(axis=1)
    expected = nearest[:, 0].copy()
    reached = {}
    for index in np.flatnonzero(divided):
        near = distance[index].argsort()[:count]
        level = np.maximum(np.maximum(distance[index, near], joined[near]), distance[index, near].max())
        reached[index] = sorted(
            (level[sampled[near] == label].min(), label) for label in set(sampled[near].tolist()) - {-1}
        )
        for _, label in reached[index][:2]:
            ends[label] = min(ends[label], reached[index][1][0]) if len(reached[index]) > 1 else ends[label]
    for index, lowest in reached.items():
        expected[index] = lowest[0][1] if lowest and lowest[0][0] <= ends[lowest[0][1]] else -1
    np.testing.assert_array_equal(found[~grid], expected)
    kept = [label >= 0 and level <= ends[label] for label, level in zip(sampled, joined, strict=True)]
    np.testing.assert_array_equal(found[grid], np.where(kept, sampled, -1))
    # The nearest grid pixel's label alone would be another outcome.
    assert not np.array_equal(expected, nearest[:, 0])


def test_both_modes_agree_where_instances_are_clear():
    pair = embeddings_of(moving_discs(frames=2))
    background = background_embedding(pair)
    spec = dataclasses.replace(SPEC, min_points=200)
    exact, fast = (
        cluster_pair(pair, background, dataclasses.replace(spec, mode=mode)) for mode in ("exact", "fast")
    )
    assert exact.max() == 4
    assert adjusted_rand_score(exact.ravel(), fast.ravel()) > 0.995


@pytest.mark.parametrize(("one_sided", "labels"), [(False, {0}), (True, {3})])
def test_a_cluster_whose_mean_points_to_the_background_is_dropped(one_sided, labels):
    """Every pixel of the patch is a candidate; tilted to alternating sides, their mean is the background."""
    truth = np.zeros((2, 40, 60), int)
    truth[:, 5:15, 5:15], truth[:, 5:15, 40:50] = 1, 2
    pair = embeddings_of(truth, noise=0.01)
    patch = pair[:, 25:38, 20:34]
    checkerboard = np.indices(patch.shape[:3]).sum(axis=0) % 2 * 2 - 1
    tilt = 0.4 * (1 if one_sided else checkerboard[..., None])
    patch[...] = (np.eye(8)[0] + tilt * np.eye(8)[3]) / np.sqrt(1.16)
    background = background_embedding(pair)
    assert (patch @ background < 0.95).all()
    # Coordinates count so much that the alternating pixels are one cluster.
    found = cluster_pair(pair, background, dataclasses.replace(SPEC, coordinate_factor=1.0))
    assert set(np.unique(found[:, 27:36, 22:32])) == labels
    assert adjusted_rand_score(truth[:, :20].ravel(), found[:, :20].ravel()) > 0.9


def test_the_background_mask_may_leave_everything_or_nothing():
    pair = embeddings_of(moving_discs(frames=2))
    nothing_left = cluster_pair(
        pair, background_embedding(pair), dataclasses.replace(SPEC, background_similarity=-1.0)
    )
    assert nothing_left.shape == (2, 64, 64) and not nothing_left.any()
    everything = cluster_pair(
        pair[:, :24, :24], -np.eye(8, dtype=np.float32)[0], dataclasses.replace(SPEC, min_points=20)
    )
    assert (everything[0, 14, 14] != everything[0, 2, 2]) and everything[0, 2, 2] > 0


def test_connected_components_split_a_cluster_and_small_ones_go():
    pair = np.zeros((2, 30, 60), int)
    # Two far apart instances of one embedding, a speck of it, and another instance.
    pair[:, 5:15, 5:15] = 1
    pair[:, 5:15, 40:50] = 1
    pair[:, 25, 28:30] = 1
    pair[:, 18:28, 5:20] = 2
    embeddings = embeddings_of(pair, noise=0.02)
    spec = dataclasses.replace(SPEC, coordinate_factor=0.0)
    labels = cluster_pair(embeddings, background_embedding(embeddings), spec)
    assert set(np.unique(labels)) == {0, 1, 2, 3}
    assert labels[0, 10, 10] != labels[0, 10, 45]
    assert labels[0, 25, 28] == 0
    assert labels[0, 10, 10] == labels[1, 10, 10]


def test_components_hold_together_over_time_through_the_18_neighbourhood():
    labels = np.zeros((2, 5, 5), np.int32)
    labels[0, 2, 2] = labels[1, 2, 3] = 1
    assert len(np.unique(_components(labels, 1))) == 2
    labels[1, 2, 3], labels[1, 3, 3] = 0, 1
    # A voxel that differs in frame, row and column is not a neighbour.
    assert len(np.unique(_components(labels, 1))) == 3


def test_too_few_points_are_noise():
    assert (cluster_points(np.random.default_rng(0).normal(0, 1, (19, 3)), 10) == -1).all()
    assert len(cluster_points(np.zeros((0, 3)), 10)) == 0


def test_auto_is_fast_from_100_points_on():
    assert clustering.chosen_mode(dataclasses.replace(SPEC, min_points=99)) == "exact"
    assert clustering.chosen_mode(dataclasses.replace(SPEC, min_points=100)) == "fast"
    assert clustering.chosen_mode(dataclasses.replace(SPEC, min_points=100, mode="exact")) == "exact"


@pytest.mark.parametrize(("min_points", "stride"), [(199, 1), (200, 2), (449, 2), (450, 3), (5000, 3)])
def test_the_grid_is_as_coarse_as_the_cells_are_large(min_points, stride):
    spec = dataclasses.replace(SPEC, min_points=min_points)
    assert clustering.grid_stride(spec) == stride
    assert clustering.grid_stride(dataclasses.replace(spec, mode="exact")) == 1
    words = "every pixel" if stride == 1 else f"one pixel in {stride} x {stride}"
    assert clustering.describe_clustering(spec).startswith(f"fast: {words}")


def test_background_by_the_squared_dot_product_as_the_released_code_for_still_images_has_it():
    """An embedding opposite to the background is an instance by the dot product, and background by its square."""
    truth = np.zeros((1, 40, 60), int)
    truth[:, 5:15, 5:15], truth[:, 5:15, 40:50] = 1, 2
    image = embeddings_of(truth, noise=0.01)
    image[:, 25:38, 20:34] = -np.eye(8, dtype=np.float32)[0]
    background = background_embedding(image)
    spec = dataclasses.replace(SPEC, background_similarity=0.5)
    by_dot, by_square = (
        cluster_pair(image, background, dataclasses.replace(spec, background_measure=measure))
        for measure in ("dot", "squared_dot")
    )
    assert len(np.unique(by_dot[0, 27:36, 22:32])) == 1 and by_dot[0, 30, 27] > 0
    assert not by_square[:, 25:38, 20:34].any()
    assert adjusted_rand_score(truth[:, :20].ravel(), by_square[:, :20].ravel()) > 0.9


def test_clusters_of_background_direction_may_be_kept():
    truth = np.zeros((2, 40, 60), int)
    truth[:, 5:15, 5:15], truth[:, 5:15, 40:50] = 1, 2
    pair = embeddings_of(truth, noise=0.01)
    checkerboard = np.indices((2, 13, 14)).sum(axis=0) % 2 * 2 - 1
    pair[:, 25:38, 20:34] = (np.eye(8)[0] + 0.4 * checkerboard[..., None] * np.eye(8)[3]) / np.sqrt(1.16)
    background = background_embedding(pair)
    spec = dataclasses.replace(SPEC, coordinate_factor=1.0, background_clusters=False)
    assert cluster_pair(pair, background, spec)[0, 31, 27] > 0
    assert cluster_pair(pair, background, dataclasses.replace(spec, background_clusters=True))[0, 31, 27] == 0


@pytest.mark.parametrize(("share", "kept"), [(0.5, True), (1.0, False)])
def test_the_size_threshold_is_a_share_of_m_pts(share, kept):
    """A patch of 24 pixels over both frames, part of a cluster of more than m_pts = 30."""
    truth = np.zeros((2, 30, 60), int)
    truth[:, 5:15, 5:15] = 1
    truth[:, 5:15, 40:50] = 2
    truth[:, 20:23, 10:14] = 1
    pair = embeddings_of(truth, noise=0.01)
    spec = dataclasses.replace(SPEC, coordinate_factor=0.0, size_share=share)
    assert spec.size_threshold == 30 * share
    assert bool(cluster_pair(pair, background_embedding(pair), spec)[0, 21, 12]) == kept

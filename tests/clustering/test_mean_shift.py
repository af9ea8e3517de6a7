"""Mean shift against a plain loop over seeds and points, and what must hold whatever the points are."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from cosembed.clustering import (
    choose_background,
    cluster_by_mean_shift,
    cluster_pair,
    describe_clustering,
    mean_shift,
)
from cosembed.clustering.mean_shift import cluster_from_seeds
from tests.helpers.synthetic_embeddings import SPEC, embeddings_of, moving_discs

FOLLOW_UP = dataclasses.replace(
    SPEC,
    method="mean_shift",
    coordinate_factor=0.005,
    background="fixed",
    background_measure="squared_dot",
    background_similarity=0.5,
    background_clusters=False,
    size_share=1.0,
)


def plain_mean_shift(points, seeds, bandwidth):
    """Follows the recovered facts: one seed after the other, all points in every step."""

    def cosine(one, other):
        return one @ other / (np.linalg.norm(one) * np.linalg.norm(other))

    rests = {}
    for seed in seeds:
        centre = seed
        for _ in range(301):
            near = np.array([1 - cosine(point, centre) <= bandwidth for point in points])
            before, centre = centre, points[near].mean(axis=0)
            if np.linalg.norm(centre - before) < 1e-3 * bandwidth:
                break
        rests[tuple(centre)] = np.count_nonzero(near)
    waiting = [
        np.array(centre) for centre, _ in sorted(rests.items(), key=lambda r: (r[1], r[0]), reverse=True)
    ]
    kept = []
    while waiting:
        kept.append(waiting[0])
        waiting = [centre for centre in waiting[1:] if 1 - cosine(centre, kept[-1]) > bandwidth]
    return np.array([np.argmax([cosine(point, centre) for centre in kept]) for point in points])


def blobs(seed, count, dimensions, spread, groups=5):
    random = np.random.default_rng(seed)
    middles = random.normal(size=(groups, dimensions))
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    points = middles[random.integers(groups, size=count)] + spread * random.normal(size=(count, dimensions))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def with_coordinates(points, seed):
    places = np.random.default_rng(seed).integers(256, size=(len(points), 2))
    return np.concatenate([points, 0.005 * places], axis=1)


@pytest.mark.parametrize("spread", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("bandwidth", [0.03, 0.1])
def test_it_equals_a_plain_loop_in_clear_and_in_diffuse_data(spread, bandwidth):
    points = with_coordinates(blobs(1, 400, 6, spread), 2)
    seeds = points[:40]
    expected = plain_mean_shift(points, seeds, bandwidth)
    assert len(np.unique(expected)) > 1
    np.testing.assert_array_equal(cluster_from_seeds(points, seeds, bandwidth), expected)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**31),
    st.integers(1, 90),
    st.integers(1, 5),
    st.sampled_from([0.01, 0.1, 0.7, 2.0]),
    st.integers(1, 30),
)
def test_it_equals_a_plain_loop_for_any_points(seed, count, dimensions, bandwidth, seeds):
    points = np.random.default_rng(seed).normal(size=(count, dimensions)) + 0.5
    found = cluster_from_seeds(points, points[:seeds], bandwidth)
    np.testing.assert_array_equal(found, plain_mean_shift(points, points[:seeds], bandwidth))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 800), st.sampled_from([0.05, 0.3]))
def test_neither_the_order_of_points_nor_that_of_seeds_changes_anything(seed, count, spread):
    points = with_coordinates(blobs(seed, count, 4, spread), seed)
    seeds = points[:25]
    random = np.random.default_rng(seed)
    order = random.permutation(len(points))
    plain = cluster_from_seeds(points, seeds, 0.1)
    np.testing.assert_array_equal(plain[order], cluster_from_seeds(points[order], seeds, 0.1))
    np.testing.assert_array_equal(
        plain, cluster_from_seeds(points, seeds[random.permutation(len(seeds))], 0.1)
    )


def test_centres_are_the_same_bits_in_any_order_of_the_points():
    points = with_coordinates(blobs(3, 5000, 8, 0.2), 3)
    order = np.random.default_rng(4).permutation(len(points))
    one, other = (
        mean_shift._move(mean_shift._balls(some), points[:60], 0.1) for some in (points, points[order])
    )
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([1e-3, 1.0, 1e6]))
def test_the_scale_of_all_points_does_not_matter_while_centres_move_far(seed, scale):
    """Angles decide; only the rest of a centre is an absolute distance, which clear groups reach at once."""
    points = blobs(seed, 300, 5, 0.01)
    plain, scaled = (cluster_from_seeds(some, some[:30], 0.1) for some in (points, points * scale))
    np.testing.assert_array_equal(plain, scaled)


def test_seeds_are_drawn_by_a_seed_and_all_points_are_seeds_where_there_are_few():
    points = with_coordinates(blobs(5, 3000, 6, 0.3), 5)
    one, again, other = (cluster_by_mean_shift(points, 0.1, 128, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    few = points[:50]
    np.testing.assert_array_equal(
        cluster_by_mean_shift(few, 0.1, 128, 7), cluster_from_seeds(few, few[::-1], 0.1)
    )


def test_every_point_belongs_to_the_nearest_centre_however_far():
    points = np.concatenate([np.tile([1.0, 0.02, 0], (20, 1)), [[0.1, 0, -1.0]]])
    np.testing.assert_array_equal(cluster_from_seeds(points, points[:1], 0.1), np.zeros(21))


def test_equal_points_and_points_without_direction_are_one_cluster():
    for points in (np.full((50, 4), 0.3), np.zeros((50, 4))):
        np.testing.assert_array_equal(cluster_by_mean_shift(points, 0.1, 128, 1), np.zeros(50))


def test_no_points_are_no_clusters():
    assert cluster_by_mean_shift(np.zeros((0, 18)), 0.1, 128, 1).shape == (0,)


def test_known_instances_come_back_from_a_pair():
    truth = moving_discs(frames=2)
    pair = embeddings_of(truth, noise=0.05)
    background = choose_background(pair, FOLLOW_UP)
    np.testing.assert_array_equal(background, [1, 0, 0, 0, 0, 0, 0, 0])
    found = cluster_pair(pair, background, FOLLOW_UP)
    assert found.max() == 4
    assert adjusted_rand_score(truth.ravel(), found.ravel()) > 0.99


def test_what_is_opposite_to_the_fixed_background_is_background():
    truth = moving_discs(frames=2)
    pair = embeddings_of(truth, noise=0.01)
    pair[truth == 2] = -np.eye(8, dtype=np.float32)[0]
    found = cluster_pair(pair, choose_background(pair, FOLLOW_UP), FOLLOW_UP)
    assert found.max() == 3 and not found[truth == 2].any()


def test_a_pair_without_foreground_has_no_instances():
    pair = np.zeros((2, 16, 16, 8), np.float32)
    pair[..., 0] = 1
    assert not cluster_pair(pair, choose_background(pair, FOLLOW_UP), FOLLOW_UP).any()


def test_components_below_the_threshold_are_dropped():
    truth = np.zeros((2, 20, 20), int)
    truth[:, 2:6, 2:6], truth[:, 12:18, 12:18] = 1, 2
    pair = embeddings_of(truth, noise=0.01)
    for size, kept in ((32, 2), (33, 1)):
        spec = dataclasses.replace(FOLLOW_UP, min_points=size)
        assert cluster_pair(pair, choose_background(pair, spec), spec).max() == kept


def test_the_report_says_how_pixels_are_clustered():
    assert describe_clustering(dataclasses.replace(FOLLOW_UP, min_points=500)) == (
        "mean shift from 128 seeds, bandwidth 0.1; at least 500 pixels a cell"
    )

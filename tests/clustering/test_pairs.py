"""Instances of one frame pair: the two modes, the background, connected components, sizes."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from cosembed import clustering
from cosembed.clustering import background_embedding, cluster_pair
from cosembed.clustering.pairs import split_into_components
from tests.helpers.synthetic_embeddings import SPEC, embeddings_of, moving_discs


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
    assert len(np.unique(split_into_components(labels, 1))) == 2
    labels[1, 2, 3], labels[1, 3, 3] = 0, 1
    # A voxel that differs in frame, row and column is not a neighbour.
    assert len(np.unique(split_into_components(labels, 1))) == 3


def test_auto_is_fast_from_100_points_on():
    assert clustering.choose_mode(dataclasses.replace(SPEC, min_points=99)) == "exact"
    assert clustering.choose_mode(dataclasses.replace(SPEC, min_points=100)) == "fast"
    assert clustering.choose_mode(dataclasses.replace(SPEC, min_points=100, mode="exact")) == "exact"


def test_the_report_says_how_pixels_are_clustered():
    spec = dataclasses.replace(SPEC, min_points=200)
    assert clustering.describe_clustering(spec).startswith(
        "HDBSCAN, fast: up to 10 pixels inside a cell as one"
    )
    exact = dataclasses.replace(spec, mode="exact")
    assert clustering.describe_clustering(exact).startswith("HDBSCAN, exact: every pixel;")
    few = dataclasses.replace(spec, min_points=30, mode="fast")
    assert clustering.describe_clustering(few).startswith("HDBSCAN, fast: every pixel;")


# What the released call makes of equal points depends on the library's version.
@pytest.mark.parametrize(
    ("mode", "points"),
    [(mode, points) for mode in ("exact", "fast", "released") for points in (0, 1, "equal")][:-1],
)
def test_a_pair_of_hardly_any_or_of_equal_points_has_no_cells(mode, points):
    """A foreground pixel is one whose embedding is not the background's."""
    pair = np.zeros((2, 20, 20, 4), np.float32)
    pair[..., 0] = 1
    if points:
        pair[:, : 20 if points == "equal" else 1, : 20 if points == "equal" else 1] = [0, 1, 0, 0]
    spec = dataclasses.replace(SPEC, min_points=150, mode=mode, coordinate_factor=0.0)
    assert not cluster_pair(pair, np.eye(4, dtype=np.float32)[0], spec).any()


def test_background_by_the_squared_dot_product_as_the_released_code_for_still_images_has_it():
    """What is opposite to the background is an instance by the dot product, and background by its square."""
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

"""Clustering and tracking of synthetic embeddings whose instances are known."""

import dataclasses

import numpy as np
import pytest

from cosembed import clustering
from cosembed.clustering import background_embedding, cluster_pair, cluster_points
from cosembed.errors import DataError, SpecError
from cosembed.tracking import TrackingSpec, track_embeddings

SPEC = TrackingSpec(min_points=30, coordinate_factor=0.01, border=(0, 0), parent_dilation=0, parent_frames=2)


def embeddings_of(labels: np.ndarray, dimensions: int = 8, noise: float = 0.05, seed: int = 0) -> np.ndarray:
    """Unit vectors: axis 0 for background, another axis per label, with noise."""
    axes = np.where(labels > 0, 1 + labels % (dimensions - 1), 0)
    vectors = np.eye(dimensions)[axes] + np.random.default_rng(seed).normal(0, noise, (*labels.shape, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def moving_discs(frames=5, side=64):
    rows, columns = np.mgrid[:side, :side]
    labels = np.zeros((frames, side, side), np.int64)
    for frame in range(frames):
        for label, (y, x, dy, dx) in enumerate([(14, 14, 1, 1), (14, 40, 0, -1), (45, 20, -1, 0), (46, 46, 0, 1)], start=1):
            labels[frame][(rows - y - dy * frame) ** 2 + (columns - x - dx * frame) ** 2 <= 64] = label
    return labels


def assert_same_partition(found, truth, tolerance):
    """Every true label corresponds to one found label and back, but for a few pixels."""
    for label in np.unique(truth):
        values, counts = np.unique(found[truth == label], return_counts=True)
        assert counts.max() >= (1 - tolerance) * counts.sum()
        best = values[counts.argmax()]
        assert np.count_nonzero((found == best) & (truth != label)) <= tolerance * counts.sum()


@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_known_instances_come_back(mode):
    truth = moving_discs()
    # 120 points in `fast` are clustered on a grid of stride 2.
    spec = dataclasses.replace(SPEC, mode=mode, min_points=120 if mode == "fast" else 30)
    result = track_embeddings(embeddings_of(truth), spec)
    assert [(t.begin, t.end, t.parent) for t in result.tracks] == [(0, 4, 0)] * 4
    assert_same_partition(result.labels, truth, 0.02)


def test_fast_and_exact_give_the_same_tracks():
    truth = moving_discs()
    embeddings = embeddings_of(truth, noise=0.1)
    spec = dataclasses.replace(SPEC, min_points=110)
    results = [track_embeddings(embeddings, dataclasses.replace(spec, mode=mode)) for mode in ("exact", "fast")]
    assert results[0].tracks == results[1].tracks
    assert np.mean(results[0].labels != results[1].labels) < 0.002


def test_a_division_is_found_from_embeddings():
    truth = np.zeros((5, 40, 60), np.int64)
    truth[:, 25:38, 40:55] = 5
    truth[:3, 5:17, 10:34] = 1
    truth[3:, 5:17, 7:19] = 2
    truth[3:, 5:17, 25:37] = 3
    result = track_embeddings(embeddings_of(truth), SPEC)
    mother = next(track for track in result.tracks if track.label == result.labels[0, 10, 20])
    daughters = [track for track in result.tracks if track.parent == mother.label]
    assert (mother.begin, mother.end) == (0, 2)
    assert [(daughter.begin, daughter.end) for daughter in daughters] == [(3, 4)] * 2


def test_an_iterator_of_frames_is_read_one_frame_at_a_time():
    embeddings = embeddings_of(moving_discs(frames=4))
    alive = []

    def frames():
        for index, frame in enumerate(embeddings):
            alive.append(index)
            yield frame

    streamed = track_embeddings(frames(), SPEC)
    whole = track_embeddings(embeddings, SPEC)
    assert alive == [0, 1, 2, 3]
    np.testing.assert_array_equal(streamed.labels, whole.labels)
    assert streamed.tracks == whole.tracks


def test_a_single_frame_is_clustered_by_itself():
    truth = moving_discs(frames=1)
    result = track_embeddings(embeddings_of(truth), SPEC)
    assert [(t.begin, t.end) for t in result.tracks] == [(0, 0)] * 4
    assert_same_partition(result.labels, truth, 0.02)


def test_nothing_but_background_and_nothing_but_noise_give_no_tracks():
    assert track_embeddings(embeddings_of(np.zeros((3, 20, 20), int), noise=0.01), SPEC).tracks == []
    few = np.zeros((2, 20, 20), int)
    few[:, 5:8, 5:8] = 1
    assert track_embeddings(embeddings_of(few, noise=0.01), SPEC).tracks == []


def test_the_background_comes_from_the_first_pair_and_is_a_median_not_normalised():
    pair = np.random.default_rng(1).normal(0, 1, (2, 6, 7, 3)).astype(np.float32)
    np.testing.assert_allclose(background_embedding(pair), np.median(pair.reshape(-1, 3), axis=0))
    truth = moving_discs(frames=3)
    changed = embeddings_of(truth)
    # In the last frame the background moves to an axis of its own: it is not background any more.
    changed[2][truth[2] == 0] = np.eye(8)[7]
    result = track_embeddings(changed, SPEC)
    assert np.count_nonzero(result.labels[2]) > 0.9 * truth[2].size


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
    assert len(np.unique(clustering._components(labels, 1))) == 2
    labels[1, 2, 3], labels[1, 3, 3] = 0, 1
    # A voxel that differs in frame, row and column is not a neighbour.
    assert len(np.unique(clustering._components(labels, 1))) == 3


def test_too_few_points_are_noise():
    assert (cluster_points(np.random.default_rng(0).normal(0, 1, (19, 3)), 10) == -1).all()
    assert len(cluster_points(np.zeros((0, 3)), 10)) == 0


def test_auto_is_fast_from_100_points_on():
    assert clustering.chosen_mode(dataclasses.replace(SPEC, min_points=99)) == "exact"
    assert clustering.chosen_mode(dataclasses.replace(SPEC, min_points=100)) == "fast"
    assert clustering.chosen_mode(dataclasses.replace(SPEC, min_points=100, mode="exact")) == "exact"


def test_embeddings_that_are_not_finite_and_empty_videos_are_refused():
    broken = embeddings_of(moving_discs(frames=3))
    broken[1, 4, 4, 0] = np.nan
    with pytest.raises(DataError, match="frame 1"):
        track_embeddings(broken, SPEC)
    with pytest.raises(DataError, match="no frames"):
        track_embeddings(iter([]), SPEC)


def test_values_out_of_range_are_refused():
    with pytest.raises(SpecError, match="min_points"):
        dataclasses.replace(SPEC, min_points=1)

"""Clustering and tracking of synthetic embeddings whose instances are known."""

import dataclasses
import weakref

import numpy as np
import pytest
from synthetic import SPEC, embeddings_of, moving_discs

from cosembed.errors import DataError, SpecError
from cosembed.tracking import finish_tracks, track_embeddings, tracker


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


@pytest.mark.parametrize(
    ("min_points", "noise", "blur", "differing"),
    [(110, 0.07, 0, 0.002), (110, 0.03, 1, 0.005), (230, 0.07, 0, 0.002)],
    ids=["stride 2", "blurred", "stride 3"],
)
def test_fast_and_exact_give_the_same_tracks(min_points, noise, blur, differing):
    embeddings = embeddings_of(moving_discs(), noise=noise, blur=blur)
    spec = dataclasses.replace(SPEC, min_points=min_points)
    exact, fast = (
        track_embeddings(embeddings, dataclasses.replace(spec, mode=mode)) for mode in ("exact", "fast")
    )
    assert len(exact.tracks) == 4
    assert exact.tracks == fast.tracks
    # What differs are pixels that are noise to one of them.
    both = (exact.labels > 0) & (fast.labels > 0)
    np.testing.assert_array_equal(exact.labels[both], fast.labels[both])
    assert np.mean(exact.labels != fast.labels) < differing


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
    given: list[weakref.ref] = []
    held = []

    def frames():
        for frame in embeddings:
            held.append(sum(reference() is not None for reference in given))
            copy = frame.copy()
            given.append(weakref.ref(copy))
            yield copy
            del copy

    streamed = track_embeddings(frames(), SPEC)
    whole = track_embeddings(embeddings, SPEC)
    # When the next frame is asked for, only the one before it is still there.
    assert held == [0, 1, 1, 1]
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


def test_the_background_is_the_median_of_the_first_pair_kept_for_the_whole_video(monkeypatch):
    embeddings = embeddings_of(moving_discs(frames=4))
    used = []
    monkeypatch.setattr(
        tracker,
        "cluster_pair",
        lambda pair, background, _: used.append(background) or np.zeros(pair.shape[:3], int),
    )
    track_embeddings(embeddings, SPEC)
    expected = np.median(embeddings[:2].reshape(-1, 8), axis=0)
    # Not normalised again.
    assert np.linalg.norm(expected) < 0.995
    np.testing.assert_array_equal(used, [expected] * 3)


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
    with pytest.raises(SpecError, match="odd diameter"):
        dataclasses.replace(SPEC, parent_dilation=4)


def test_frames_of_changing_shape_are_refused():
    embeddings = embeddings_of(moving_discs(frames=3))
    with pytest.raises(DataError, match=r"frame 2: the embeddings have shape \(64, 63, 8\)"):
        track_embeddings([embeddings[0], embeddings[1], embeddings[2][:, 1:]], SPEC)
    with pytest.raises(DataError, match="frame 0"):
        track_embeddings(embeddings[0], SPEC)


def test_more_tracks_than_16_bit_labels_are_refused():
    labels = np.arange(65536, dtype=np.int32).reshape(1, 256, 256)
    assert len(finish_tracks(labels, SPEC).tracks) == 65535
    with pytest.raises(DataError, match="65536 tracks do not fit"):
        finish_tracks(labels + 1, SPEC)

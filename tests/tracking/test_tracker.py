"""Synthetic embeddings whose instances are known come back as tracks, and any labels as consistent ones."""

import dataclasses
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed.errors import DataError, SpecError
from cosembed.tracking import finish_tracks, track_embeddings, tracker
from cosembed.tracking.stitch import stitch_pairs
from tests.helpers.label_videos import assert_consistent, in_order_of_appearance, pair_videos, tracking_spec
from tests.helpers.synthetic_embeddings import SPEC, embeddings_of, moving_discs


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
    spec = dataclasses.replace(SPEC, mode=mode, min_points=120 if mode == "fast" else 30)
    result = track_embeddings(embeddings_of(truth), spec)
    assert [(t.begin, t.end, t.parent) for t in result.tracks] == [(0, 4, 0)] * 4
    assert_same_partition(result.labels, truth, 0.02)


@pytest.mark.parametrize(
    ("min_points", "noise", "blur", "differing"),
    [(110, 0.07, 0, 0.002), (110, 0.03, 1, 0.005), (230, 0.07, 0, 0.002)],
    ids=["noisy", "blurred", "large cells"],
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


@pytest.mark.parametrize(("second_look", "last"), [(False, 3), (True, 2)])
def test_daughters_like_their_mother_are_told_apart_by_a_second_look_at_their_first_frame(second_look, last):
    labels = np.zeros((6, 40, 60), np.int64)
    labels[:, 25:38, 40:55] = 5
    labels[:3, 5:17, 10:34] = 1
    # The same embedding: only that they lie apart tells the daughters from each other.
    labels[3:, 5:17, 7:19] = labels[3:, 5:17, 25:37] = 1
    result = track_embeddings(embeddings_of(labels), dataclasses.replace(SPEC, second_look=second_look))
    mother = next(track for track in result.tracks if track.label == result.labels[0, 10, 20])
    assert (mother.begin, mother.end) == (0, last)
    daughters = [track for track in result.tracks if track.parent == mother.label]
    assert [(daughter.begin, daughter.end) for daughter in daughters] == [(last + 1, 5)] * 2
    assert_consistent(result.labels, result.tracks)


def test_tracks_do_not_depend_on_the_number_of_workers():
    embeddings = embeddings_of(moving_discs(frames=8), noise=0.08, blur=1)
    one, *others = (track_embeddings(iter(embeddings), SPEC, workers) for workers in (0, 1, 3, None))
    assert one.tracks
    for other in others:
        np.testing.assert_array_equal(one.labels, other.labels)
        assert one.tracks == other.tracks


def test_workers_cluster_while_frames_are_computed_and_never_fall_far_behind(monkeypatch):
    """The first pair is clustered here; then no more pairs wait than two for each worker."""
    begun, ended, cluster = [], [], tracker.cluster_pair
    may_end = threading.Event()

    def slow(pair, background, spec):
        begun.append(threading.current_thread().name)
        if len(begun) > 1:
            may_end.wait(30)
        ended.append(None)
        return cluster(pair, background, spec)

    monkeypatch.setattr(tracker, "cluster_pair", slow)
    most = []

    def frames():
        for number, frame in enumerate(embeddings_of(moving_discs(frames=9))):
            most.append(max(0, number - 1 - len(ended)))
            if number == 4:
                # Two pairs have been handed over, and none has been clustered.
                may_end.set()
            yield frame

    track_embeddings(frames(), SPEC, workers=1)
    assert begun[0] == threading.main_thread().name
    assert all(name.startswith("clustering") for name in begun[1:])
    assert most[:5] == [0, 0, 0, 1, 2] and max(most) <= 3
    assert len(ended) == 8


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_ends_all_workers(monkeypatch, workers):
    def broken(pair, background, spec):
        raise MemoryError("no room")

    def frames():
        yield from embeddings_of(moving_discs(frames=4))
        raise DataError("t004.tif: cannot be read")

    with pytest.raises(DataError, match=r"t004\.tif"):
        track_embeddings(frames(), SPEC, workers)
    monkeypatch.setattr(tracker, "cluster_pair", broken)
    with pytest.raises(MemoryError):
        track_embeddings(embeddings_of(moving_discs(frames=9)), SPEC, workers)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("clustering")]


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
    with pytest.raises(SpecError, match=r"second_look and tracking\.false_split_frames: both are on"):
        dataclasses.replace(SPEC, second_look=True, false_split_frames=10)


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


@settings(max_examples=150, deadline=None)
@given(
    hnp.arrays(np.int32, st.tuples(st.integers(1, 6), st.just(5), st.just(6)), elements=st.integers(0, 4)),
    st.integers(1, 4),
    st.sampled_from([(0, 0), (1, 1), (0, 2)]),
    st.sampled_from([0, 3]),
    st.sampled_from([0.0, 0.5, 1.0]),
)
def test_any_label_video_becomes_consistent(labels, parent_frames, border, dilation, likeness):
    spec = tracking_spec(
        parent_frames=parent_frames, border=border, parent_dilation=dilation, daughter_likeness=likeness
    )
    result = finish_tracks(labels, spec)
    assert result.labels.dtype == np.uint16
    assert_consistent(result.labels, result.tracks)
    # Only the border is erased; all else keeps its outline.
    inside = labels[:, border[0] : 5 - border[0], border[1] : 6 - border[1]]
    kept = result.labels[:, border[0] : 5 - border[0], border[1] : 6 - border[1]]
    np.testing.assert_array_equal(inside > 0, kept > 0)


@settings(max_examples=100, deadline=None)
@given(pair_videos, st.sampled_from([(0, 0), (1, 1)]), st.integers(1, 8), st.booleans())
def test_any_cluster_labels_become_a_consistent_video(pairs, border, parent_frames, second_look):
    """From the labels of every pair on, whatever the clustering found."""
    stitched = np.stack(list(stitch_pairs(pairs, 0.25, second_look=second_look)))
    assert stitched.shape == (len(pairs) + 1, 5, 6)
    looked_at_once = 1 if second_look else 2
    first = in_order_of_appearance(pairs[0])
    np.testing.assert_array_equal(stitched[:looked_at_once], first[:looked_at_once])
    np.testing.assert_array_equal(stitched[1] > 0, first[1] > 0)
    for label in np.unique(stitched[stitched > 0]):
        present = np.flatnonzero((stitched == label).any(axis=(1, 2)))
        assert len(present) == present[-1] - present[0] + 1
    result = finish_tracks(stitched, tracking_spec(border=border, parent_frames=parent_frames))
    assert_consistent(result.labels, result.tracks)


@settings(max_examples=150, deadline=None)
@given(
    pair_videos,
    st.lists(st.permutations([1, 2, 3, 4]), min_size=5, max_size=5),
    st.sampled_from([0, 3]),
    st.booleans(),
)
def test_the_result_does_not_depend_on_how_clusters_are_numbered(pairs, permutations, dilation, second_look):
    """Every pair numbered anew: the same labels and the same table, ties included."""
    anew = np.stack(
        [np.array([0, *permutation])[pair] for pair, permutation in zip(pairs, permutations, strict=False)]
    )
    spec = tracking_spec(border=(1, 0), parent_dilation=dilation)
    plain, other = (
        finish_tracks(np.stack(list(stitch_pairs(videos, 0.25, second_look=second_look))), spec)
        for videos in (pairs, anew)
    )
    np.testing.assert_array_equal(plain.labels, other.labels)
    assert plain.tracks == other.tracks


def test_an_empty_video_has_no_tracks():
    result = finish_tracks(np.zeros((3, 4, 4), np.int32), tracking_spec())
    assert result.tracks == []
    assert not result.labels.any()

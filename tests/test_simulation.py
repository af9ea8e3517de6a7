"""The simulator keeps its promises for any seed; the classical baseline gives valid results on it."""

import numpy as np
import pytest
from scipy import ndimage

from benchmarks.classical_baseline import baseline, segment, write_baseline
from cosembed.data.ctc import read_sequence
from cosembed.data.validation import check_result, check_truth
from cosembed.errors import InputError, OutputError
from cosembed.metrics import evaluate_ctc
from cosembed.simulation import simulate_video, write_video
from cosembed.simulation.video import touching_share
from cosembed.specs import resolve


@pytest.fixture(scope="module")
def video():
    return simulate_video(40, 192, 24, 1.0, seed=11)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_default_video_is_as_hard_as_promised(seed):
    video = simulate_video(40, 192, 24, 1.0, seed)
    counts = [len(np.unique(labels)) - 1 for labels in video.labels]
    assert min(counts) >= 15
    assert touching_share(video.labels) >= 0.3
    parents = [track.parent for track in video.tracks if track.parent]
    assert sum(parents.count(parent) == 2 for parent in set(parents)) >= 3
    assert any(track.begin > 0 and not track.parent for track in video.tracks) or any(track.end < 39 for track in video.tracks)


def test_touching_is_counted_by_hand():
    labels = np.array([[[1, 1, 2, 0, 3], [0, 0, 0, 0, 3]]], np.uint16)
    assert touching_share(labels) == pytest.approx(2 / 3)


def test_tracks_and_labels_agree_and_cells_are_connected(video):
    for track in video.tracks:
        present = (video.labels == track.label).any(axis=(1, 2))
        assert present[track.begin : track.end + 1].all()
        assert present.sum() == track.end - track.begin + 1
    for labels in video.labels[::13]:
        for label in np.setdiff1d(labels, 0):
            assert ndimage.label(labels == label)[1] == 1
            assert np.count_nonzero(labels == label) >= 40


def test_a_seed_decides_every_pixel():
    first, again, other = (simulate_video(4, 96, 6, 1.0, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.images, again.images)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert not np.array_equal(first.images, other.images)


def test_written_videos_are_valid_and_read_back_complete(tmp_path):
    video = simulate_video(5, 96, 6, 0.5, 1)
    write_video(tmp_path, "01", video)
    assert check_truth(tmp_path / "01_GT", tmp_path / "01") == []
    sequence = read_sequence(tmp_path, "01", resolve("simulated").dataset)
    np.testing.assert_array_equal(sequence.labels, video.labels)
    np.testing.assert_array_equal(sequence.frames[2], video.images[2])
    assert sequence.complete.all()
    with pytest.raises(OutputError, match="exists already"):
        write_video(tmp_path, "01", video)


@pytest.mark.parametrize("changes", [{"frames": 0}, {"size": 10}, {"cells": 0}, {"difficulty": -1.0}, {"seed": -1}])
def test_values_out_of_range_are_refused_by_flag(changes):
    arguments = {"frames": 3, "size": 96, "cells": 5, "difficulty": 1.0, "seed": 1} | changes
    with pytest.raises(InputError, match=f"--{next(iter(changes))}="):
        simulate_video(**arguments)


def test_the_baseline_is_valid_and_well_below_the_demos_target(video, tmp_path):
    write_video(tmp_path, "01", video)
    write_baseline(video.images, tmp_path / "RES")
    assert [fault for fault in check_result(tmp_path / "RES") if not fault.warning] == []
    scores = evaluate_ctc(tmp_path / "RES", tmp_path / "01_GT")
    assert 0.2 < scores["SEG"] < 0.65


def test_the_baseline_separates_and_follows_bright_discs():
    rows, columns = np.mgrid[:80, :80]
    frames = np.full((4, 80, 80), 100.0)
    for index in range(4):
        for y, x in ((25, 20 + index), (25, 42 + index), (60, 50)):
            frames[index][(rows - y) ** 2 + (columns - x) ** 2 <= 144] = 1000
    labels, tracks = baseline(frames)
    assert [(track.begin, track.end, track.parent) for track in tracks] == [(0, 3, 0)] * 3
    assert labels[0, 25, 18] != labels[0, 25, 45]
    assert labels[0, 25, 18] == labels[3, 25, 20]
    assert len(np.unique(segment(frames[0]))) == 4

"""The simulator keeps its promises for any seed; the classical baseline gives valid results on it."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from cosembed.datasets.ctc.reader import read_annotated_video
from cosembed.datasets.ctc.validation import check_truth
from cosembed.errors import InputError, OutputError
from cosembed.simulation import simulate_video, write_video
from cosembed.simulation.video import touching_share
from cosembed.specs import resolve


@pytest.fixture(scope="module")
def video():
    return simulate_video(40, 192, 20, 1.0, seed=11)


def touches_edge(mask):
    return bool(mask[0].any() or mask[-1].any() or mask[:, 0].any() or mask[:, -1].any())


def overlap(first, second):
    return np.count_nonzero(first & second) / np.count_nonzero(first | second)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_default_video_is_as_hard_as_promised(seed):
    video = simulate_video(40, 192, 20, 1.0, seed)
    counts = [len(np.unique(labels)) - 1 for labels in video.labels]
    assert min(counts) >= 15
    assert touching_share(video.labels) >= 0.3
    parents = [track.parent for track in video.tracks if track.parent]
    assert sum(parents.count(parent) == 2 for parent in set(parents)) >= 3
    arriving = [track for track in video.tracks if track.begin > 0 and not track.parent]
    leaving = [track for track in video.tracks if track.end < 39 and track.label not in parents]
    assert arriving and leaving
    assert all(touches_edge(video.labels[track.begin] == track.label) for track in arriving)


@pytest.mark.parametrize("seed", [3, 4])
def test_the_shortest_and_emptiest_demanding_video_keeps_the_promise(seed):
    video = simulate_video(24, 192, 18, 1.0, seed)
    assert min(len(np.unique(labels)) - 1 for labels in video.labels) >= 15
    assert touching_share(video.labels) >= 0.3
    assert len({track.parent for track in video.tracks} - {0}) >= 3


def test_cells_have_the_promised_size_and_move_smoothly(video):
    inside = [
        2 * np.sqrt(np.count_nonzero(labels == label) / np.pi)
        for labels in video.labels[::8]
        for label in np.setdiff1d(labels, 0)
        if not touches_edge(labels == label)
    ]
    assert 20 <= np.median(inside) <= 34
    assert np.percentile(inside, 95) <= 36
    for before, after in pairwise(video.labels):
        common = np.intersect1d(before[before > 0], after[after > 0])
        overlaps = [overlap(before == label, after == label) for label in common]
        assert np.mean(overlaps) > 0.75
        assert np.mean(np.array(overlaps) < 0.4) < 0.1


def test_daughters_begin_where_their_mother_ended(video):
    for track in video.tracks:
        if track.parent:
            mother = next(other for other in video.tracks if other.label == track.parent)
            assert mother.end == track.begin - 1
            start = video.labels[track.begin] == track.label
            reach = ndimage.binary_dilation(video.labels[mother.end] == mother.label, iterations=4)
            assert np.count_nonzero(start & reach) > 0.5 * np.count_nonzero(start)


def test_difficulty_adds_noise_and_uneven_light_and_leaves_the_cells_alone():
    easy, hard = (simulate_video(3, 128, 8, difficulty, 1) for difficulty in (0.0, 2.0))
    np.testing.assert_array_equal(easy.labels, hard.labels)
    background = easy.labels.max(axis=0) == 0
    background &= ndimage.distance_transform_edt(background) > 5
    for video, most, least in ((easy, 120, 0), (hard, np.inf, 400)):
        noise = np.diff(video.images.astype(float), axis=0)[:, background]
        assert least < noise.std() < most
    smooth = [ndimage.gaussian_filter(video.images.astype(float).mean(axis=0), 3) for video in (easy, hard)]
    assert np.ptp(smooth[1][background]) > 3 * np.ptp(smooth[0][background])


def test_touching_cells_are_parted_by_a_darker_seam():
    video = simulate_video(6, 192, 20, 0.0, 2)
    labels, images = video.labels, video.images.astype(float)
    window = (1, 3, 3)
    seam = (ndimage.minimum_filter(labels, window) > 0) & (ndimage.maximum_filter(labels, window) != labels)
    depth = np.stack(
        [ndimage.distance_transform_edt(frame == ndimage.grey_erosion(frame, 3)) for frame in labels]
    )
    assert np.count_nonzero(seam) > 100
    assert images[seam].mean() < 0.85 * images[(labels > 0) & (depth > 4)].mean()


def test_touching_is_counted_by_hand():
    labels = np.array([[[1, 1, 2, 0, 3], [0, 0, 0, 0, 3]]], np.uint16)
    assert touching_share(labels) == pytest.approx(2 / 3)


def test_tracks_and_labels_agree_and_cells_are_connected(video):
    for track in video.tracks:
        present = (video.labels == track.label).any(axis=(1, 2))
        assert present[track.begin : track.end + 1].all()
        assert present.sum() == track.end - track.begin + 1
    for labels in video.labels[::4]:
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
    sequence = read_annotated_video(tmp_path, "01", resolve("simulated").dataset)
    np.testing.assert_array_equal(sequence.labels, video.labels)
    np.testing.assert_array_equal(sequence.frames[2], video.images[2])
    assert sequence.complete.all()
    with pytest.raises(OutputError, match="exists already"):
        write_video(tmp_path, "01", video)


@pytest.mark.parametrize("name", ["", "..", "a/b", "/01"])
def test_a_video_name_that_leads_elsewhere_is_refused(name, tmp_path):
    with pytest.raises(InputError, match="plain name"):
        write_video(tmp_path / "out", name, simulate_video(1, 64, 2, 0.0, 1))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "changes", [{"frames": 0}, {"size": 10}, {"cells": 0}, {"difficulty": -1.0}, {"seed": -1}]
)
def test_values_out_of_range_are_refused_by_flag(changes):
    arguments = {"frames": 3, "size": 96, "cells": 5, "difficulty": 1.0, "seed": 1} | changes
    with pytest.raises(InputError, match=f"--{next(iter(changes))}="):
        simulate_video(**arguments)


def test_both_programs_write_once_and_refuse_to_overwrite(tmp_path):
    simulate = [
        "cosembed",
        "simulate",
        f"--output={tmp_path}",
        "--video=03",
        "--frames=4",
        "--size=64",
        "--cells=3",
        "--seed=9",
    ]
    baseline_ = [
        "benchmarks.classical_baseline",
        f"--input={tmp_path / '03'}",
        f"--output={tmp_path / '03_RES'}",
    ]
    for program, first_output in ((simulate, "4 frames"), (baseline_, "")):
        done = run_program(*program)
        assert (done.returncode, done.stderr) == (0, "")
        assert first_output in done.stdout
        again = run_program(*program)
        assert again.returncode == 2
        assert "exists already" in again.stderr and again.stderr.count("\n") == 1
    sequence = read_annotated_video(tmp_path, "03", resolve("simulated").dataset)
    np.testing.assert_array_equal(sequence.labels, simulate_video(4, 64, 3, 1.0, 9).labels)
    assert len(list((tmp_path / "03_RES").glob("mask*.tif"))) == 4


def run_program(module, *arguments):
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)

"""The classical cell baseline gives valid results on simulated and drawn frames."""

import numpy as np

from cosembed.baselines.cells import track_cells, write_baseline
from cosembed.baselines.segmentation import segment_cells
from cosembed.baselines.values import BaselineValues
from cosembed.datasets.ctc.validation import check_result
from cosembed.metrics import evaluate_ctc
from cosembed.simulation import simulate_video, write_video


def test_the_baseline_is_valid_and_well_below_the_demos_target(tmp_path):
    video = simulate_video(40, 192, 20, 1.0, seed=11)
    write_video(tmp_path, "01", video)
    write_baseline(video.images, tmp_path / "RES")
    assert [fault for fault in check_result(tmp_path / "RES") if not fault.warning] == []
    scores = evaluate_ctc(tmp_path / "RES", tmp_path / "01_GT")
    assert 0.2 < scores["SEG"] < 0.65


def test_two_labels_in_one_are_its_daughters_for_the_baseline():
    frames = np.full((4, 60, 90), 100.0)
    frames[:2, 20:40, 32:58] = 1000
    frames[2:, 20:40, 28:42] = 1000
    frames[2:, 20:40, 48:62] = 1000
    frames[:, 46:58, 5:17] = 1000
    frames[3, 5:17, 70:82] = 1000
    labels, tracks = track_cells(frames)
    mother, left, right = labels[0, 30, 45], labels[3, 30, 35], labels[3, 30, 55]
    other, late = labels[0, 52, 11], labels[3, 11, 76]
    assert sorted(tracks) == sorted(
        [(mother, 0, 1, 0), (left, 2, 3, mother), (right, 2, 3, mother), (other, 0, 3, 0), (late, 3, 3, 0)]
    )


def test_a_cell_beyond_reach_begins_a_track_of_its_own():
    frames = np.full((2, 60, 80), 100.0)
    frames[0, 10:30, 10:30] = 1000
    frames[1, 10:30, 50:70] = 1000
    _, far = track_cells(frames, BaselineValues(reach=39.0, division=0))
    assert far == [(1, 0, 0, 0), (2, 1, 1, 0)]
    _, near = track_cells(frames, BaselineValues(reach=41.0))
    assert near == [(1, 0, 1, 0)]


def test_the_baseline_separates_and_follows_bright_discs():
    rows, columns = np.mgrid[:80, :80]
    frames = np.full((4, 80, 80), 100.0)
    for index in range(4):
        for y, x in ((25, 20 + index), (25, 42 + index), (60, 50)):
            frames[index][(rows - y) ** 2 + (columns - x) ** 2 <= 144] = 1000
    labels, tracks = track_cells(frames)
    assert [(track.begin, track.end, track.parent) for track in tracks] == [(0, 3, 0)] * 3
    assert labels[0, 25, 18] != labels[0, 25, 45]
    assert labels[0, 25, 18] == labels[3, 25, 20]
    assert len(np.unique(segment_cells(frames[0], BaselineValues()))) == 4

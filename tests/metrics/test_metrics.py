"""Scores: the challenge's own values, hand-worked masks, properties, and a second implementation."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed.errors import DataError
from cosembed.metrics import best_dice, difference_in_count, evaluate_ctc, iou_per_class, symmetric_best_dice
from cosembed.metrics.ctc import frame_seg
from tests.helpers.builders import moving_squares, write_ctc

LABELS = hnp.arrays(np.uint16, (6, 7), elements=st.integers(0, 4))


def write_result(folder, labels, tracks):
    folder.mkdir()
    for index, mask in enumerate(labels):
        tifffile.imwrite(folder / f"mask{index:03d}.tif", mask.astype(np.uint16))
    (folder / "res_track.txt").write_text("".join("{} {} {} {}\n".format(*track) for track in tracks))
    return folder


@pytest.fixture
def case(tmp_path):
    """(truth folder, labels, tracks) of the moving squares."""
    images, labels, tracks = moving_squares()
    return write_ctc(tmp_path, images, labels, tracks) / "01_GT", labels, tracks


def test_official_seg_value(test_data):
    folder = test_data / "ctc_evaluation"
    scores = evaluate_ctc(folder / "01_RES", folder / "01_GT")
    assert scores["SEG"] == pytest.approx(0.232874, abs=5e-7)
    assert scores["TRA"] is scores["DET"] is scores["OP"] is None
    assert scores["seg_frames"] == 18


def test_official_det_and_tra_values_and_every_error_of_the_official_log(test_data):
    folder = test_data / "ctc_evaluation"
    scores = evaluate_ctc(folder / "03_RES", folder / "03_GT")
    assert scores["DET"] == pytest.approx(0.688, abs=5e-7)
    assert scores["TRA"] == pytest.approx(0.622980, abs=5e-7)
    assert scores["SEG"] is None
    kinds = {
        "Splitting Operations": "NS", "False Negative Vertices": "FN", "False Positive Vertices": "FP",
        "Redundant Edges To Be Deleted": "ED", "Edges To Be Added": "EA", "Edges with Wrong Semantics": "EC",
    }  # fmt: skip
    counts, kind = dict.fromkeys(kinds.values(), 0), None
    for line in (folder / "03_RES" / "TRA_log.txt").read_text().splitlines():
        if line.startswith("----------"):
            kind = next(value for name, value in kinds.items() if name in line)
        elif "T=" in line:
            counts[kind] += 1
    assert {name: scores[name] for name in counts} == counts


def test_a_perfect_result_scores_1_without_errors(case, tmp_path):
    truth, labels, tracks = case
    scores = evaluate_ctc(write_result(tmp_path / "RES", labels, tracks), truth)
    assert [scores[name] for name in ("SEG", "DET", "TRA", "OP")] == [1, 1, 1, 1]
    assert [scores[name] for name in ("NS", "FN", "FP", "ED", "EA", "EC")] == [0] * 6


def test_hand_worked_errors(case, tmp_path):
    truth, labels, tracks = case
    labels = labels.copy()
    labels[5][labels[5] == 2] = 0
    labels[4, 0, 0] = 9
    tracks = [track._replace(end=4) if track.label == 2 else track for track in tracks] + [(9, 4, 4, 0)]
    scores = evaluate_ctc(write_result(tmp_path / "RES", labels, tracks), truth)
    # One cell is missed in the last frame with the link to it, one false cell of one pixel.
    assert (scores["FN"], scores["FP"], scores["EA"], scores["NS"], scores["ED"], scores["EC"]) == (
        1,
        1,
        1,
        0,
        0,
        0,
    )
    vertices = 6 + 6 + 3 + 3 + 3
    links = 5 + 5 + 2 + 2 + 2 + 2
    assert scores["DET"] == pytest.approx(1 - 11 / (10 * vertices))
    assert scores["TRA"] == pytest.approx(1 - 12.5 / (10 * vertices + 1.5 * links))
    assert scores["SEG"] == pytest.approx((vertices - 1) / vertices)


def test_traccuracy_agrees(case, tmp_path):
    from traccuracy import run_metrics
    from traccuracy.loaders import load_ctc_data
    from traccuracy.matchers import CTCMatcher
    from traccuracy.metrics import CTCMetrics

    truth, labels, tracks = case
    labels = labels.copy()
    labels[2][labels[2] == 1] = 0
    labels[3:][labels[3:] == 1] = 7
    tracks = [(1, 0, 1, 0), (7, 3, 5, 1), *[track for track in tracks if track.label != 1]]
    scores = evaluate_ctc(write_result(tmp_path / "RES", labels, tracks), truth)
    graphs = [
        load_ctc_data(str(truth / "TRA"), str(truth / "TRA" / "man_track.txt")),
        load_ctc_data(str(tmp_path / "RES"), str(tmp_path / "RES" / "res_track.txt")),
    ]
    (other,), _ = run_metrics(*graphs, matcher=CTCMatcher(), metrics=[CTCMetrics()])
    assert scores["TRA"] == pytest.approx(other["results"]["TRA"])
    assert scores["DET"] == pytest.approx(other["results"]["DET"])


def test_an_empty_result_scores_0(case, tmp_path):
    truth, labels, _ = case
    scores = evaluate_ctc(write_result(tmp_path / "RES", labels * 0, []), truth)
    assert [scores[name] for name in ("SEG", "DET", "TRA", "OP")] == [0, 0, 0, 0]
    assert (scores["FN"], scores["EA"]) == (21, 18)


def test_an_empty_table_with_masks_and_other_contradictions_are_refused(case, tmp_path):
    truth, labels, tracks = case
    with pytest.raises(DataError, match="not listed in res_track"):
        evaluate_ctc(write_result(tmp_path / "A", labels, []), truth)
    cut = [track._replace(end=4) if track.end == 5 else track for track in tracks]
    with pytest.raises(DataError, match="no mask 5"):
        evaluate_ctc(write_result(tmp_path / "B", labels[:5], cut), truth)
    with pytest.raises(DataError, match="holds no masks"):
        evaluate_ctc(tmp_path, truth)
    with pytest.raises(DataError, match="neither TRA"):
        evaluate_ctc(tmp_path / "A", tmp_path)
    with pytest.raises(DataError, match="make them equal"):
        evaluate_ctc(write_result(tmp_path / "C", labels[:, :-1], tracks), truth)


@settings(max_examples=60, deadline=None)
@given(LABELS, LABELS)
def test_seg_of_a_frame_equals_loops(mask, truth):
    scores = []
    for label in set(truth.ravel().tolist()) - {0}:
        best = 0.0
        for other in set(mask.ravel().tolist()) - {0}:
            shared = np.count_nonzero((truth == label) & (mask == other))
            if shared > 0.5 * np.count_nonzero(truth == label):
                best = shared / np.count_nonzero((truth == label) | (mask == other))
        scores.append(best)
    result = frame_seg(mask, truth)
    assert math.isnan(result) if not scores else result == pytest.approx(np.mean(scores))


def test_the_command_prints_scores_and_writes_json(case, tmp_path):
    truth, labels, tracks = case
    result = write_result(tmp_path / "RES", labels, tracks)
    arguments = [
        "-m",
        "cosembed",
        "evaluate",
        f"--result_dir={result}",
        f"--ground_truth_dir={truth}",
        f"--json={tmp_path / 's.json'}",
    ]
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
    assert "SEG 1.000000\nDET 1.000000\nTRA 1.000000\nOP 1.000000\n" in done.stdout
    assert json.loads((tmp_path / "s.json").read_text())["FN"] == 0


def loop_best_dice(first, second):
    best = []
    for label in set(first.ravel().tolist()) - {0}:
        dice = [
            2
            * np.count_nonzero((first == label) & (second == other))
            / (np.count_nonzero(first == label) + np.count_nonzero(second == other))
            for other in set(second.ravel().tolist()) - {0}
        ]
        best.append(max(dice, default=0.0))
    return np.mean(best) if best else float(not second.any())


@settings(max_examples=80, deadline=None)
@given(LABELS, LABELS)
def test_dice_equals_loops_and_keeps_its_properties(first, second):
    assert best_dice(first, second) == pytest.approx(loop_best_dice(first, second))
    symmetric = symmetric_best_dice(first, second)
    assert symmetric == symmetric_best_dice(second, first)
    assert 0 <= symmetric <= 1
    assert symmetric_best_dice(first, first) == 1
    renamed = np.array([0, 9, 3, 700, 1])[second]
    assert symmetric_best_dice(first, renamed) == pytest.approx(symmetric)
    assert (
        difference_in_count(first, second)
        == -difference_in_count(second, first)
        == difference_in_count(first, renamed)
    )


def test_dice_by_hand():
    truth = np.array([[1, 1, 1, 1, 2, 2, 0, 0]])
    prediction = np.array([[5, 5, 6, 6, 6, 6, 0, 0]])
    # Truth 1: with 5 2*2/6, with 6 2*2/8; truth 2: with 6 2*2/6. Prediction 5: 2/3; 6: with 1 1/2, with 2 2/3.
    assert best_dice(truth, prediction) == pytest.approx(2 / 3)
    assert symmetric_best_dice(prediction, truth) == pytest.approx(2 / 3)
    empty = np.zeros_like(truth)
    assert symmetric_best_dice(empty, empty) == 1
    assert symmetric_best_dice(empty, truth) == symmetric_best_dice(truth, empty) == 0
    assert difference_in_count(np.array([[1, 2, 3]]), np.array([[1, 1, 0]])) == 2
    with pytest.raises(ValueError, match="one shape"):
        best_dice(truth, truth[:, 1:])


def test_iou_per_class_by_hand():
    scores = iou_per_class(np.array([0, 1, 1, 2]), np.array([0, 1, 2, 2]), [0, 1, 2, 3])
    assert [scores[label] for label in (0, 1, 2)] == [1, 0.5, 0.5]
    assert math.isnan(scores[3])


@settings(max_examples=80, deadline=None)
@given(LABELS, LABELS)
def test_iou_per_class_keeps_its_properties(first, second):
    classes = range(6)
    scores, other = iou_per_class(first, second, classes), iou_per_class(second, first, classes)
    for label in classes:
        union = np.count_nonzero((first == label) | (second == label))
        if not union:
            assert math.isnan(scores[label]) and math.isnan(other[label])
            continue
        assert scores[label] == other[label] == np.count_nonzero((first == label) & (second == label)) / union
        assert 0 <= scores[label] <= 1
        if (first == label).any():
            assert iou_per_class(first, first, [label]) == {label: 1}
    # Classes renamed in both images keep their scores.
    names = np.array([5, 3, 0, 1, 2, 4])
    renamed = iou_per_class(names[first], names[second], names.tolist())
    np.testing.assert_array_equal(
        [renamed[names[label]] for label in classes], [scores[label] for label in classes]
    )


def test_iou_of_nothing_found_is_zero_and_shapes_must_agree():
    truth = np.array([[0, 1, 1, 2]])
    assert iou_per_class(np.zeros_like(truth), truth, [1, 2]) == {1: 0.0, 2: 0.0}
    with pytest.raises(ValueError, match="one shape"):
        iou_per_class(truth, truth[:, 1:], [1])

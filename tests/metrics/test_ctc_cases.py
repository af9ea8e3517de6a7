"""Scores of whole folders: the challenge's own values, hand-worked masks, and a second implementation."""

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
from cosembed.metrics import evaluate_ctc
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
    assert scores["SEG"] is scores["OP"] is None
    # The log lists 1 ED, 16 EA and 2 EC, and the truth has 19 links.
    assert scores["LNK"] == pytest.approx(1 - (1 + 1.5 * 16 + 2) / (1.5 * 19))
    assert scores["undefined"] == {
        **dict.fromkeys(("SEG", "OP"), "there is no SEG truth"),
        "CCA": "the truth has no complete cell cycle",
    }
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
    with pytest.raises(DataError, match=r"mask005\.tif: is missing"):
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

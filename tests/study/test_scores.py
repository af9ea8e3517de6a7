"""Scores as metrics.json holds them: written and read back equal, in the keys that others read.

Damage is named.
"""

import json

import pytest

from cosembed.errors import DataError
from cosembed.study.scores import (
    CellsFoldScores,
    CellsScores,
    CtcScores,
    HeartFoldScores,
    HeartIou,
    HeartScores,
    LeavesScores,
    read_fold_scores,
    read_scores,
    write_fold_scores,
    write_scores,
)
from tests.helpers.studies import (
    CELLS_METRICS,
    HEART_METRICS,
    LEAVES_METRICS,
    cells_fold,
    write_metrics,
)

ENVELOPE = {"experiment", "data", "recipe", "profile", "split", "command", "deviations"}


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (CellsScores, {**CELLS_METRICS, "folds": [cells_fold(SEG=0.25, FN=3)]}),
        (HeartScores, HEART_METRICS),
        (LeavesScores, LEAVES_METRICS),
    ],
    ids=["cells", "heart", "leaves"],
)
def test_what_is_written_is_read_back(kind, content, tmp_path):
    scores = read_scores(kind, write_metrics(tmp_path, content))
    (tmp_path / "again").mkdir()
    write_scores(tmp_path / "again", scores)
    written = json.loads((tmp_path / "again" / "metrics.json").read_text())
    assert written.keys() >= ENVELOPE | content.keys()
    assert read_scores(kind, tmp_path / "again" / "metrics.json") == scores


def test_the_measures_of_cells_are_at_the_top(tmp_path):
    write_scores(tmp_path, read_scores(CellsScores, write_metrics(tmp_path, CELLS_METRICS)))
    written = json.loads((tmp_path / "metrics.json").read_text())
    assert list(written)[:4] == ["SEG", "DET", "TRA", "OP"]
    assert [written[name] for name in ("SEG", "DET", "TRA", "OP")] == [0.5, 0.7, 0.6, 0.55]


def test_folds_without_scores_are_passed_over(tmp_path):
    baseline = CtcScores(frames=2, seg_frames=0, evaluator="by hand")
    cells = CellsFoldScores(
        fold="test_01",
        train="",
        test="01 [0:2]",
        SEG=0.5,
        NS=1,
        frames=2,
        seg_frames=2,
        evaluator="by hand",
        baseline=baseline,
    )
    heart = HeartFoldScores(
        fold="fold_0", train="a, b", test="c", warmed={"c": HeartIou(myocardium=0.5, cavity=None)}
    )
    for scores in (cells, heart):
        folder = tmp_path / scores.fold
        write_fold_scores(folder, scores)
        assert read_fold_scores(type(scores), [tmp_path / "none", folder]) == [scores]


def test_absent_scores_say_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"metrics\.json: there are no scores to report; run --mode=evaluate"):
        read_scores(CellsScores, tmp_path / "metrics.json")


def without(content, *path):
    """A copy without one key, however deep."""
    copy = json.loads(json.dumps(content))
    entry = copy
    for key in path[:-1]:
        entry = entry[key]
    del entry[path[-1]]
    return copy


@pytest.mark.parametrize(
    ("kind", "content", "named"),
    [
        (HeartScores, [], "no JSON object"),
        (HeartScores, {}, "provenance"),
        (HeartScores, {**HEART_METRICS, "extra": 1}, "extra"),
        (HeartScores, without(HEART_METRICS, "split"), "split"),
        (HeartScores, without(HEART_METRICS, "deviations"), "deviations"),
        (HeartScores, without(HEART_METRICS, "variants", "recurrent", "patients", "a", "cavity"), "a.cavity"),
        (HeartScores, {**HEART_METRICS, "variants": {"recurrent": 3}}, "recurrent"),
        (HeartScores, without(HEART_METRICS, "comparison", "cavity", "p"), "cavity.p"),
        (HeartScores, without(HEART_METRICS, "comparison", "cavity", "test"), "cavity.test"),
        (HeartScores, {**HEART_METRICS, "comparison": []}, "comparison"),
        (HeartScores, {**HEART_METRICS, "experiment": "cells"}, "they are of cells"),
        (LeavesScores, [], "no JSON object"),
        (LeavesScores, {}, "provenance"),
        (LeavesScores, {**LEAVES_METRICS, "images": {}}, "no plant"),
        (LeavesScores, {**LEAVES_METRICS, "images": 3}, "images"),
        (LeavesScores, without(LEAVES_METRICS, "images", "plant001", "SBD"), "plant001.SBD"),
        (LeavesScores, HEART_METRICS, "variants"),
        (CellsScores, {"SEG": 1}, "provenance"),
        (CellsScores, {**CELLS_METRICS, "SEG": "much"}, "SEG"),
        (CellsScores, {**CELLS_METRICS, "folds": [3]}, "folds"),
    ],
)
def test_damaged_metrics_name_the_file_and_the_key(kind, content, named, tmp_path):
    with pytest.raises(DataError, match=r"metrics\.json: is not the metrics of this experiment") as error:
        read_scores(kind, write_metrics(tmp_path, content))
    assert named in str(error.value)
    assert str(error.value).endswith("; run --mode=evaluate again")

"""A fold's classical baseline is tuned once, on the frames that train; its values stay with the result."""

import json

import pytest

from cosembed.errors import DataError
from cosembed.specs.dataclass_mapping import from_mapping
from cosembed.study.folds import Fold
from cosembed.study.protocols import VideoRange
from cosembed.study.scores import CellsFoldScores, CtcScores
from cosembed.study.tasks import cells_baseline
from cosembed.study.tasks.cells_baseline import make_baseline
from tests.baselines.test_tuning import TRACKS, drifting_discs
from tests.helpers.builders import write_ctc


def test_values_are_tuned_once_on_the_training_frames_and_kept(tmp_path, monkeypatch):
    frames, labels = drifting_discs()
    write_ctc(tmp_path, frames, labels, TRACKS)
    train, tested = VideoRange(tmp_path, "01", 0, 2), VideoRange(tmp_path, "01", 2, 3)
    seen = []
    tune_on = cells_baseline.tune_on
    monkeypatch.setattr(cells_baseline, "tune_on", lambda ranges: seen.append(ranges) or tune_on(ranges))
    fold = Fold("fold", 0, (train,), (tested,))
    result = tmp_path / "baseline" / "01_RES"
    tuned = make_baseline(fold, tested, result)
    assert seen == [(train,)] and tuned.frames == 2
    assert len(list(result.glob("mask*.tif"))) == 1
    assert make_baseline(fold, tested, result) == tuned and len(seen) == 1
    scores = CtcScores(frames=1, seg_frames=1, evaluator="by hand")
    content = {"fold": "f", "train": "a", "test": "b", "baseline": vars(scores), **vars(scores)}
    content["baseline_tuned"] = json.loads((tmp_path / "baseline" / "01_RES.json").read_text())
    assert from_mapping(CellsFoldScores, content, "it").baseline_tuned == tuned
    (tmp_path / "baseline" / "01_RES.json").write_text("{")
    with pytest.raises(DataError, match=r"01_RES\.json"):
        make_baseline(fold, tested, result)


def test_where_nothing_trains_the_defaults_are_used(tmp_path):
    write_ctc(tmp_path, *drifting_discs(), TRACKS)
    tested = VideoRange(tmp_path, "01", 0, 2)
    fold = Fold("fold", 0, (), (tested,))
    assert make_baseline(fold, tested, tmp_path / "RES") is None
    assert not (tmp_path / "RES.json").exists() and len(list((tmp_path / "RES").glob("mask*.tif"))) == 2

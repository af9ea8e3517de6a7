"""Folds and frame ranges."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosembed.errors import InputError
from experiments import protocol
from experiments.protocol import Part

ROOT = Path("data/X")


def test_two_videos_train_and_test_both_ways():
    folds = protocol.crossval_folds(ROOT, {"01": 10, "02": 20}, None, None)
    assert [fold.name for fold in folds] == ["test_02", "test_01"]
    assert folds[0].train == (Part(ROOT, "01", 0, 10),) and folds[0].test == (Part(ROOT, "02", 0, 20),)
    assert folds[1].train == (Part(ROOT, "02", 0, 20),) and folds[1].test == (Part(ROOT, "01", 0, 10),)
    assert (
        protocol.describe_split(folds, "crossval")
        == "trained on one annotated video, tested on the other, both ways"
    )


@given(st.integers(2, 500))
def test_one_video_is_split_without_overlap_or_gap(length):
    (fold,) = protocol.crossval_folds(ROOT, {"01": length}, None, None)
    (train,), (test,) = fold.train, fold.test
    assert 0 == train.begin < train.end == test.begin < test.end == length


def test_one_video_splits_at_70_percent_or_as_asked():
    (fold,) = protocol.crossval_folds(ROOT, {"01": 100}, None, None)
    assert fold.test == (Part(ROOT, "01", 70, 100),)
    (fold,) = protocol.crossval_folds(ROOT, {"01": 65}, (0, 45), (45, 65))
    assert fold.train == (Part(ROOT, "01", 0, 45),) and fold.test == (Part(ROOT, "01", 45, 65),)
    assert "frames 0:45 trained, 45:65 tested" in protocol.describe_split([fold], "crossval")


@pytest.mark.parametrize(
    ("lengths", "train", "test", "message"),
    [
        ({"01": 65}, (0, 45), None, "belong together"),
        ({"01": 65}, (0, 45), (40, 65), "overlap"),
        ({"01": 65}, (0, 45), (45, 66), "--test_frames: ends at 66"),
        ({"01": 65, "02": 65}, (0, 45), (45, 65), "2 annotated videos"),
        ({"01": 1}, None, None, "overlap"),
    ],
)
def test_ranges_that_do_not_fit_are_refused(lengths, train, test, message):
    with pytest.raises(InputError, match=message):
        protocol.crossval_folds(ROOT, lengths, train, test)


def test_ranges_are_parsed_strictly():
    assert protocol.parse_range("0:45", "train_frames") == (0, 45)
    assert protocol.parse_range("", "train_frames") is None
    for text in ("45", "5:5", "9:3", "-1:4", "a:b", "1:2:3"):
        with pytest.raises(InputError, match="--train_frames"):
            protocol.parse_range(text, "train_frames")


def test_submission_trains_on_everything_and_is_not_scored():
    fold = protocol.submission_fold(ROOT, {"01": 10, "02": 20}, Path("data/test/X"), {"01": 5, "02": 6})
    assert [part.end for part in fold.train] == [10, 20]
    assert [part.root for part in fold.test] == [Path("data/test/X")] * 2
    assert not fold.scored

"""Tuning of the classical tracker: it mends a bad start, scores as the package does, and looks no further."""

from pathlib import Path

import numpy as np
import pytest

from cosembed.baselines import tuning
from cosembed.baselines.cells import write_baseline
from cosembed.baselines.record import read_tuned, write_tuned
from cosembed.baselines.tuning import TrainingVideo, tune_baseline
from cosembed.baselines.values import BaselineValues
from cosembed.datasets.ctc.track_table import Track
from cosembed.errors import DataError
from cosembed.metrics import evaluate_ctc
from tests.helpers.builders import write_ctc

TRACKS = [Track(label, 0, 2, 0) for label in (1, 2, 3)]


def drifting_discs(length: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Frames and labels of three discs that move by two pixels a frame, two of which touch."""
    rows, columns = np.mgrid[:48, :60]
    random = np.random.default_rng(4)
    labels = np.zeros((length, 48, 60), np.uint16)
    for index in range(length):
        for label, (y, x) in enumerate(((14, 14), (14, 29), (35, 40)), start=1):
            disc = (rows - y) ** 2 + (columns - x - 2 * index) ** 2 <= 64
            labels[index][disc & (labels[index] == 0)] = label
    frames = np.where(labels > 0, 180, 100) + random.normal(0, 6, labels.shape)
    return frames.astype(np.uint16), labels


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> TrainingVideo:
    root = tmp_path_factory.mktemp("data")
    frames, labels = drifting_discs()
    write_ctc(root, frames, labels, TRACKS)
    return TrainingVideo(list(frames), root / "01_GT")


def scores(video: TrainingVideo, values: BaselineValues, folder: Path) -> dict:
    write_baseline(video.frames, folder, values)
    return evaluate_ctc(folder, video.truth)


def test_a_bad_start_is_mended(video, tmp_path):
    bad = BaselineValues(threshold=2.5, seed_scale=1.0, smallest=4, reach=0.5)
    assert scores(video, bad, tmp_path / "bad")["TRA"] < 0.6
    tuned = tune_baseline([video], bad)
    after = scores(video, tuned.values, tmp_path / "after")
    assert after["SEG"] > 0.9 and after["TRA"] == pytest.approx(tuned.tracking) and after["TRA"] > 0.99


def test_the_scores_of_the_search_are_those_of_the_package(video, tmp_path):
    values = BaselineValues(threshold=0.3, smoothing=0.3, seed_scale=1.0, smallest=4)
    samples = tuning._samples(video, 1)
    assert len(samples) == len(video.frames)
    found = scores(video, values, tmp_path / "RES")
    assert tuning._segmentation_score(samples, values) == pytest.approx(found["SEG"] + found["DET"])
    assert found["DET"] < 1


def test_truth_of_one_kind_is_enough(video, tmp_path):
    frames, labels = drifting_discs()
    for kind in ("SEG", "TRA"):
        write_ctc(tmp_path / kind, frames, labels, TRACKS)
        other = {"SEG": "TRA", "TRA": "SEG"}[kind]
        for path in (tmp_path / kind / "01_GT" / other).glob("*"):
            path.unlink()
        (tmp_path / kind / "01_GT" / other).rmdir()
    by_masks = tune_baseline([TrainingVideo(video.frames, tmp_path / "SEG" / "01_GT")])
    assert by_masks.tracking is None and by_masks.tried[1] == 0
    assert 0.9 < by_masks.segmentation <= 1
    markers = [TrainingVideo(video.frames, tmp_path / "TRA" / "01_GT")] * 2
    by_markers = tune_baseline(markers)
    assert by_markers.tracking > 0.99 and by_markers.segmentation == pytest.approx(1)
    assert tune_baseline(markers) == by_markers


def test_a_truth_without_cells_and_frames_of_one_grey_value_leave_the_start(tmp_path):
    frames = np.full((3, 40, 40), 9, np.uint8)
    write_ctc(tmp_path, frames, np.zeros((3, 40, 40), np.uint16), [])
    tuned = tune_baseline([TrainingVideo(list(frames), tmp_path / "01_GT")])
    assert tuned.segmentation == 0 and tuned.values.feature == "brightness"


def test_values_are_written_and_read_back_and_damaged_files_refused(video, tmp_path):
    values = BaselineValues(threshold=0.3, seeds="both")
    tuned = tuning.TunedBaseline(values, 1.5, 6, None, (70, 0))
    write_tuned(tmp_path / "values.json", tuned)
    assert read_tuned(tmp_path / "values.json") == tuned
    text = (tmp_path / "values.json").read_text()
    for damaged in (text[:40], text.replace("both", "neither"), text.replace("0.3", '"x"'), "null"):
        (tmp_path / "damaged.json").write_text(damaged)
        with pytest.raises(DataError, match=r"damaged\.json.*tune again"):
            read_tuned(tmp_path / "damaged.json")
    with pytest.raises(DataError, match=r"absent\.json"):
        read_tuned(tmp_path / "absent.json")

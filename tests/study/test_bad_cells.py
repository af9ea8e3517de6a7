"""Bad data of cells end an experiment with one sentence, before anything is written."""

import numpy as np
import pytest
import tifffile

from cosembed.errors import DataError, InputError
from cosembed.study.runner import run_experiment
from tests.helpers.builders import moving_squares, write_ctc
from tests.helpers.studies import SIMULATED, make_settings, smoke_spec


def remove_frame(root):
    (root / "01" / "t002.tif").unlink()


def truncate_frame(root):
    path = root / "01" / "t002.tif"
    path.write_bytes(path.read_bytes()[:200])


def resize_truth(root):
    tifffile.imwrite(root / "01_GT" / "TRA" / "man_track001.tif", np.ones((7, 7), np.uint16))


def unknown_parent(root, video="01"):
    table = root / f"{video}_GT" / "TRA" / "man_track.txt"
    table.write_text(table.read_text() + "9 0 5 77\n")


def words_in_table(root):
    (root / "01_GT" / "TRA" / "man_track.txt").write_text("one zero five none\n")


def nan_frame(root):
    for path in (root / "01").iterdir():
        tifffile.imwrite(path, tifffile.imread(path).astype(np.float32))
    frame = tifffile.imread(root / "01" / "t003.tif")
    frame[3, 3] = np.nan
    for number in range(6):
        tifffile.imwrite(root / "01" / f"t{number:03d}.tif", frame)


def constant_frames(root, video="01"):
    for path in (root / video).iterdir():
        tifffile.imwrite(path, np.full_like(tifffile.imread(path), 7))


BAD_DATA = {
    "missing frame": (remove_frame, ["t002.tif", "missing"]),
    "truncated frame": (truncate_frame, ["t002.tif", "truncated"]),
    "truth of another size": (resize_truth, ["man_track001.tif", "pixels"]),
    "unknown parent": (unknown_parent, ["man_track.txt", "77"]),
    "words in the table": (words_in_table, ["man_track.txt", "label begin end parent"]),
    "NaN": (nan_frame, ["not finite", ".tif"]),
    "constant frames": (constant_frames, ["every pixel", ".tif"]),
}


@pytest.mark.parametrize("fault", BAD_DATA)
def test_bad_data_is_one_sentence_with_the_file_and_leaves_nothing_behind(fault, tmp_path):
    root = write_ctc(tmp_path / "data" / "simulated", *moving_squares(frames=6))
    spoil, words = BAD_DATA[fault]
    spoil(root)
    with pytest.raises(InputError) as error:
        run_experiment(
            SIMULATED,
            "train",
            smoke_spec(),
            make_settings(tmp_path / "data", tmp_path / "run"),
        )
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    assert not list((tmp_path / "run").rglob("checkpoint*"))


@pytest.mark.parametrize(
    ("mode", "spoil", "words"),
    [
        ("all", unknown_parent, "02_GT: man_track.txt: line 6: label 9 has the parent 77"),
        ("evaluate", unknown_parent, "02_GT: man_track.txt: line 6: label 9 has the parent 77"),
        ("predict", constant_frames, "02: t000.tif: every pixel has the value 7"),
    ],
)
def test_what_will_be_tested_is_checked_before_anything_is_trained(mode, spoil, words, tmp_path):
    for video in ("01", "02"):
        root = write_ctc(tmp_path / "data" / "simulated", *moving_squares(frames=6), video)
    spoil(root, "02")
    experiment, flags = (
        SIMULATED,
        make_settings(tmp_path / "data", tmp_path / "run", fold=0),
    )
    with pytest.raises(DataError, match=words):
        run_experiment(experiment, mode, smoke_spec(), flags)
    assert not (tmp_path / "run").exists()
    # Fold 0 trains on the other video.
    task = SIMULATED.task
    (fold, _) = task.make_folds(smoke_spec(), flags)
    task.check([fold], smoke_spec(), flags, "train")

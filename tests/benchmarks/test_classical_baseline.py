"""The classical baseline's command: tunes on one part of a video, tracks another, and takes found values."""

import json

import numpy as np
import tifffile

from cosembed.datasets.ctc.validation import check_result
from tests.baselines.test_tuning import TRACKS, drifting_discs
from tests.helpers.builders import run_command, write_ctc


def call(*flags: str):
    return run_command("benchmarks.classical_baseline", *flags)


def test_it_tunes_on_some_frames_and_tracks_others_by_the_values_found(tmp_path):
    frames, labels = drifting_discs()
    write_ctc(tmp_path, frames, labels, TRACKS)
    video = f"--input={tmp_path / '01'}"
    tuned = call(
        video,
        "--frames=1:3",
        f"--tune_on={tmp_path / '01'}",
        "--tune_frames=0:2",
        f"--output={tmp_path / 'A'}",
    )
    assert tuned.returncode == 0, tuned.stderr
    assert check_result(tmp_path / "A") == []
    assert len(list((tmp_path / "A").glob("mask*.tif"))) == 2
    values = json.loads((tmp_path / "A.json").read_text())
    assert values["tracking"] > 0.99 and values["frames"] == 2
    again = call(video, "--frames=1:3", f"--values={tmp_path / 'A.json'}", f"--output={tmp_path / 'B'}")
    assert again.returncode == 0, again.stderr
    for path in (tmp_path / "A").glob("mask*.tif"):
        np.testing.assert_array_equal(tifffile.imread(path), tifffile.imread(tmp_path / "B" / path.name))


def test_bad_flags_are_one_sentence_and_leave_nothing(tmp_path):
    frames, labels = drifting_discs()
    write_ctc(tmp_path, frames, labels, TRACKS)
    video, output = f"--input={tmp_path / '01'}", f"--output={tmp_path / 'RES'}"
    for flags, word in (
        ((video,), "--output is missing"),
        ((video, output, "--frames=0:9"), "has 3 frames"),
        ((video, output, f"--tune_on={tmp_path / '01'}", f"--values={tmp_path}"), "leave one out"),
        ((video, output, f"--values={tmp_path / 'none.json'}"), "none.json"),
    ):
        done = call(*flags)
        assert done.returncode == 2 and word in done.stderr and "Traceback" not in done.stderr
        assert not (tmp_path / "RES").exists()

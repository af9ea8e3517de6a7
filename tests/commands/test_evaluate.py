"""The command `cosembed evaluate`: output, exit status, one-sentence errors."""

import csv
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tifffile

from cosembed.metrics.measures import MEASURES
from tests.helpers.builders import moving_squares, write_ctc


def run(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "cosembed", "evaluate", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def folders(tmp_path):
    """Result and truth with SEG only; the result has masks and no table."""
    images, labels, tracks = moving_squares(frames=3)
    truth = write_ctc(tmp_path, images, labels, tracks[:3], seg=[1]) / "01_GT"
    for path in (truth / "TRA").iterdir():
        path.unlink()
    result = tmp_path / "01_RES"
    result.mkdir()
    for index, mask in enumerate(labels):
        tifffile.imwrite(result / f"mask{index:03d}.tif", mask)
    return result, truth


def test_absent_truth_is_not_scored_and_null(folders, tmp_path):
    result, truth = folders
    done = run(
        f"--result_dir={result}", f"--ground_truth_dir={truth}", f"--json={tmp_path / 'new' / 'scores.json'}"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:4] == [
        "SEG 1.000000",
        "DET not scored",
        "TRA not scored",
        "OP not scored",
    ]
    content = json.loads((tmp_path / "new" / "scores.json").read_text())
    assert content["SEG"] == 1
    assert content["TRA"] is content["OP"] is content["NS"] is None
    assert (content["frames"], content["seg_frames"], content["seg_objects"]) == (3, 1, 3)
    assert content["py-ctcmetrics"]


def test_errors_are_one_sentence_with_the_file(folders, tmp_path):
    result, truth = folders
    (result / "mask001.tif").write_bytes(b"II*\0")
    cases = {
        "mask001.tif": (f"--result_dir={result}", f"--ground_truth_dir={truth}"),
        "nowhere": (f"--result_dir={tmp_path / 'nowhere'}", f"--ground_truth_dir={truth}"),
        "--ground_truth_dir": (f"--result_dir={result}",),
        "is a folder": (f"--result_dir={result}", f"--ground_truth_dir={truth}", f"--json={tmp_path}"),
    }
    for expected, arguments in cases.items():
        done = run(*arguments)
        assert done.returncode == 2
        assert len(done.stderr.splitlines()) == 1
        assert expected in done.stderr
        assert done.stdout == ""


def test_json_is_printed_alone_or_passed_on_to_an_open_file_and_a_pipe(folders, tmp_path):
    result, truth = folders
    flags = (f"--result_dir={result}", f"--ground_truth_dir={truth}")
    printed = run(*flags, "--json=-")
    assert printed.returncode == 0, printed.stderr
    scores = json.loads(printed.stdout)
    assert scores["SEG"] == 1 and scores["TRA"] is None
    passed = run(*flags, "--json=/dev/stdout")
    assert passed.returncode == 0, passed.stderr
    assert passed.stdout.startswith("SEG 1.000000\n")
    assert passed.stdout.endswith(printed.stdout)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE, text=True) as reader:
        done = run(*flags, f"--json={pipe}")
        assert done.returncode == 0, done.stderr
        assert reader.communicate(timeout=60)[0] == printed.stdout
    assert pipe.is_fifo()


@pytest.fixture
def tracked(tmp_path):
    """A result of two tracks of the five, and complete truth."""
    images, labels, tracks = moving_squares()
    truth = write_ctc(tmp_path, images, labels, tracks) / "01_GT"
    result = tmp_path / "01_RES"
    result.mkdir()
    for index, mask in enumerate(np.where(labels < 3, labels, 0)):
        tifffile.imwrite(result / f"mask{index:03d}.tif", mask)
    (result / "res_track.txt").write_text("1 0 5 0\n2 0 5 0\n")
    return result, truth


def test_every_measure_is_printed_with_its_counts_or_the_reason_why_there_is_none(tracked):
    result, truth = tracked
    flags = (f"--result_dir={result}", f"--ground_truth_dir={truth}")
    lines = run(*flags).stdout.splitlines()
    assert "CT 0.571429 (2 complete, 5 true tracks, 2 result tracks)" in lines
    assert "CCA undefined: the truth has no complete cell cycle" in lines
    assert "division_precision(0) undefined: the result has no division" in lines
    scores = json.loads(run(*flags, "--json=-").stdout)
    assert [line.split()[0] for line in lines if line.split()[0] in MEASURES] == list(MEASURES)
    for name in MEASURES:
        assert (scores[name] is None) == (name in scores["undefined"])
        assert name == "OP" or scores["counts"][name]


def test_tables_of_cells_and_frames_are_written(tracked, tmp_path):
    result, truth = tracked
    flags = (f"--result_dir={result}", f"--ground_truth_dir={truth}")
    done = run(*flags, f"--table={tmp_path / 'cells.csv'}", f"--frames_table={tmp_path / 'frames.csv'}")
    assert done.returncode == 0, done.stderr
    cells, frames = (
        list(csv.DictReader((tmp_path / name).read_text().splitlines()))
        for name in ("cells.csv", "frames.csv")
    )
    assert [row["complete"] for row in cells] == ["1", "1", "0", "0", "0"]
    assert [(row["parent"], row["lineage"], row["result"]) for row in cells[2:4]] == [
        ("0", "3", ""),
        ("3",) * 2 + ("",),
    ]
    assert (cells[2]["daughters"], cells[2]["tolerance"], cells[2]["missed"]) == ("2", "", "3")
    assert [row["FN"] for row in frames] == ["1", "1", "1", "2", "2", "2"]
    assert [row["EA"] for row in frames] == ["0", "1", "1", "2", "2", "2"]
    assert float(frames[3]["SEG"]) == 0.5


def test_tables_that_cannot_be_are_refused_and_nothing_is_written(folders, tmp_path):
    result, truth = folders
    flags = (f"--result_dir={result}", f"--ground_truth_dir={truth}", f"--json={tmp_path / 's.json'}")
    for expected, more in {
        "has no true track to list": [f"--table={tmp_path / 'cells.csv'}"],
        "is a folder": [f"--frames_table={tmp_path}"],
        "another flag names the same file": [f"--frames_table={tmp_path / 's.json'}"],
    }.items():
        done = run(*flags, *more)
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
        assert expected in done.stderr
        assert not (tmp_path / "s.json").exists() and not (tmp_path / "cells.csv").exists()
    done = run(*flags, f"--frames_table={tmp_path / 'frames.csv'}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "frames.csv").read_text().splitlines()[1:] == ["1,,,,,,,,,3,1.0"]

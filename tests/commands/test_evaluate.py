"""The command `cosembed evaluate`: output, exit status, one-sentence errors."""

import json
import os
import subprocess
import sys

import pytest
import tifffile

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

"""The command `cosembed track`: where its output may lie, and what is refused before any work is done."""

import html
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cosembed.datasets.ctc.validation import check_result
from cosembed.errors import SpecError
from cosembed.files.writing import reserved_folder
from cosembed.images.array_frames import ArrayFrames
from cosembed.inference.networks import Network
from cosembed.specs import parse_assignments
from cosembed.video_job.planning import plan_job
from tests.helpers.builders import ROOT, moving_squares, small_spec, untrained_run
from tests.robustness.test_survival import UNPRIVILEGED, assert_one_sentence, limited_to

SPEC = small_spec("network.levels=2", "network.image_size=24", "tracking.min_points=12")


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("video") / "video.tif"
    tifffile.imwrite(path, np.asarray(moving_squares(4)[0]), photometric="minisblack")
    return path


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory) -> Path:
    return untrained_run(tmp_path_factory.mktemp("run") / "net", SPEC)


def track(video: Path, network: Path, output: str, *more: str, before=("-m",), cwd: Path = ROOT):
    return subprocess.run(
        [sys.executable, *before, "cosembed", "track", f"--input={video}", f"--network={network}",
         f"--output={output}", *more],
        cwd=cwd, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_an_output_folder_below_a_file_is_refused_before_any_work(video, tmp_path):
    (tmp_path / "file").touch()
    # There is no such network either: the output is looked at first.
    done = track(video, tmp_path / "none", str(tmp_path / "file" / "RES"))
    assert_one_sentence(done, str(tmp_path / "file" / "RES"), "a file is in the place of a folder")


def test_an_output_folder_that_cannot_be_written_is_refused_before_any_work(video, tmp_path):
    parent = tmp_path / "mine"
    parent.mkdir(mode=0o555)
    before = ("-c", UNPRIVILEGED, sys.executable, "-m")
    done = track(video, tmp_path / "none", str(parent / "RES"), before=before)
    assert_one_sentence(done, str(parent / "RES"), "Permission denied")
    parent.chmod(0o755)
    (parent / "RES").mkdir()
    parent.chmod(0o555)
    (parent / "RES").chmod(0o555)
    done = track(video, tmp_path / "none", str(parent / "RES"), before=before)
    assert_one_sentence(done, str(parent / "RES"), "Permission denied")


def test_a_disk_too_full_for_the_result_is_named_before_any_work_and_nothing_is_left(video, tmp_path):
    with limited_to(12_000):
        done = track(video, tmp_path / "none", str(tmp_path / "RES"))
    assert_one_sentence(done, str(tmp_path / "RES"), "File too large")
    assert not list(tmp_path.iterdir())


def test_a_second_run_into_an_output_folder_is_refused(video, tmp_path):
    output = tmp_path / "RES"
    with reserved_folder(output, 1):
        done = track(video, tmp_path / "none", str(output))
        assert_one_sentence(done, str(output), "another run is writing to it")
        assert output.exists()
    assert not output.exists()


def test_the_working_folder_can_be_the_output_if_it_is_empty(video, run_folder, tmp_path):
    done = track(video, run_folder, ".", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert check_result(tmp_path, warnings=False) == []
    assert {path.name for path in tmp_path.iterdir()} > {"mask003.tif", "tracks.csv", "report.html"}
    assert not list(tmp_path.glob(".*")) and not (tmp_path / "content").exists()
    assert not list(tmp_path.parent.glob(".*.partial"))
    done = track(video, run_folder, ".", cwd=tmp_path)
    assert_one_sentence(done, "exists already")


def test_cells_tracks_divisions_and_all_warnings_of_the_report_are_printed(video, run_folder, tmp_path):
    # No cell is as large as this: the report doubts the tracks, not only the input.
    output = tmp_path / "RES"
    done = track(
        video, run_folder, str(output), "--set=tracking.min_points=500", "--set=network.image_size=32"
    )
    assert done.returncode == 0, done.stderr
    assert "Cells per frame: 0 to 0\n" in done.stdout
    assert "\nTracks: 0" in done.stdout and "\nDivisions: 0\n" in done.stdout
    printed = [
        line.removeprefix("warning: ") for line in done.stdout.splitlines() if line.startswith("warning: ")
    ]
    assert any("network.image_size=32: the network was trained at 24" in line for line in printed)
    assert any("No cell was found in any frame" in line for line in printed)
    assert len(set(printed)) == len(printed)
    report = (output / "report.html").read_text()
    for line in printed:
        assert line in html.unescape(report)
    assert html.unescape(report).count("No cell was found") == 1


@pytest.mark.parametrize("setting", ["network.filters=999", "training.iterations=3"])
def test_what_training_decided_cannot_be_set(setting):
    network = Network(None, SPEC, "net", "CPU, 2 cores")
    with pytest.raises(SpecError, match=f"{setting.split('=')[0]}: was decided when the network was trained"):
        plan_job(
            ArrayFrames(np.asarray(moving_squares(4)[0])), "video", network, parse_assignments([setting])
        )

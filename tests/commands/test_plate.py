"""`cosembed track` with several videos: one after the other, and as tasks of a Dask cluster."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cosembed.commands.plate import find_videos, is_pattern
from cosembed.datasets.ctc.validation import check_result
from cosembed.errors import InputError
from tests.helpers.builders import ROOT, moving_squares, small_spec, untrained_run
from tests.helpers.processes import kill_workers_once
from tests.robustness.test_survival import assert_one_sentence

SPEC = small_spec("network.levels=2", "network.image_size=24", "tracking.min_points=12")
VIDEOS = ("A1", "B2")
BROKEN = "A2"


@pytest.fixture(scope="module")
def plate(tmp_path_factory) -> Path:
    """Two good videos of other frames, and one that is no image between them."""
    folder = tmp_path_factory.mktemp("plate")
    images = np.asarray(moving_squares(3)[0])
    for name, video in zip(VIDEOS, (images, images[::-1]), strict=True):
        tifffile.imwrite(folder / f"{name}.tif", video, photometric="minisblack")
    (folder / f"{BROKEN}.tif").write_bytes(b"II*\0 but no more")
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> Path:
    return untrained_run(tmp_path_factory.mktemp("run") / "net", SPEC)


def command(plate: Path, network: Path, output: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "cosembed", "track", f"--input={plate / '*.tif'}", f"--network={network}",
        f"--output={output}", "--deterministic", *more,
    ]  # fmt: skip


ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "2s"}


def track(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False, timeout=300,
        env=ENVIRONMENT,
    )  # fmt: skip


def masks(result: Path) -> dict[str, bytes]:
    """Masks and tables of a result, byte for byte."""
    files = [*result.glob("mask*.tif"), result / "res_track.txt", result / "tracks.csv"]
    return {path.name: path.read_bytes() for path in files}


def assert_all_but_the_broken_one(done: subprocess.CompletedProcess, output: Path) -> None:
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 2 and "Traceback" not in done.stderr
    assert lines[0].startswith(f"error: {BROKEN}: ") and f"{BROKEN}.tif" in lines[0]
    assert lines[1].startswith("error: 1 of 3 videos failed")
    assert {path.name for path in output.iterdir()} == set(VIDEOS)
    for name in VIDEOS:
        assert check_result(output / name, warnings=False) == []
        assert (output / name / "report.html").exists()


@pytest.fixture(scope="module")
def in_order(plate, network, tmp_path_factory) -> Path:
    """The results of the videos one after the other."""
    output = tmp_path_factory.mktemp("in_order") / "RES"
    assert_all_but_the_broken_one(track(plate, network, output), output)
    return output


@pytest.mark.slow
def test_the_network_is_loaded_once_and_complete_results_are_kept(plate, network, in_order):
    before = {name: (in_order / name / "report.html").stat().st_mtime_ns for name in VIDEOS}
    done = track(plate, network, in_order)
    assert_all_but_the_broken_one(done, in_order)
    assert done.stdout.count("complete, kept") == 2
    assert before == {name: (in_order / name / "report.html").stat().st_mtime_ns for name in VIDEOS}
    # Another value would give another result.
    done = track(plate, network, in_order, "--set=tracking.min_points=13")
    assert done.returncode == 2 and done.stderr.count("made with other values") == 2


@pytest.mark.slow
def test_two_processes_give_the_results_of_one(plate, network, in_order, tmp_path):
    done = track(plate, network, tmp_path / "RES", "--scheduler=local:2")
    assert_all_but_the_broken_one(done, tmp_path / "RES")
    assert "dashboard: http://127.0.0.1:" in done.stderr
    for name in VIDEOS:
        assert masks(tmp_path / "RES" / name) == masks(in_order / name)


@pytest.mark.slow
def test_what_all_videos_share_is_named_once(plate, tmp_path):
    for name in VIDEOS:
        (tmp_path / f"{name}.tif").symlink_to(plate / f"{name}.tif")
    done = track(tmp_path, tmp_path / "none", tmp_path / "RES")
    assert_one_sentence(done, "none' is neither the name of a network")
    assert not any((tmp_path / "RES").iterdir())


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_video_tracked_again(plate, network, in_order, tmp_path):
    output = tmp_path / "RES"
    running = subprocess.Popen(
        command(plate, network, output, "--scheduler=local:2"), cwd=ROOT, env=ENVIRONMENT,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    kill_workers_once(running, lambda: all((output / name).exists() for name in VIDEOS), 120)
    stdout, stderr = running.communicate(timeout=300)
    done = subprocess.CompletedProcess([], running.returncode, stdout, stderr)
    assert_all_but_the_broken_one(done, output)
    for name in VIDEOS:
        assert masks(output / name) == masks(in_order / name)


def test_a_scheduler_that_does_not_answer_is_one_sentence(plate, network, tmp_path):
    with socket.socket() as taken:
        # Bound, but nobody listens.
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        done = track(plate, network, tmp_path / "RES", f"--scheduler={address}")
    assert_one_sentence(done, address, "no scheduler answers")
    assert not (tmp_path / "RES").exists()


def test_videos_are_found_by_paths_and_patterns(tmp_path):
    for name in ("b.tif", "a.tif", "c[1].tif"):
        (tmp_path / name).touch()
    (tmp_path / "d.dir").mkdir()
    assert list(find_videos([str(tmp_path / "*")])) == ["a", "b", "c[1]", "d.dir"]
    assert list(find_videos([f"{tmp_path}/c[1].tif", f"{tmp_path}/a.tif"])) == ["c[1]", "a"]
    assert not is_pattern(f"{tmp_path}/c[1].tif") and is_pattern(f"{tmp_path}/?.tif")
    with pytest.raises(InputError, match="nothing fits this pattern"):
        find_videos([f"{tmp_path}/*.png"])
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "a.tif").touch()
    with pytest.raises(InputError, match="would both be called a"):
        find_videos([f"{tmp_path}/a.tif", f"{tmp_path}/e/a.tif"])

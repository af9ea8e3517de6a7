"""Tracking onto real file systems that are read-only or full, mounted for the test alone.

They are skipped where a program may not mount, which takes root or user namespaces.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cosembed.datasets.ctc.validation import check_result
from tests.commands.test_track import SPEC
from tests.helpers.builders import ROOT, moving_squares, untrained_run
from tests.robustness.test_survival import assert_one_sentence

UNSHARE = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
# Another program fills the disk when the pictures are begun.
FILLED = """
import contextlib, sys
from cosembed.commands.main import main
from cosembed.video_job import video_report
draw = video_report._draw_pictures
def fill(*arguments):
    pictures = draw(*arguments)
    with contextlib.suppress(OSError), open("filler", "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return pictures
video_report._draw_pictures = fill
main(["cosembed", *sys.argv[1:]])
"""


def can_mount() -> bool:
    try:
        command = [*UNSHARE, "sh", "-c", "mount -t tmpfs tmpfs /mnt"]
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    except OSError:
        return False


pytestmark = pytest.mark.skipif(not can_mount(), reason="nothing can be mounted here")


@pytest.fixture(scope="module")
def arguments(tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("inputs")
    tifffile.imwrite(folder / "video.tif", np.asarray(moving_squares(4)[0]), photometric="minisblack")
    network = untrained_run(folder / "net", SPEC)
    return f"track --input={folder / 'video.tif'} --network={network}"


def in_mount(folder: Path, options: str, script: str) -> subprocess.CompletedProcess:
    """Runs a shell script in a folder on which a file system is mounted for it alone."""
    folder.mkdir()
    mounted = f"mount -t tmpfs -o {options} tmpfs {folder} && cd {folder} && {script}"
    return subprocess.run(
        [*UNSHARE, "sh", "-c", mounted],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_item_7_a_read_only_mount_is_refused_before_any_work(arguments, tmp_path):
    done = in_mount(tmp_path / "disk", "ro", f"{sys.executable} -m cosembed {arguments} --output=RES")
    assert_one_sentence(done, "RES: Read-only file system; choose a folder that can be written")
    assert "Network:" not in done.stdout
    done = in_mount(tmp_path / "other", "ro", f"{sys.executable} -m cosembed {arguments} --output=.")
    assert_one_sentence(done, "Read-only file system; choose a folder that can be written")


def test_item_7_a_full_disk_is_refused_before_any_work_and_nothing_is_left(arguments, tmp_path):
    script = f"{sys.executable} -m cosembed {arguments} --output=RES; status=$?; ls -A; exit $status"
    done = in_mount(tmp_path / "disk", "size=300k", script)
    assert_one_sentence(done, "RES: No space left on device; free space on the disk")
    assert done.stdout == ""


def test_item_8_a_disk_that_fills_during_the_pictures_costs_the_pictures_only(arguments, tmp_path):
    filled = tmp_path / "filled.py"
    filled.write_text(FILLED)
    result = tmp_path / "RES"
    script = (
        f"{sys.executable} {filled} {arguments} --output=RES; echo status $?; rm filler; "
        f"{sys.executable} -m cosembed {arguments} --output=RES && cp -r RES {result}"
    )
    done = in_mount(tmp_path / "disk", "size=6m", script)
    assert done.returncode == 0, done.stderr
    assert "status 2" in done.stdout and "masks and tables are complete; report and" in done.stdout
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert "cannot be written (No space left on device); masks and tables are complete" in line
    assert check_result(result, warnings=False) == [] and (result / "report.html").exists()
    assert not list(result.rglob("*.partial"))


def test_item_7_a_mount_can_be_the_output(arguments, tmp_path):
    result = tmp_path / "RES"
    script = f"cd / && {sys.executable} -m cosembed {arguments} --output={tmp_path / 'disk'}"
    done = in_mount(tmp_path / "disk", "size=6m", f"{script} && cp -r {tmp_path / 'disk'} {result}")
    assert done.returncode == 0, done.stderr
    assert check_result(result, warnings=False) == [] and not list(result.glob(".*"))

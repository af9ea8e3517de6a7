"""The commands `cosembed track --shard` and `cosembed merge`: bit by bit what one process gives."""

import io
import os
import shlex
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import pytest
import tifffile
from absl.testing import flagsaver

from cosembed.commands.main import main
from cosembed.video_job import planning
from cosembed.video_job.choice import Choice
from tests.helpers.builders import ROOT, moving_squares, small_spec, untrained_run
from tests.robustness.test_survival import assert_one_sentence

SPEC = small_spec("network.levels=2", "network.image_size=24", "tracking.min_points=12")
TILES, WINDOWS = ("--set=inference.scale=1",), ("--set=inference.scale=1", "--set=inference.window=2")


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("video") / "video.tif"
    frames = np.tile(np.asarray(moving_squares(4)[0]), (1, 2, 2))
    tifffile.imwrite(path, frames, photometric="minisblack")
    return path


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory) -> Path:
    return untrained_run(tmp_path_factory.mktemp("run") / "net", SPEC)


def cosembed(*words: str) -> subprocess.CompletedProcess:
    """A command in this process, where TensorFlow is loaded."""
    printed, errors, status = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(printed), redirect_stderr(errors), flagsaver.flagsaver():
        try:
            main(["cosembed", *words])
        except SystemExit as ended:
            status = ended.code or 0
    return subprocess.CompletedProcess(words, status, printed.getvalue(), errors.getvalue())


def track(video: Path, network: Path, output: Path, *more: str) -> subprocess.CompletedProcess:
    return cosembed("track", f"--input={video}", f"--network={network}", f"--output={output}", *more)


def content(folder: Path) -> dict[str, bytes]:
    """Masks, tables and values of a result."""
    names = [*sorted(folder.glob("mask*.tif")), folder / "res_track.txt", folder / "tracks.csv"]
    pictures = sorted((folder / "pictures").glob("embedding_*.png"))
    return {path.name: path.read_bytes() for path in [*names, folder / "spec.yaml", *pictures]}


@pytest.mark.parametrize("settings", [TILES, WINDOWS])
def test_shards_give_bit_by_bit_what_one_process_gives(video, run_folder, tmp_path, settings):
    assert track(video, run_folder, tmp_path / "one", *settings).returncode == 0
    output = tmp_path / "parts"
    for number in (3, 1, 2):
        done = track(video, run_folder, output, f"--shard={number}/3", *settings)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / f"parts.shard-{number}-of-3").is_file() and not output.exists()
    done = cosembed("merge", f"--output={output}")
    assert done.returncode == 0, done.stderr
    assert content(output) == content(tmp_path / "one")
    assert len(content(output)) >= 7 and (output / "report.html").exists()


def test_a_killed_shard_is_lost_alone_and_named_with_the_command_that_makes_it(video, run_folder, tmp_path):
    output = tmp_path / "RES"
    assert track(video, run_folder, output, "--shard=1/2", *TILES).returncode == 0
    words = ("track", f"--input={video}", f"--network={run_folder}", f"--output={output}", *TILES)
    process = subprocess.Popen(
        [sys.executable, "-m", "cosembed", *words, "--shard=2/2"], cwd=ROOT, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdout is not None
    # It has begun when it says what it does.
    process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "RES.shard-2-of-2").exists()
    done = cosembed("merge", f"--output={output}")
    assert_one_sentence(done, "1 shard of 2 missing: 2;", "cosembed track", "--shard=2/2", str(run_folder))
    command = shlex.split(done.stderr.split("make it with: cosembed ")[1])
    assert cosembed(*command).returncode == 0
    done = cosembed(*command)
    assert done.returncode == 0 and "complete, kept" in done.stdout
    assert cosembed("merge", f"--output={output}").returncode == 0


def test_shards_of_another_video_or_with_other_values_are_refused(video, run_folder, tmp_path):
    other = tmp_path / "other.tif"
    tifffile.imwrite(other, tifffile.imread(video)[:, ::-1], photometric="minisblack")
    output = tmp_path / "RES"
    assert track(video, run_folder, output, "--shard=1/2", *TILES).returncode == 0
    assert track(other, run_folder, output, "--shard=2/2", *TILES).returncode == 0
    done = cosembed("merge", f"--output={output}")
    assert_one_sentence(done, "RES.shard-2-of-2", "another video", "remove it")
    assert not output.exists()
    changed = (*TILES, "--set=tracking.min_points=20")
    assert_one_sentence(track(video, run_folder, output, "--shard=1/2", *changed), "other values")


@pytest.fixture
def looks(monkeypatch) -> list[Choice]:
    """What the next looks at a video find; each is taken off when it is needed."""
    found: list[Choice] = []
    monkeypatch.setattr(planning, "choose_scale", lambda *_: found.pop(0))
    return found


IN_TILES = Choice({"inference.scale": 1.0}, "They are tracked in tiles.")


def test_a_merge_takes_the_shards_first_look_and_does_not_look_itself(video, run_folder, tmp_path, looks):
    looks += [IN_TILES] * 3
    output = tmp_path / "RES"
    for number in (1, 2):
        assert track(video, run_folder, output, f"--shard={number}/2").returncode == 0
    assert len(looks) == 1
    done = cosembed("merge", f"--output={output}")
    assert done.returncode == 0, done.stderr
    assert len(looks) == 1 and f"First look: {IN_TILES.reason}" in done.stdout
    assert track(video, run_folder, tmp_path / "one").returncode == 0
    assert content(output) == content(tmp_path / "one") and looks == []


def test_shards_that_chose_differently_are_refused(video, run_folder, tmp_path, looks):
    looks += [IN_TILES, Choice({"inference.scale": 0.5}, "They are tracked in tiles.")]
    output = tmp_path / "RES"
    for number in (1, 2):
        assert track(video, run_folder, output, f"--shard={number}/2").returncode == 0
    done = cosembed("merge", f"--output={output}")
    assert_one_sentence(done, "RES.shard-2-of-2", "other values", "remove it", "--scale")
    assert not output.exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--shard=0/2", *TILES), ("--shard=0/2", "such as 3/8")),
        (("--shard=2", *TILES), ("--shard=2", "such as 3/8")),
        (("--shard=1/2",), ("there is nothing to share out",)),
        (("--shard=1/999", *TILES), ("--shard=1/999", "choose n up to")),
        (("--shard=1/2", "--scheduler=local:2"), ("without --scheduler",)),
    ],
)
def test_what_cannot_be_shared_out_is_refused_in_one_sentence(video, run_folder, tmp_path, more, said):
    assert_one_sentence(track(video, run_folder, tmp_path / "RES", *more), *said)
    assert list(tmp_path.iterdir()) == []


def test_merge_says_what_it_lacks(tmp_path):
    assert_one_sentence(cosembed("merge"), "--output is missing")
    assert_one_sentence(cosembed("merge", f"--output={tmp_path / 'RES'}"), "there are no shards beside it")
    for name in ("RES.shard-1-of-2", "RES.shard-1-of-3"):
        (tmp_path / name).write_bytes(b"nothing")
    assert_one_sentence(cosembed("merge", f"--output={tmp_path / 'RES'}"), "shards of 2 and of 3")
    (tmp_path / "RES.shard-1-of-3").unlink()
    assert_one_sentence(cosembed("merge", f"--output={tmp_path / 'RES'}"), "RES.shard-1-of-2", "is damaged")


@pytest.mark.slow
def test_the_workers_of_a_cluster_share_the_tiles_of_one_video(video, run_folder, tmp_path):
    """The same bits as in this process; the files of the shards are gone afterwards."""
    pytest.importorskip("distributed")
    output = tmp_path / "many"
    done = track(video, run_folder, output, "--scheduler=local:2", *TILES)
    assert done.returncode == 0, done.stderr
    assert "shard 1/2: done" in done.stdout and "shard 2/2: done" in done.stdout
    assert track(video, run_folder, tmp_path / "one", *TILES).returncode == 0
    assert content(output) == content(tmp_path / "one")
    assert {path.name for path in tmp_path.iterdir()} == {"one", "many"}

"""Runs that survive: kills, full disks, folders that cannot be written, second runs, damaged checkpoints."""

import errno
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from absl import logging

from cosembed.batches.clips import ClipSource
from cosembed.errors import CheckpointError, DataError, OutputError
from cosembed.files import writing as files
from cosembed.files.writing import atomic_folder, atomic_write_text, lock
from cosembed.study import fold_training
from cosembed.study.run_log import run_log
from cosembed.study.tasks import cells_stages
from cosembed.training import loop
from cosembed.training.checkpoints import load_network, saved_checkpoints, written_by_tensorflow
from cosembed.training.loop import train
from cosembed.training.run_folder import RunFolder
from tests.helpers.builders import ROOT, make_sequence, moving_squares, run_command, small_spec
from tests.robustness.killed_steps import run_modes, track_as_one
from tests.robustness.killing import tree

SIMULATE = ("cosembed", "simulate", "--frames=2", "--size=64", "--cells=3")
# In its own process: even root then has to ask before it writes (CAP_DAC_OVERRIDE is dropped for what
# follows).
UNPRIVILEGED = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 1, 0, 0, 0); os.execv(sys.executable, sys.argv[1:])"
)
HOLD = """
import sys, time
from pathlib import Path
from cosembed.study.run_log import run_log
with run_log(Path(sys.argv[1])):
    print("in", flush=True)
    time.sleep(300)
"""


@contextmanager
def limited_to(largest: int) -> Iterator[None]:
    """Lets no file grow beyond so many bytes, as on a full disk; processes started meanwhile inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def run_python(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )


def assert_one_sentence(done: subprocess.CompletedProcess, *words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    for word in words:
        assert word in line


@pytest.mark.slow
@pytest.mark.parametrize(
    "step", ["simulate", "simulate_leaves", "download", "track", "fill_working_folder", "open_run"]
)
def test_killed_between_any_two_changes_of_files_it_ends_as_undisturbed(step, tmp_path):
    done = run_python("tests/robustness/killing.py", step, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 10


@pytest.mark.slow
def test_prediction_and_scores_killed_at_every_twelfth_of_those_moments(tmp_path):
    done = run_python("tests/robustness/killing.py", "predict_and_score", str(tmp_path), "12")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


def test_results_and_truth_of_other_frames_are_not_taken_for_these(tmp_path, monkeypatch):
    monkeypatch.setattr(cells_stages, "track_video", track_as_one)
    monkeypatch.setattr(fold_training, "load_finished_network", lambda *_: None)
    run_modes(tmp_path / "run", ("predict", "evaluate"))
    with pytest.raises(DataError, match="no results to score"):
        run_modes(tmp_path / "run", ("evaluate",), test_frames=(2, 3))
    run_modes(tmp_path / "run", ("predict", "evaluate"), test_frames=(2, 3))
    masks = {path.name for path in (tmp_path / "run").rglob("*.tif")}
    assert masks == {"mask000.tif", "man_track000.tif", "man_seg000.tif"}
    # A result whose making was killed before its record was written is none.
    next((tmp_path / "run").rglob("results/01.json")).unlink()
    with pytest.raises(DataError, match="no results to score"):
        run_modes(tmp_path / "run", ("evaluate",), test_frames=(2, 3))


def test_leftovers_of_the_dead_go_and_those_of_the_living_stay(tmp_path):
    result = tmp_path / "RES"
    with atomic_folder(result) as living:
        dead, others = tmp_path / ".RES.0123abcd.partial", tmp_path / ".RES.draft.partial"
        (dead / "deep").mkdir(parents=True)
        others.mkdir()
        with atomic_folder(result):
            assert living.exists() and others.exists() and not dead.exists()
        (living / "mask000.tif").touch()
    assert tree(tmp_path).keys() == {"RES/mask000.tif", ".RES.draft.partial"}


def test_what_appears_meanwhile_is_not_overwritten(tmp_path):
    with pytest.raises(OutputError, match="exists already"), atomic_folder(tmp_path / "RES"):
        (tmp_path / "RES" / "mine").mkdir(parents=True)
    assert tree(tmp_path).keys() == {"RES/mine"}


def test_a_second_run_into_a_folder_is_refused_until_the_first_ends_even_by_kill(tmp_path):
    first = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert first.stdout.readline() == "in\n"
    with pytest.raises(OutputError, match=f"{tmp_path}: another run is writing to it"), run_log(tmp_path):
        pass
    first.kill()
    first.wait()
    first.stdout.close()
    with run_log(tmp_path), pytest.raises(OutputError, match="another run"), run_log(tmp_path):
        pass
    with run_log(tmp_path):
        pass


def test_without_locks_runs_go_on_with_a_warning_and_leftovers_stay(tmp_path, monkeypatch):
    def no_locks(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(files.fcntl, "flock", no_locks)
    with (tmp_path / "file").open("w") as file:
        assert lock(file.fileno()) is None
    (tmp_path / ".table.md.0123abcd.partial").touch()
    atomic_write_text(tmp_path / "table.md", "a table")
    assert (tmp_path / ".table.md.0123abcd.partial").exists()
    with run_log(tmp_path / "run"):
        pass
    assert "has no locks" in (tmp_path / "run" / "log.txt").read_text()


def test_a_full_disk_is_named_leaves_nothing_and_the_same_command_continues(tmp_path):
    output = f"--output={tmp_path / 'data'}"
    with limited_to(2000):
        done = run_command(*SIMULATE, output)
    assert_one_sentence(done, str(tmp_path / "data"), "File too large")
    assert tree(tmp_path) == {"data": "empty folder"}
    assert run_command(*SIMULATE, output).returncode == 0


def test_a_write_that_fails_leaves_the_old_file_and_names_it(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "metrics.json"
    atomic_write_text(path, "old")
    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(OSError, match=str(path)):
        atomic_write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_log_that_cannot_be_written_ends_the_run(tmp_path):
    with limited_to(0), pytest.raises(OSError, match=r"File too large.*log\.txt"), run_log(tmp_path):
        logging.info("a line")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir(mode=0o555)
    done = run_python("-c", UNPRIVILEGED, sys.executable, "-m", *SIMULATE, f"--output={folder}")
    assert_one_sentence(done, str(folder), "Permission denied", "choose")
    assert not list(folder.iterdir())
    (tmp_path / "file").touch()
    below = run_command(*SIMULATE, f"--output={tmp_path / 'file' / 'below'}")
    assert_one_sentence(below, str(tmp_path / "file"), "check the path")


def run_training(folder: Path, every: int = 2) -> None:
    spec = small_spec("network.levels=2", "training.iterations=6", f"training.checkpoint_every={every}")
    images, labels, _ = moving_squares(frames=8)
    run = RunFolder(folder)
    run.open(spec, {"train": "01 [0:8]"})
    train(spec, ClipSource([make_sequence(images, labels)], spec, spec.training.seed), run)


TRAIN = """
import sys
from pathlib import Path
from cosembed.batches.clips import ClipSource
from tests.robustness import test_survival
from cosembed.training import loop
step = loop.make_train_step
def announced(*arguments):
    train_step = step(*arguments)
    def call(batch, number):
        if int(number) == 2:
            print("third step", flush=True)
            # The signal comes while the step runs; it is finished all the same.
            sys.stdin.readline()
        return train_step(batch, number)
    return call
loop.make_train_step = announced
test_survival.run_training(Path(sys.argv[1]), every=100)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, -signal.SIGINT)]
)
def test_training_told_to_end_before_its_first_checkpoint_is_saved_after_the_running_step(
    number, status, tmp_path
):
    undisturbed, run = tmp_path / "undisturbed", tmp_path / "run"
    run_training(undisturbed, every=100)
    process = subprocess.Popen(
        [sys.executable, "-c", TRAIN, str(run)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "third step\n"
    process.send_signal(number)
    time.sleep(0.5)
    _, errors = process.communicate("go on\n", timeout=300)
    assert process.returncode == status, errors
    assert weights_of(run)[1] == 3
    assert [record.step for record in RunFolder(run).read_history()] == [1, 2, 3]
    run_training(run, every=100)
    assert_equal(weights_of(run), weights_of(undisturbed))
    histories = [RunFolder(folder).read_history() for folder in (undisturbed, run)]
    first, second = ([(record.step, record.loss) for record in history] for history in histories)
    assert first == second


def test_training_is_saved_by_time_too(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "SAVE_SECONDS", 0.0)
    run_training(tmp_path / "run", every=100)
    steps = [Path(prefix).name for prefix in saved_checkpoints(tmp_path / "run" / "checkpoints")]
    assert steps == ["step-6", "step-5", "step-4"]


Weights = tuple[list[np.ndarray], int]


def weights_of(path: Path) -> Weights:
    """All weights of a network, and the number of its steps."""
    model, _, step = load_network(path)
    return [variable.numpy() for variable in model.trainable_variables], step


def assert_equal(first: Weights, second: Weights) -> None:
    assert first[1] == second[1]
    for one, other in zip(first[0], second[0], strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder of an undisturbed run of 6 steps, with checkpoints 2, 4 and 6."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    run_training(folder)
    return folder


def test_training_on_a_full_disk_says_so_and_continues_when_there_is_space(trained, tmp_path):
    run = tmp_path / "run"
    with (
        limited_to(20_000),
        pytest.raises(OutputError, match=r"run/checkpoints: cannot be written .*free space"),
    ):
        run_training(run)
    assert saved_checkpoints(run / "checkpoints") == []
    run_training(run)
    assert_equal(weights_of(run), weights_of(trained))
    assert not list(run.rglob("*_temp"))


def test_tensorboard_on_a_full_disk_is_named(tmp_path):
    writer = tf.summary.create_file_writer(str(tmp_path))
    refused = pytest.raises(OutputError, match=f"{tmp_path}: cannot be written .*free space")
    with limited_to(0), refused, written_by_tensorflow(tmp_path), writer.as_default():
        tf.summary.scalar("loss", 1.0, step=1)


def test_a_file_in_the_place_of_tensorboards_folder_is_named(tmp_path):
    (tmp_path / "tensorboard").touch()
    refused = pytest.raises(
        OutputError, match=r"tensorboard: cannot be written \([^{}]+\); free space or make it writable"
    )
    with refused, written_by_tensorflow(tmp_path / "tensorboard"):
        tf.summary.create_file_writer(str(tmp_path / "tensorboard"))


def cut(index: Path, data: Path) -> None:
    data.write_bytes(data.read_bytes()[:1000])


def flip_a_bit(index: Path, data: Path) -> None:
    """In the middle of the network's largest kernel."""
    kernel = max(weights_of(index)[0], key=np.size).tobytes()
    content = bytearray(data.read_bytes())
    content[content.index(kernel) + len(kernel) // 2] ^= 1
    data.write_bytes(content)


def spoil_the_index(index: Path, data: Path) -> None:
    index.write_bytes(b"\x00garbage" * 50)


def remove_data(index: Path, data: Path) -> None:
    data.unlink()


@pytest.fixture(scope="module")
def earlier(trained):
    return weights_of(trained / "checkpoints" / "step-4")


@pytest.mark.parametrize(
    "damage", [cut, flip_a_bit, spoil_the_index, remove_data], ids=lambda damage: damage.__name__
)
def test_a_damaged_newest_checkpoint_is_passed_over_with_a_warning(
    damage, trained, earlier, tmp_path, caplog
):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    newest = run / "checkpoints" / "step-6"
    damage(newest.with_suffix(".index"), newest.with_suffix(".data-00000-of-00001"))
    assert_equal(weights_of(run), earlier)
    assert f"{newest}: cannot be restored" in caplog.text


def test_a_damaged_checkpoint_asked_for_by_name_is_refused(trained, tmp_path):
    shutil.copytree(trained, tmp_path / "run")
    newest = tmp_path / "run" / "checkpoints" / "step-6"
    cut(newest.with_suffix(".index"), newest.with_suffix(".data-00000-of-00001"))
    with pytest.raises(CheckpointError, match=r"step-6: is damaged"):
        load_network(newest)


def test_training_continues_without_tensorflows_list_and_clears_what_a_kill_left(trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    checkpoints = run / "checkpoints"
    (checkpoints / "checkpoint").write_text("garbage {{{")
    (checkpoints / "checkpoint.tmp0123").touch()
    (checkpoints / "step-6.index").unlink()
    (checkpoints / "step-6_temp").mkdir()
    (checkpoints / "step-6_temp" / "part-00000-of-00001.data-00000-of-00001.tempstate1").touch()
    (checkpoints / "step-1.data-00000-of-00001").touch()
    (checkpoints / "notes.txt").touch()
    run_training(run)
    assert_equal(weights_of(run), weights_of(trained))
    assert {path.name for path in checkpoints.iterdir()} == {
        path.name for path in (trained / "checkpoints").iterdir()
    } | {"notes.txt"}
    assert RunFolder(run).read_history()[:4] == RunFolder(trained).read_history()[:4]


def test_a_start_that_was_killed_before_its_spec_was_written_is_continued(tmp_path):
    run = RunFolder(tmp_path)
    run.open(small_spec(), {"train": "01"})
    run.spec_file.unlink()
    run.open(small_spec(), {"train": "01"})
    assert run.spec_file.exists()

"""Experiments on a cluster of two processes: the same bits as in one, also when a worker is killed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from cosembed.simulation import simulate_video, write_video
from tests.helpers.builders import ROOT
from tests.helpers.processes import kill_workers_once
from tests.robustness.test_survival import assert_one_sentence

pytestmark = pytest.mark.slow

FOLDS = {"test_01": "01", "test_02": "02"}
STEPS = 30


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Two short simulated videos in the layout of the data set `simulated`."""
    root = tmp_path_factory.mktemp("data") / "simulated"
    for video, seed in (("01", 1), ("02", 2)):
        write_video(root, video, simulate_video(5, 64, 4, 0.5, seed))
    return root.parent


def command(data: Path, out: Path, *more: str) -> list[str]:
    return [
        sys.executable, "-m", "experiments.simulated", f"--data_dir={data}", f"--out_dir={out}",
        "--profile=smoke", "--deterministic", "--set=network.levels=2",
        f"--set=training.iterations={STEPS}", "--set=training.checkpoint_every=5", *more,
    ]  # fmt: skip


def run(*arguments) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(*arguments), cwd=ROOT, capture_output=True, text=True, check=False, timeout=500
    )


@pytest.fixture(scope="module")
def in_order(data, tmp_path_factory) -> Path:
    """The experiment's folder, made by one process."""
    out = tmp_path_factory.mktemp("in_order")
    done = run(data, out)
    assert done.returncode == 0, done.stderr
    return out / "simulated"


def weights(folder: Path) -> dict[str, np.ndarray]:
    """All variables of the last checkpoint, the optimizer's among them."""
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(folder / "checkpoints"))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
        if name != "_CHECKPOINTABLE_OBJECT_GRAPH" and "save_counter" not in name
    }


def assert_same_bits(folder: Path, expected: Path) -> None:
    for fold, video in FOLDS.items():
        ours, theirs = weights(folder / fold), weights(expected / fold)
        assert ours.keys() == theirs.keys()
        for name, value in theirs.items():
            np.testing.assert_array_equal(ours[name], value, err_msg=name)
        result = Path(fold) / "results" / f"{video}_RES"
        for path in (expected / result).iterdir():
            assert (folder / result / path.name).read_bytes() == path.read_bytes(), path
        assert (folder / fold / "metrics.json").read_bytes() == (
            expected / fold / "metrics.json"
        ).read_bytes()
    ours, theirs = ((place / "metrics.json").read_text().splitlines() for place in (folder, expected))
    # The command lines differ, as they were typed.
    assert [line for line in ours if '"command"' not in line] == [
        line for line in theirs if '"command"' not in line
    ]
    assert (folder / "report.html").exists() and (folder / "table.md").exists()


def test_two_processes_give_the_bits_of_one(data, in_order, tmp_path):
    done = run(data, tmp_path, "--scheduler=local:2")
    assert done.returncode == 0, done.stderr
    assert_same_bits(tmp_path / "simulated", in_order)
    log = (tmp_path / "simulated" / "log.txt").read_text()
    # Progress of all workers is in one place, and the table on standard output.
    assert "test_01 train: simulated test_01: step" in log and "test_02 train: simulated test_02: step" in log
    assert "7 of 7: scores and report: done" in log and "dashboard: http://" in log
    assert "measure" in done.stdout


def test_killed_workers_are_replaced_and_trainings_continue_from_their_checkpoints(data, in_order, tmp_path):
    running = subprocess.Popen(
        command(data, tmp_path, "--scheduler=local:2"), cwd=ROOT, text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    folder = tmp_path / "simulated"

    def all_have_checkpoints() -> bool:
        return all(list((folder / fold / "checkpoints").glob("step-*.index")) for fold in FOLDS)

    kill_workers_once(running, all_have_checkpoints, 300)
    _, stderr = running.communicate(timeout=400)
    assert running.returncode == 0, stderr
    assert "continues at step" in (folder / "log.txt").read_text()
    assert_same_bits(folder, in_order)


def test_folds_of_all_seeds_run_side_by_side_and_one_that_fails_does_not_stop_the_others(data, tmp_path):
    # Something of the user's is in the way of one fold of one seed.
    blocked = tmp_path / "simulated" / "seed_2" / "test_01"
    blocked.mkdir(parents=True)
    (blocked / "notes.txt").touch()
    arguments = ("--scheduler=local:2", "--seeds=1,2", "--set=training.iterations=2")
    done = run(data, tmp_path, *arguments)
    assert_one_sentence(done, str(blocked), "holds files that are not a run")
    assert "Traceback" not in done.stderr
    first, second = tmp_path / "simulated" / "seed_1", tmp_path / "simulated" / "seed_2"
    assert (first / "report.html").exists() and (second / "test_02" / "metrics.json").exists()
    assert not (second / "report.html").exists() and not (tmp_path / "simulated" / "seeds.json").exists()
    assert list(blocked.iterdir()) == [blocked / "notes.txt"]
    (blocked / "notes.txt").unlink()
    done = run(data, tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    assert (second / "report.html").exists() and (tmp_path / "simulated" / "seeds.md").exists()

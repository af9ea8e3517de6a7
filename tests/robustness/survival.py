"""Whole runs, killed (kill -9) again and again at random moments: `make survive`, some minutes.

Not part of `make test`.

Half of the moments are drawn from the time that an undisturbed run takes, half are the n-th change of its
files. The numbers of kills and of the seed are taken from the environment: KILLS, SEED.
"""

import http.server
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.builders import ROOT, moving_squares, write_ctc
from tests.robustness.killing import tree

KILLS, SEED = int(os.environ.get("KILLS", "40")), int(os.environ.get("SEED", "1"))
DATASET = "Fluo-N2DH-SIM+"
ITERATIONS = 12
# Times, and what contains them.
TIMED = ("log.txt", "report.html", "history.csv", "tensorboard", "checkpoints", "02.json")


@pytest.fixture(scope="module")
def base_url(tmp_path_factory):
    """A server that has the archive of a data set."""
    root = tmp_path_factory.mktemp("server")
    folder = write_ctc(root / "content" / DATASET, *moving_squares(8), video="01")
    write_ctc(folder, *moving_squares(8), video="02")
    with zipfile.ZipFile(root / f"{DATASET}.zip", "w") as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, path.relative_to(folder.parent))

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments):
            super().__init__(*arguments, directory=str(root))

        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def start(folder: Path, base_url: str) -> subprocess.Popen:
    """The same command in every folder: it is written into the results."""
    folder.mkdir(exist_ok=True)
    flags = [
        "--fold=0",
        "--profile=smoke",
        "--deterministic",
        f"--base_url={base_url}",
        "--data_dir=data",
        "--out_dir=runs",
    ]
    values = ["network.levels=2", f"training.iterations={ITERATIONS}", "training.checkpoint_every=2"]
    with (folder / "stderr.txt").open("a") as errors:
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "experiments.ctc_fluo_sim",
                *flags,
                *(f"--set={value}" for value in values),
            ],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )


def files(folder: Path) -> set[Path]:
    found = set()
    for parent, folders, names in os.walk(folder):
        found |= {Path(parent, name) for name in [*folders, *names]}
    return found


def watch(
    process: subprocess.Popen, folder: Path, seconds: float = np.inf, changes: float = np.inf
) -> tuple[float, int]:
    """Waits for the end of the process, a time, or a number of files that came or went.

    Returns time and number.
    """
    begin, seen, before = time.perf_counter(), 0, files(folder)
    while process.poll() is None and time.perf_counter() - begin < seconds and seen < changes:
        time.sleep(0.001)
        now = files(folder)
        seen += len(now ^ before)
        before = now
    return time.perf_counter() - begin, seen


def outcome(folder: Path) -> dict[str, object]:
    """All that a run leaves, without times: bytes of files, and the tensors of the newest checkpoint."""
    found: dict[str, object] = {
        name: digest for name, digest in tree(folder).items() if not set(Path(name).parts) & set(TIMED)
    }
    del found["stderr.txt"]
    (run,) = (folder / "runs" / "ctc_fluo_sim").glob("test_*")
    reader = tf.train.load_checkpoint(str(run / "checkpoints" / f"step-{ITERATIONS}"))
    for name in reader.get_variable_to_shape_map():
        value = reader.get_tensor(name)
        found[name] = sha256(value if isinstance(value, bytes) else value.tobytes()).hexdigest()
    found["history"] = [line.rsplit(",", 2)[0] for line in (run / "history.csv").read_text().splitlines()]
    facts = json.loads((run / "results" / "02.json").read_text())
    return found | {f"facts/{name}": value for name, value in facts.items() if name != "seconds"}


def test_runs_killed_at_random_moments_end_as_an_undisturbed_one(base_url, tmp_path):
    process = start(tmp_path / "undisturbed", base_url)
    duration, changes = watch(process, tmp_path / "undisturbed")
    assert process.returncode == 0, (tmp_path / "undisturbed" / "stderr.txt").read_text()
    whole = outcome(tmp_path / "undisturbed")
    generator = np.random.default_rng(SEED)
    kills = rounds = 0
    while kills < KILLS:
        folder = tmp_path / f"round_{rounds}"
        while True:
            process = start(folder, base_url)
            limit = (
                {"seconds": generator.uniform(0, duration)}
                if kills % 2
                else {"changes": generator.integers(1, changes)}
            )
            watch(process, folder, **limit)
            process.kill()
            if process.wait() == 0:
                break
            assert process.returncode == -9, (folder / "stderr.txt").read_text()
            kills += 1
            torn = {
                name: digest
                for name, digest in tree(folder, hidden=False).items()
                if name in whole and whole[name] != digest
            }
            assert not torn
            print(f"kill {kills}: {limit}", flush=True)
        rounds += 1
        assert outcome(folder) == whole
        leftovers = [
            name
            for name in map(str, files(folder))
            if name.endswith((".partial", "_temp")) or ".tempstate" in name
        ]
        assert not leftovers
    print(
        f"{kills} kills in {rounds} runs of {duration:.0f} s and {changes} changes of files each: all as "
        "undisturbed"
    )


def test_prediction_and_scores_killed_at_every_moment(tmp_path):
    command = [sys.executable, "tests/robustness/killing.py", "predict_and_score", str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    print(
        f"predict, evaluate: {done.stdout.strip()} moments between two changes of files: all as undisturbed"
    )

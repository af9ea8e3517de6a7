"""Hosts that train together: how they are named, that they give what one host gives, and a kill."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from cosembed.errors import InputError
from cosembed.training.hosts import Hosts, read_hosts
from tests.helpers.builders import ROOT, make_sequence, moving_squares, small_spec

# What both hosts say when the other one was killed.
LOST = "error: train: one of 2 hosts no longer answers; start the same commands on every host again"


def config(task="worker", index=0, **cluster):
    return json.dumps({"cluster": cluster, "task": {"type": task, "index": index}})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (config(worker=["a:1", "b:1"]), Hosts(("a:1", "b:1"), 0)),
        (config(index=1, worker=["a:1", "b:1"]), Hosts(("a:1", "b:1"), 1)),
        (config(worker=["b:1"], chief=["a:1"]), Hosts(("a:1", "b:1"), 1)),
        (config("chief", worker=["b:1"], chief=["a:1"]), Hosts(("a:1", "b:1"), 0)),
    ],
)
def test_the_first_host_is_the_chief(monkeypatch, text, expected):
    monkeypatch.setenv("TF_CONFIG", text)
    assert read_hosts() == expected
    assert read_hosts().is_chief == (expected.own == 0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not set"),
        ("{worker: a}", "is no JSON"),
        ("[1]", "does not say which hosts"),
        ('{"cluster": {"worker": ["a:1"]}}', "does not say which hosts"),
        (config(worker=3), "does not say which hosts"),
        (config(), "lists no hosts"),
        (config(worker=[1, 2]), "lists no hosts"),
        (config(worker=["a:1"], ps=["b:1"]), "lists ps"),
        (config(worker=["a:1", "b:1", "a:1"]), "names a:1 twice"),
        (config(worker=["a:1"], chief=["a:1"]), "names a:1 twice"),
        (config(index=2, worker=["a:1", "b:1"]), "says that this is worker 2"),
        (config("chief", worker=["a:1", "b:1"]), "says that this is chief 0"),
    ],
)
def test_hosts_that_cannot_be_used_are_refused_in_one_sentence(monkeypatch, text, reason):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=f"^--strategy=multiworker: TF_CONFIG {reason}.*on every host"):
        read_hosts()


def start_hosts(*commands):
    """Starts a process on the loopback for every command."""
    sockets = [socket.create_server(("localhost", 0)) for _ in commands]
    addresses = [f"localhost:{listening.getsockname()[1]}" for listening in sockets]
    for listening in sockets:
        listening.close()
    return [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env=os.environ | {"TF_CONFIG": config(index=index, worker=addresses)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for index, command in enumerate(commands)
    ]


def wait_for(processes, seconds=240):
    """Waits for the ends of processes: (exit status, our own sentence on stderr, all of it) of each."""
    ends = []
    for process in processes:
        try:
            _, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            for other in processes:
                other.kill()
            raise
        # TensorFlow's server may have a last word after ours.
        sentences = [line for line in errors.splitlines() if line.startswith("error: ")]
        ends.append((process.returncode, "".join(sentences), errors))
    return ends


def train_on_hosts(chief, other, delay=0.0):
    """Starts a training on two hosts, each with a run folder of its own."""
    code = "import sys; from tests.training import test_hosts as here; here.train_as_host(*sys.argv[1:])"
    return start_hosts(*([sys.executable, "-c", code, str(folder), str(delay)] for folder in (chief, other)))


def training_spec():
    small = ("network.levels=1", "network.image_size=16", "training.batch_size=2")
    return small_spec(*small, "training.iterations=12", "training.checkpoint_every=4")


def train_here(folder, execution, delay=0.0):
    from cosembed.batches.clips import ClipSource
    from cosembed.training.loop import train
    from cosembed.training.replicas import replicas_of
    from cosembed.training.run_folder import RunFolder

    images, labels, _ = moving_squares(frames=8)
    spec, run = training_spec(), RunFolder(Path(folder))
    source = ClipSource([make_sequence(images, labels)], spec, spec.training.seed)
    make = source.clips

    def clips(index):
        time.sleep(delay)
        return make(index)

    source.clips = clips
    if replicas_of(execution).is_chief:
        run.open(spec, {"train": "01 [0:8]"})
    train(spec, source, run, execution=execution)


def train_as_host(folder, delay):
    from cosembed.commands.exit_status import exit_as_deserved
    from cosembed.training.execution import Execution

    exit_as_deserved(lambda: train_here(folder, Execution(strategy="multiworker"), float(delay)))


def weights_of(folder):
    from cosembed.training.checkpoints import load_network

    model, _, step = load_network(folder)
    assert step == 12
    return [variable.numpy() for variable in model.trainable_variables]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The chief's run folder of a training on two hosts; the other one wrote nothing."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for status, _, errors in wait_for(train_on_hosts(folder / "chief", folder / "other")):
        assert status == 0, errors[-4000:]
    assert [path.name for path in folder.iterdir()] == ["chief"]
    return folder / "chief"


@pytest.mark.slow
def test_two_hosts_train_what_one_host_trains(undisturbed, tmp_path):
    from cosembed.training.execution import DEFAULT
    from cosembed.training.run_folder import RunFolder

    train_here(tmp_path / "one", DEFAULT)
    losses = [
        [record.loss for record in RunFolder(folder).read_history()]
        for folder in (undisturbed, tmp_path / "one")
    ]
    assert len(losses[0]) == 12
    np.testing.assert_allclose(*losses, rtol=1e-5)
    for ours, expected in zip(weights_of(undisturbed), weights_of(tmp_path / "one"), strict=True):
        np.testing.assert_allclose(ours, expected, rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_when_a_host_is_killed_the_other_ends_and_the_same_commands_continue(undisturbed, tmp_path, victim):
    chief, other = tmp_path / "chief", tmp_path / "other"
    processes = train_on_hosts(chief, other, delay=0.5)
    deadline = time.monotonic() + 240
    while not list(chief.glob("checkpoints/step-4.index")):
        assert time.monotonic() < deadline and all(process.poll() is None for process in processes)
        time.sleep(0.1)
    processes[victim].kill()
    killed = time.monotonic()
    ends = wait_for(processes)
    assert time.monotonic() - killed < 60
    assert ends[victim][0] == -signal.SIGKILL
    status, sentence, errors = ends[1 - victim]
    assert (status, sentence.startswith(LOST), "Traceback" in errors) == (1, True, False), errors[-4000:]
    for status, _, errors in wait_for(train_on_hosts(chief, other)):
        assert status == 0, errors[-4000:]
    assert not other.exists()
    for ours, expected in zip(weights_of(chief), weights_of(undisturbed), strict=True):
        np.testing.assert_array_equal(ours, expected)


@pytest.mark.slow
def test_hosts_that_are_told_to_end_do_so_after_the_same_step(tmp_path):
    chief, other = tmp_path / "chief", tmp_path / "other"
    processes = train_on_hosts(chief, other, delay=0.5)
    deadline = time.monotonic() + 240
    while not list(chief.glob("checkpoints/step-4.index")):
        assert time.monotonic() < deadline and all(process.poll() is None for process in processes)
        time.sleep(0.1)
    processes[1].send_signal(signal.SIGTERM)
    (chief_status, _, errors), (other_status, *_) = wait_for(processes)
    assert (chief_status, other_status) == (0, -signal.SIGTERM), errors[-4000:]


@pytest.mark.slow
def test_hosts_with_other_specs_are_refused_before_anything_is_written(tmp_path):
    flags = ["--profile=smoke", "--mode=train", "--fold=0", f"--data_dir={tmp_path / 'data'}"]
    command = [sys.executable, "-m", "experiments.simulated", *flags]
    prepare = [*command, "--mode=prepare"]
    subprocess.run(prepare, cwd=ROOT, check=True, capture_output=True, timeout=240)
    command += [f"--out_dir={tmp_path / 'runs'}", "--strategy=multiworker", "--set=training.batch_size=2"]
    for status, sentence, errors in wait_for(start_hosts(command, [*command, "--set=training.seed=7"])):
        assert status == 2, errors[-4000:]
        assert sentence.startswith("error: --strategy=multiworker: the spec (--profile, --recipe")
        assert "Traceback" not in errors
    assert not list(tmp_path.glob("runs/simulated/*/spec.yaml"))

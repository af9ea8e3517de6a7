"""A Dask cluster of this machine: what ends well, what fails, what waits for it, and what is refused."""

import asyncio
import errno
import os
import re
from pathlib import Path

import pytest

from cosembed.errors import ClusterError
from cosembed.processes import cluster
from cosembed.processes.cluster import Task, check_scheduler, check_worker, connected, own_versions


@pytest.fixture(scope="module")
def two_workers():
    with connected("local:2") as connection:
        yield connection


def test_tasks_end_and_what_they_print_comes_back(two_workers, tmp_path):
    tasks = [
        Task("folder", os.mkdir, (tmp_path / "a",)),
        Task("inner", os.mkdir, (tmp_path / "a" / "b",), ("folder",)),
        Task("words", print, ("some", "words")),
    ]
    outcomes = {outcome.name: outcome for outcome in two_workers.run(tasks)}
    assert outcomes.keys() == {"folder", "inner", "words"}
    assert all(outcome.error is None for outcome in outcomes.values())
    assert outcomes["words"].printed == "some words\n" and outcomes["inner"].printed == ""
    assert (tmp_path / "a" / "b").is_dir()


def test_a_full_disk_stops_what_waits_for_it_and_nothing_else(two_workers, tmp_path):
    tasks = [
        Task("full", Path.write_text, (Path("/dev/full"), "x")),
        Task("after", os.mkdir, (tmp_path / "after",), ("full",)),
        Task("last", os.mkdir, (tmp_path / "last",), ("after",)),
        Task("other", os.mkdir, (tmp_path / "other",)),
    ]
    outcomes = {outcome.name: outcome.error for outcome in two_workers.run(tasks)}
    assert outcomes.pop("other") is None
    assert outcomes.keys() == {"full", "after", "last"}
    for error in outcomes.values():
        assert isinstance(error, OSError) and error.errno == errno.ENOSPC
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_a_fault_of_ours_passes_as_it_is(two_workers):
    with pytest.raises(ValueError, match="invalid literal for int"):
        list(two_workers.run([Task("fault", int, ("x",))]))


def test_a_task_that_kills_every_worker_is_given_up(two_workers):
    (outcome,) = two_workers.run([Task("deadly", os._exit, (1,))])
    assert "every worker that it was given to died" in str(outcome.error)


def test_a_worker_with_other_versions_is_named(two_workers, monkeypatch):
    theirs = own_versions()
    monkeypatch.setattr(cluster, "own_versions", lambda: theirs | {"numpy": "0.1"})
    with pytest.raises(ClusterError, match=rf"has numpy {theirs['numpy']} \(not 0\.1\); install the same"):
        list(two_workers.run([Task("print", print, ())]))


async def _refuse(**values):
    raise OSError("the scheduler is gone")


def lose_a_heartbeat() -> None:
    """Lets this worker find its scheduler gone, as it may between the scheduler's end and its own."""
    from distributed import get_worker

    worker = get_worker()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(worker.scheduler, "heartbeat_worker", _refuse, raising=False)
        asyncio.run_coroutine_threadsafe(worker.heartbeat(), worker.loop.asyncio_loop).result(timeout=30)


def test_workers_do_not_tell_that_the_scheduler_ended_before_them(capfd):
    with connected("local:1") as connection:
        (outcome,) = connection.run([Task("heartbeat", lose_a_heartbeat, ())])
    assert outcome.error is None
    assert "heartbeat" not in capfd.readouterr().err


@pytest.mark.parametrize("scheduler", ["local", "local:0", "10.0.0.1:8786", "tcp://host"])
def test_a_scheduler_that_is_none_is_refused(scheduler):
    with pytest.raises(ClusterError, match=re.escape(f"--scheduler={scheduler}: write local:N")):
        check_scheduler(scheduler)


def test_there_are_not_more_workers_than_gpus(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert check_scheduler("local:2") == 2
    with pytest.raises(ClusterError, match="of which there are 2; choose local:2"):
        check_scheduler("local:3")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert check_scheduler("local:3") == 3


def test_workers_with_other_versions_or_several_threads_are_refused():
    check_worker(own_versions(), threads=1)
    with pytest.raises(ClusterError, match=r"has numpy .* \(not 0\.1\); install the same"):
        check_worker(own_versions() | {"numpy": "0.1"}, threads=1)
    with pytest.raises(ClusterError, match="--nthreads 1"):
        check_worker(own_versions(), threads=4)


def test_the_package_may_be_absent(monkeypatch):
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ClusterError, match=r"pip install 'cosembed\[cluster\]'"):
        check_scheduler("local:2")

"""Worker processes end with their parent, are replaced where they are killed, and hold no TensorFlow."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

import pytest

from cosembed.processes.pool import MOST_DEATHS, WorkerDiedError, WorkerPool
from tests.helpers.builders import ROOT


def double(number):
    return 2 * number


def facts():
    return (
        os.getpid(),
        os.environ["OMP_NUM_THREADS"],
        "tensorflow" in sys.modules,
        signal.pthread_sigmask(0, []),
    )


def fail():
    raise ValueError("my own words")


def die_unless_written(file):
    """Dies at its first call."""
    if not file.exists():
        file.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return "alive"


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def note(file):
    with file.open("a") as stream:
        stream.write("x")
    die()


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(2) as found:
        yield found


def exists(process):
    return Path(f"/proc/{process}/stat").exists() and " Z " not in Path(f"/proc/{process}/stat").read_text()


def test_a_pool_is_an_executor_of_the_standard_library(pool):
    assert isinstance(pool, Executor)
    assert list(pool.map(double, range(20))) == list(range(0, 40, 2))
    with pytest.raises(ValueError, match="my own words"):
        pool.submit(fail).result()
    assert pool.submit(double, 4).result() == 8


def test_workers_are_others_with_one_thread_and_without_tensorflow_and_deaf_to_ctrl_c(pool):
    for process, threads, has_tensorflow, blocked in [pool.submit(facts).result() for _ in range(4)]:
        assert process != os.getpid() and threads == "1" and not has_tensorflow
        assert {signal.SIGINT, signal.SIGTERM} <= blocked
        os.kill(process, signal.SIGINT)
        assert exists(process)
    assert not signal.pthread_sigmask(0, []) & {signal.SIGINT, signal.SIGTERM}


def test_a_killed_worker_is_replaced_and_its_task_done_again_and_the_log_says_so(pool, tmp_path, caplog):
    futures = [pool.submit(double, number) for number in range(6)]
    killed = pool.submit(die_unless_written, tmp_path / "file")
    futures += [pool.submit(double, number) for number in range(6, 12)]
    assert killed.result(timeout=60) == "alive"
    assert [future.result() for future in futures] == list(range(0, 24, 2))
    assert caplog.messages == ["a worker process was killed or died; another one takes its place"]


def test_a_worker_that_is_killed_while_it_has_nothing_to_do_is_replaced(pool):
    for process in {pool.submit(facts).result()[0] for _ in range(6)}:
        os.kill(process, signal.SIGKILL)
    assert list(pool.map(double, range(6))) == list(range(0, 12, 2))


def test_a_task_that_kills_every_worker_is_given_up_and_no_other(pool, tmp_path):
    others = [pool.submit(double, number) for number in range(4)]
    guilty = pool.submit(note, tmp_path / "deaths")
    others += [pool.submit(double, number) for number in range(4, 8)]
    with pytest.raises(WorkerDiedError, match=f"{MOST_DEATHS} processes died"):
        guilty.result(timeout=60)
    assert (tmp_path / "deaths").read_text() == MOST_DEATHS * "x"
    assert [future.result() for future in others] == list(range(0, 16, 2))


def test_a_pool_that_is_shut_down_has_no_process_left_and_takes_no_task():
    pool = WorkerPool(1)
    process = pool.submit(facts).result()[0]
    running = pool.submit(time.sleep, 0.5)
    time.sleep(0.1)
    waiting = [pool.submit(double, number) for number in range(3)]
    pool.shutdown()
    assert running.result() is None
    assert all(future.cancelled() for future in waiting)
    assert not exists(process)
    with pytest.raises(RuntimeError, match="shut down"):
        pool.submit(double, 1)


def test_a_cancelled_task_is_never_begun(tmp_path):
    with WorkerPool(1) as pool:
        first = pool.submit(time.sleep, 0.5)
        time.sleep(0.1)
        second = pool.submit(note, tmp_path / "file")
        assert second.cancel()
        assert first.result() is None and pool.submit(double, 3).result() == 6
    assert not (tmp_path / "file").exists()


def test_a_task_that_cannot_be_sent_fails_alone(pool):
    with pytest.raises(Exception, match="pickle"):
        pool.submit(partial(double, lambda: 1)).result(timeout=60)
    assert pool.submit(double, 3).result() == 6


PROGRAM = """
    import os, sys, time
    from cosembed.processes.pool import WorkerPool

    if __name__ == "__main__":
        pool = WorkerPool(2)
        for future in [pool.submit(os.getpid) for _ in range(8)]:
            print(future.result(), flush=True)
        pool.submit(time.sleep, 600)
        print("ready", flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_a_parent_that_is_killed(how, tmp_path):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(PROGRAM))
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(program)], stdout=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    ) as parent:
        workers = {int(line) for line in iter(parent.stdout.readline, "ready\n")}
        assert workers and all(map(exists, workers))
        parent.send_signal(how)
        parent.wait(30)
    deadline = time.monotonic() + 20
    while any(map(exists, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(exists, workers))


INTERRUPTED = """
    import os, time
    from cosembed.processes.pool import WorkerPool

    if __name__ == "__main__":
        with WorkerPool(2) as pool:
            try:
                running = [pool.submit(time.sleep, 2) for _ in range(2)]
                print(*[pool.submit(os.getpid).result() for _ in range(4)], flush=True)
                running = [pool.submit(time.sleep, 2) for _ in range(2)]
                time.sleep(600)
            except KeyboardInterrupt:
                print([future.result() for future in running], flush=True)
"""


def test_ctrl_c_is_answered_by_the_parent_alone(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(INTERRUPTED))
    with subprocess.Popen(
        [sys.executable, str(program)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=tmp_path, start_new_session=True,
    ) as parent:  # fmt: skip
        workers = set(map(int, parent.stdout.readline().split()))
        time.sleep(0.5)
        os.killpg(parent.pid, signal.SIGINT)
        output, errors = parent.communicate(timeout=60)
    assert (output, errors, parent.returncode) == ("[None, None]\n", "", 0)
    assert workers and not any(map(exists, workers))

"""Commands run in process groups of their own: lines come while they run, and cancelling ends all."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from cosembed import specs
from cosembed.errors import InputError
from cosembed.napari_plugin.learning import Lesson, track_command
from cosembed.napari_plugin.running import RunningCommand, parse_progress
from tests.helpers.builders import ROOT, small_spec


def finish(command: RunningCommand, seconds: float = 60) -> tuple[int, list[str]]:
    lines: list[str] = []
    end = time.monotonic() + seconds
    while (status := command.status()) is None:
        assert time.monotonic() < end, lines
        time.sleep(0.02)
    return status, lines + command.new_lines()


def await_line(command: RunningCommand) -> str:
    for _ in range(3000):
        if lines := command.new_lines():
            return lines[0]
        time.sleep(0.02)
    raise AssertionError("the command printed nothing")


def test_lines_of_both_streams_and_the_status_come():
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(2)"
    assert finish(RunningCommand([sys.executable, "-c", code])) == (2, ["out", "err"])


def test_cancelling_lets_the_command_end_by_itself():
    code = (
        "import signal, sys, time; signal.signal(2, lambda *_: sys.exit('saved')); print('on'); "
        "time.sleep(99)"
    )
    command = RunningCommand([sys.executable, "-c", code])
    assert await_line(command) == "on"
    command.cancel()
    status, lines = finish(command)
    assert (status, lines) == (1, ["saved"])


def test_cancelling_works_where_ctrl_c_is_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        command = RunningCommand([sys.executable, "-c", "import time; print('on'); time.sleep(99)"])
        assert await_line(command) == "on"
        command.cancel()
        assert finish(command) == (-signal.SIGTERM, [])
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_command_ends_with_the_program_that_started_it():
    child = "import time; print('on', flush=True); time.sleep(99)"
    code = (
        "import sys, time; from cosembed.napari_plugin.running import RunningCommand; "
        f"command = RunningCommand([sys.executable, '-c', {child!r}])\n"
        "while not command.new_lines(): time.sleep(0.02)\n"
        "print(command._process.pid)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    end = time.monotonic() + 60
    with suppress(ProcessLookupError):
        while time.monotonic() < end:
            os.kill(int(done.stdout), 0)
            time.sleep(0.02)
        pytest.fail("the command goes on")


def test_what_does_not_end_is_killed_with_its_children():
    child = "import signal, time; signal.signal(2, signal.SIG_IGN); print('on', flush=True); time.sleep(99)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    command = RunningCommand([sys.executable, "-c", code])
    assert await_line(command) == "on"
    command.cancel(grace=0.5)
    # The lines end only with the last process that could print.
    status, _ = finish(command)
    assert status < 0


def test_a_program_that_is_not_there_is_an_error_of_its_own():
    with pytest.raises(OSError, match="nowhere"):
        RunningCommand(["/nowhere/python"])


@pytest.mark.parametrize(
    ("line", "progress"),
    [
        ("tracking: frame 12 of 100, about 40 s left", ("tracking", 12, 100, "40 s")),
        (
            "I1128 10:00:00.000000 140 progress.py:55] masks: frame 1 of 3, about 2 min left",
            ("masks", 1, 3, "2 min"),
        ),
        (
            "own test_01: step 50 of 500, loss 1.2, 5 % of it waiting for data, about 3 min left",
            ("own test_01", 50, 500, "3 min"),
        ),
        ("warning: 3 cells of frame 2 are large", None),
        ("", None),
    ],
)
def test_lines_of_progress_are_understood(line, progress):
    assert parse_progress(line) == progress


def test_a_lesson_trains_a_network_of_the_corrected_ones_form(tmp_path):
    result = tmp_path / "RES"
    result.mkdir()
    spec = small_spec("network.levels=2", "network.outputs=6")
    (result / "spec.yaml").write_text(specs.dump(spec))
    lesson = Lesson("python3", tmp_path / "lesson", "runs/a/test_01", "smoke", 7, result)
    measure, train, track = lesson.commands()
    assert measure()[3] == "suggest-spec"
    assert {"--start_from=runs/a/test_01", "--set=training.iterations=7", "--set=network.levels=2"} <= set(
        train()
    )
    assert "--set=network.recurrent=true" in train()
    with pytest.raises(InputError, match="holds no trained network"):
        track()
    trained = tmp_path / "lesson" / "runs" / "corrected" / "test_01_frames_4_6"
    trained.mkdir(parents=True)
    frames = Path(tmp_path / "lesson" / "data" / "corrected" / "01")
    assert track() == track_command("python3", str(trained), frames, lesson.result)

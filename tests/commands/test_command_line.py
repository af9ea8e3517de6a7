"""Exit statuses and one-sentence errors, as a user's shell sees them."""

import subprocess
import sys

import pytest

from cosembed.errors import InputError
from cosembed.requirements import check_tensorflow


def run_code(code: str, *arguments: str) -> subprocess.CompletedProcess:
    program = (
        "'''A program.\n\n    example --size=3\n'''\n"
        "from absl import flags\n"
        "from cosembed import errors\n"
        f"from cosembed.commands import command_line\n{code}"
    )
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )


DEFINE = "flags.DEFINE_integer('size', 3, 'How many.')\n"


@pytest.mark.parametrize(
    ("body", "arguments", "status", "message"),
    [
        ("pass", (), 0, ""),
        ("raise errors.DataError('a.tif: is bad;\\n mend it')", (), 2, "error: a.tif: is bad; mend it\n"),
        ("raise errors.TrainingError('not finite')", (), 1, "error: not finite\n"),
        ("pass", ("--siez=4",), 2, "siez"),
        ("pass", ("--size=four",), 2, "four"),
        ("pass", ("extra",), 2, "unexpected argument 'extra'"),
        (
            "import errno; raise OSError(errno.ENOSPC, 'No space left on device', 'out/x')",
            (),
            2,
            "out/x: No space left",
        ),
        ("open('/proc/none/x', 'w')", (), 2, "/proc/none/x"),
    ],
)
def test_exit_status_and_message(body, arguments, status, message):
    done = run_code(f"{DEFINE}def main():\n    {body}\ncommand_line.run(main)", *arguments)
    assert done.returncode == status, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") <= 1


def test_a_fault_of_ours_keeps_its_traceback_and_exits_1():
    done = run_code(f"{DEFINE}command_line.run(lambda: 1 / 0)")
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr


def test_another_tensorflow_is_named_with_the_remedy(monkeypatch):
    check_tensorflow()
    for version in ("2.16.1", "2.150.0", "1.15.0"):
        monkeypatch.setattr("importlib.metadata.version", lambda _, version=version: version)
        with pytest.raises(
            InputError, match=f"TensorFlow {version} is installed, cosembed needs 2.15 or 2.21"
        ):
            check_tensorflow()


def test_a_tensorflow_that_cannot_be_imported_is_named_with_the_remedy(monkeypatch):
    # An interrupted installation: the package's metadata is there, its modules are not.
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(
        InputError, match=r"TensorFlow 2\.\d+\.\d+ cannot be imported .*: install it again with pip install"
    ):
        check_tensorflow()


def test_help_shows_docstring_and_flags_and_fits_a_screen():
    done = run_code(f"{DEFINE}command_line.run(lambda: None)", "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("A program.") and "example --size=3" in done.stdout
    assert "--size: How many. (default: 3)" in done.stdout
    assert len(done.stdout.splitlines()) < 40

"""`make setup` on machines of every kind, whose Pythons are shell scripts that say a version."""

import shutil
import subprocess

import pytest

from tests.helpers.builders import ROOT

TOOLS = ("sh", "make", "cat", "cksum", "rm", "mkdir", "cp", "chmod")
# Answers as Python does to what tools/setup.sh asks, makes a virtual environment of a copy of itself, and
# notes what pip is to do.
PYTHON = """#!/bin/sh
case "$*" in
    *version_info*) echo {version} ;;
    *ensurepip*) exit {without_venv} ;;
    "-m venv"*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
    "-m pip"*) echo "{version} $*" >> "$NOTES"; exit "${{PIP_STATUS:-0}}" ;;
esac
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A checkout's folder, and a PATH that holds no Python yet."""
    checkout, path = tmp_path / "checkout", tmp_path / "bin"
    (checkout / "tools").mkdir(parents=True)
    for name in (
        "Makefile",
        "setup.py",
        "pyproject.toml",
        "constraints.txt",
        "constraints-tf215.txt",
        "tools/setup.sh",
    ):
        shutil.copy(ROOT / name, checkout / name)
    path.mkdir()
    for name in TOOLS:
        (path / name).symlink_to(shutil.which(name))
    for name in ("LINE", "GPU", "PYTHON", "MAKEFLAGS", "MAKELEVEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(path))
    monkeypatch.setenv("NOTES", str(tmp_path / "notes"))
    return tmp_path


def add_python(machine, name, version, *, venv=True):
    file = machine / "bin" / name
    file.write_text(PYTHON.format(version=version, without_venv=int(not venv)))
    file.chmod(0o755)


def setup(machine, *arguments):
    return subprocess.run(
        ["make", "setup", *arguments],
        cwd=machine / "checkout",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def installed(machine):
    """What pip was to do, call by call."""
    notes = machine / "notes"
    return notes.read_text().splitlines() if notes.exists() else []


def assert_refused(done, *words):
    assert done.returncode == 2
    (sentence,) = [line for line in done.stderr.splitlines() if not line.startswith("make: ")]
    assert sentence.startswith("error: ")
    for word in words:
        assert word in sentence


def test_the_newest_fitting_python_is_taken_and_named(machine):
    for name, version in (
        ("python3.11", "3.11"),
        ("python3.12", "3.12"),
        ("python3.14", "3.14"),
        ("python3", "3.14"),
    ):
        add_python(machine, name, version)
    done = setup(machine)
    assert done.returncode == 0 and "Python 3.12" in done.stdout and "bin/python3.12" in done.stdout
    (call,) = installed(machine)
    assert call.startswith("3.12 ") and "--constraint constraints.txt" in call and call.endswith(".[dev]")
    # A second call finds everything done, and says nothing.
    assert setup(machine).stdout == ""
    assert len(installed(machine)) == 1


def test_python3_is_taken_when_it_is_one_that_fits(machine):
    add_python(machine, "python3", "3.13")
    assert setup(machine).returncode == 0
    assert installed(machine)[0].startswith("3.13 ")


def test_a_name_without_a_python_behind_it_is_passed_over(machine):
    (machine / "bin" / "python3.13").write_text("#!/bin/sh\necho 'not installed' >&2; exit 127\n")
    (machine / "bin" / "python3.13").chmod(0o755)
    add_python(machine, "python3.11", "3.11")
    assert setup(machine).returncode == 0
    assert installed(machine)[0].startswith("3.11 ")


def test_without_a_fitting_python_one_sentence_says_what_to_install(machine):
    assert_refused(
        setup(machine), "needs Python 3.11, 3.12 or 3.13", "this machine has none", "PYTHON=/path/to/python"
    )
    add_python(machine, "python3", "3.9")
    assert_refused(setup(machine), "this machine has none")
    assert not (machine / "checkout" / ".venv").exists()


def test_an_unfit_python_asked_for_is_named(machine):
    add_python(machine, "python3.10", "3.10")
    add_python(machine, "python3.12", "3.12")
    assert_refused(setup(machine, "PYTHON=python3.10"), "PYTHON=python3.10 is Python 3.10")
    assert_refused(setup(machine, "PYTHON=/nowhere/python"), "PYTHON=/nowhere/python is not a Python")


def test_an_absent_venv_module_names_the_package_unless_another_python_has_it(machine):
    add_python(machine, "python3.13", "3.13", venv=False)
    assert_refused(setup(machine), "Python 3.13 has no venv module", "apt-get install python3.13-venv")
    add_python(machine, "python3.11", "3.11")
    assert setup(machine).returncode == 0
    assert installed(machine)[0].startswith("3.11 ")


def test_an_interrupted_setup_is_made_anew(machine, monkeypatch):
    add_python(machine, "python3.12", "3.12")
    monkeypatch.setenv("PIP_STATUS", "1")
    done = setup(machine)
    monkeypatch.delenv("PIP_STATUS")
    assert_refused(done, "could not be installed", "run the same command again")
    leftover = machine / "checkout" / ".venv" / "half"
    leftover.touch()
    done = setup(machine)
    assert done.returncode == 0 and "made anew" in done.stdout
    assert not leftover.exists()


def test_an_environment_whose_python_is_gone_is_made_anew(machine):
    add_python(machine, "python3.12", "3.12")
    setup(machine)
    (machine / "checkout" / ".venv" / "bin" / "python").unlink()
    done = setup(machine)
    assert done.returncode == 0 and "made anew" in done.stdout and len(installed(machine)) == 2


def test_changed_constraints_are_installed_into_the_same_environment(machine):
    add_python(machine, "python3.12", "3.12")
    setup(machine)
    kept = machine / "checkout" / ".venv" / "kept"
    kept.touch()
    with (machine / "checkout" / "constraints.txt").open("a") as file:
        file.write("another==1.0\n")
    assert setup(machine).returncode == 0
    assert kept.exists() and len(installed(machine)) == 2


def test_another_python_asked_for_replaces_the_environment(machine):
    add_python(machine, "python3.12", "3.12")
    add_python(machine, "python3.11", "3.11")
    setup(machine)
    assert setup(machine, "PYTHON=python3.11").returncode == 0
    assert [call.split()[0] for call in installed(machine)] == ["3.12", "3.11"]
    # Without a wish it stays.
    assert setup(machine).stdout == ""


def test_the_classic_line_has_its_own_environment_and_python_3_11_only(machine):
    add_python(machine, "python3.12", "3.12")
    assert_refused(setup(machine, "LINE=classic"), "needs Python 3.11 for the classic line")
    add_python(machine, "python3.11", "3.11")
    assert setup(machine, "LINE=classic").returncode == 0
    (call,) = installed(machine)
    assert (
        call.startswith("3.11 ")
        and "--constraint constraints-tf215.txt" in call
        and call.endswith(".[dev,addons]")
    )
    assert (machine / "checkout" / ".venv-classic").exists() and not (machine / "checkout" / ".venv").exists()
    assert_refused(setup(machine, "LINE=modern"), "LINE=modern: choose current", "or classic")


def test_gpu_adds_its_packages_and_they_stay(machine):
    add_python(machine, "python3.12", "3.12")
    setup(machine)
    assert setup(machine, "GPU=1").returncode == 0
    assert [call.endswith(",gpu]") for call in installed(machine)] == [False, True]
    setup(machine)
    assert len(installed(machine)) == 2

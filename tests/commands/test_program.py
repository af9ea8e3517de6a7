"""The program `cosembed` as a user meets it: list, help, misspelt commands, Ctrl-C, readers that go away."""

import io
import os
import subprocess
import sys

import pytest

import cosembed
from cosembed.commands.main import COMMANDS, first_line, main
from tests.helpers.builders import ROOT, run_command

# Starts a program and says what it has imported by its end.
IMPORTED = """
import sys
from cosembed.commands.main import main
try:
    main(["cosembed", *sys.argv[1:]])
except SystemExit as ended:
    print("imported:", *sys.modules)
    sys.exit(ended.code)
"""


def start(*arguments: str, **options) -> subprocess.Popen:
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-m", "cosembed", *arguments], cwd=ROOT, **(streams | options))


def call(*arguments: str) -> int:
    """The program in this process; its exit status."""
    with pytest.raises(SystemExit) as ended:
        main(["cosembed", *arguments])
    return ended.value.code or 0


def test_alone_it_lists_every_command_with_one_line_each(capsys):
    assert call() == 0
    listed = capsys.readouterr().out
    assert call("--help") == 0
    assert capsys.readouterr().out == listed
    lines = [line for line in listed.splitlines() if line.startswith("  ") and not line.startswith("    ")]
    assert [line.split()[0] for line in lines] == list(COMMANDS)
    for line in lines:
        assert line.endswith(".")
    assert max(map(len, listed.splitlines())) <= 120 and len(listed.splitlines()) <= 24


def test_every_module_of_a_command_is_in_the_list():
    modules = {path.stem for path in (ROOT / "cosembed" / "commands").glob("*.py")}
    tools = {"__init__", "main", "command_line", "exit_status", "plate", "track_shards"}
    tools |= {"track_video", "video_flags"}
    assert {module.rpartition(".")[2] for module in COMMANDS.values()} == modules - tools


def test_version(capsys):
    assert call("--version") == 0
    assert capsys.readouterr().out == f"cosembed {cosembed.__version__}\n"


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("trakc", "error: 'trakc' is not a command of cosembed; did you mean 'track'?\n"),
        (
            "suggest_spec",
            "error: 'suggest_spec' is not a command of cosembed; did you mean 'suggest-spec'?\n",
        ),
        ("Evaluate", "error: 'Evaluate' is not a command of cosembed; did you mean 'evaluate'?\n"),
        ("xyz", f"error: 'xyz' is not a command of cosembed; there are {', '.join(COMMANDS)}\n"),
        (
            "--input=a",
            f"error: '--input=a': the name of a command comes first; there are {', '.join(COMMANDS)}\n",
        ),
    ],
)
def test_an_unknown_command_is_one_sentence_and_status_2(capsys, word, sentence):
    assert call(word) == 2
    assert capsys.readouterr() == ("", sentence)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_a_screen_gives_an_example_and_imports_nothing_heavy(command):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED, command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    text, _, imported = done.stdout.partition("imported:")
    assert text.startswith(first_line(COMMANDS[command]))
    assert f"\n    cosembed {command}" in text
    assert len(text.splitlines()) <= 40 and max(map(len, text.splitlines())) <= 130
    assert done.stderr == ""
    assert not {"tensorflow", "scipy", "SimpleITK", "matplotlib"} & set(imported.split())


def test_help_comes_at_once():
    """The time of this process and no other, for the machine may be busy."""
    before = os.times()
    run_command("cosembed", "track", "--help")
    after = os.times()
    assert after.children_user + after.children_system - before.children_user - before.children_system < 1


def test_wrong_flags_exit_2_with_one_sentence(capsys):
    for flag, words in [
        ("--inpt=a", "inpt"),
        ("--channel=red", "red"),
        ("extra", "unexpected argument 'extra'"),
    ]:
        assert call("track", flag) == 2
        said = capsys.readouterr().err
        assert said.startswith("error: ") and words in said and said.count("\n") == 1
    assert call("track", "--input=a") == 2
    assert capsys.readouterr().err == "error: --network is missing; see --help\n"


def test_commands_of_one_process_do_not_hear_of_each_others_flags(tmp_path, capsys):
    simulate = ("simulate", f"--output={tmp_path}", "--frames=1", "--size=64", "--cells=2")
    assert call(*simulate) == 0
    assert (
        call("validate", f"--ground_truth_dir={tmp_path / '01_GT'}", f"--frames_dir={tmp_path / '01'}") == 0
    )
    assert call(*simulate, "--video=02") == 0
    assert call(*simulate) == 2
    assert "exists already" in capsys.readouterr().err


def test_output_without_a_reader_ends_silently():
    for arguments in ((), ("track", "--help")):
        with start(*arguments) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == ""
        assert process.returncode == 141


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_to_a_full_disk_is_one_sentence(unbuffered):
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full, start("--version", env=environment, stdout=full) as process:
        _, said = process.communicate()
    assert process.returncode == 2
    assert said.startswith("error: the output: No space left on device") and said.count("\n") == 1


def test_a_path_that_the_terminal_cannot_spell_is_escaped(tmp_path):
    folder = tmp_path / "Größe ∅"
    arguments = ("simulate", f"--output={folder}", "--frames=1", "--size=64", "--cells=2")
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    for status in (0, 2):
        with start(*arguments, env=environment) as process:
            said, errors = process.communicate(timeout=60)
        assert process.returncode == status and "Traceback" not in errors
        assert "Gr\\xf6\\xdfe \\u2205" in (errors if status else said)
    assert (folder / "01" / "t000.tif").exists()


def test_standard_output_may_be_anything_with_a_write(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert call("--version") == 0
    assert sys.stdout.getvalue().startswith("cosembed ")


# A program that is started in the background inherits that Ctrl-C is ignored.
HEARING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
WAITING = f"""{HEARING}
from cosembed.commands import command_line
def main():
    os.kill(os.getpid(), signal.SIGINT)
command_line.run(main, ["program"])
"""
# The import of a module that Ctrl-C finds half-way.
IMPORTING = f"""{HEARING}
class Finder:
    def find_spec(self, name, *_):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
from cosembed.commands.main import main
main(["cosembed", "track", "--network=.", "--input=01", "--output=RES"])
"""


@pytest.mark.parametrize(
    ("code", "arguments"),
    [(WAITING, ()), *((IMPORTING, (name,)) for name in ("absl", "cosembed.commands.track", "numpy"))],
)
def test_ctrl_c_is_one_line_and_status_130(tmp_path, code, arguments):
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "interrupted\n")
    assert not list(tmp_path.iterdir())


# Python runs this before everything else; the module that is named is found half-way by Ctrl-C.
SITE = f"""{HEARING}
class Finder:
    def find_spec(self, name, *_):
        if name == os.environ.get("INTERRUPTED_IMPORT"):
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize("module", ["absl", "numpy", "cosembed.study.tasks.cells", "experiments.command"])
def test_ctrl_c_during_the_imports_of_an_experiment_is_one_line(tmp_path, module):
    (tmp_path / "sitecustomize.py").write_text(SITE)
    done = subprocess.run(
        [sys.executable, "-m", "experiments.simulated", "--mode=prepare"],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{tmp_path}:{ROOT}", "INTERRUPTED_IMPORT": module},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted\n")


def test_other_faults_of_an_experiment_keep_their_traceback():
    code = "import sys; sys.argv[0] = '-m'; import experiments; raise ValueError('ours')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "Traceback" in done.stderr and "ValueError: ours" in done.stderr

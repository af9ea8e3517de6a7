"""The commands of the documents work as printed.

Lines that begin with `cosembed` or `python` run, at the smallest size. Of those that begin with `make`, the
flags of the programs that it would start are parsed. Lines of blocks with a language, such as `text`, are not
for typing.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cosembed.images.frames import open_frames
from tests.helpers.builders import ROOT, moving_squares, small_spec, untrained_run, write_ctc
from tests.helpers.numpy_network import seeded_variables, write_checkpoint

# These run from the first line to the last, as a reader types them, in a folder of their own.
TYPED = ("README.md", "docs/getting-started.md", "docs/howto/track.md", "docs/howto/train.md")
TYPED += ("docs/howto/view-results.md", "docs/howto/reproduce.md", "docs/howto/add-a-loss.md")
TYPED += ("docs/reference/commands.md",)
WITH_MAKE = (*TYPED, "CONTRIBUTING.md", "docs/howto/gpu.md", "docs/performance.md", "docs/results.md")
WITH_MAKE += ("docs/notes/performance.md", "docs/notes/results.md")
SMALL = {
    "experiments.own": ["--profile=smoke"],
    "experiments.simulated": ["--profile=smoke"],
    "experiments.ctc_dic_hela": ["--profile=smoke", "--fold=0", "--set=dataset.loss_border=0"],
    "train": ["--profile=smoke"],
}
COMMANDS = ("track", "train", "evaluate", "validate", "simulate", "suggest-spec", "import-network")
# Flags that the page explains once, with the experiments; `cosembed train` has them, too.
EXPERIMENTS = "experiments.ctc_dic_hela"


def blocks(document: str, language: str = "") -> list[str]:
    """The contents of the fenced blocks of a language."""
    fenced = re.findall(
        r"^```(\w*)\n(.*?)^```$", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    return [content for found, content in fenced if found == language]


def commands(document: str, *beginnings: str) -> list[list[str]]:
    """The words of lines that begin with one of some words, comments dropped, in their order."""
    lines = [line for block in blocks(document) for line in block.splitlines()]
    typed = [shlex.split(line, comments=True) for line in lines]
    return [words for words in typed if words and words[0] in beginnings]


def run(words: list[str], folder: Path) -> str:
    """Runs a command as its document prints it, checks that it succeeds, and gives what it says."""
    if words[0] == "cosembed":
        words = ["python", "-m", *words]
    name = words[3] if words[2] == "cosembed" else words[2]
    done = subprocess.run(
        [sys.executable, *words[1:], *([] if "--help" in words else SMALL.get(name, []))],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment(),
    )
    assert done.returncode == 0, (words, done.stderr[-2000:])
    return done.stdout


def environment() -> dict[str, str]:
    """That of this process, in which any folder finds the checkout."""
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": paths}


@pytest.fixture
def desk(tmp_path) -> Path:
    """A folder as the documents take it to be.

    It holds a trained network, one of the authors, frames and their truth, a stack, a result, and data sets.
    """
    images, labels, tracks = moving_squares()
    untrained_run(tmp_path / "runs" / "demo" / "test_02", small_spec())
    write_checkpoint(tmp_path / "model-40000", seeded_variables(11, levels=3, filters=4, outputs=8))
    for dataset in ("DIC-C2DH-HeLa", "mydata"):
        write_ctc(tmp_path / "data" / dataset, images, labels, tracks)
    write_ctc(tmp_path, images, labels, tracks)
    (tmp_path / "01").rename(tmp_path / "my_frames")
    (tmp_path / "01").symlink_to("my_frames")
    stack = np.stack([images, images[::-1]], axis=1)
    tifffile.imwrite(tmp_path / "stack.tif", stack, imagej=True, metadata={"axes": "TCYX"})
    return tmp_path


def type_all(document: str, desk: Path) -> None:
    """Runs every command of a document, in order."""
    typed = commands(document, "cosembed", "python")
    assert typed
    for words in typed:
        run(words, desk)


def test_commands_of_the_readme_run(desk):
    type_all("README.md", desk)
    assert (desk / "my_frames_RES" / "report.html").exists()
    assert (desk / "runs" / "mydata" / "report.html").exists()


def test_commands_of_getting_started_run(desk):
    type_all("docs/getting-started.md", desk)
    assert len(open_frames(desk / "data" / "more" / "01")) == 20


def test_commands_for_tracking_run(desk):
    type_all("docs/howto/track.md", desk)
    assert (desk / "01_RES" / "report.html").exists() and (desk / "stack_RES" / "mask005.tif").exists()


def test_commands_for_training_run(desk):
    (desk / "data" / "mydata").rename(desk / "data" / "another")
    type_all("docs/howto/train.md", desk)
    assert (desk / "mydata_RES" / "res_track.txt").exists()


# Runs a program up to the point where its flags are parsed.
PARSE = """
import runpy, sys
from absl import flags
from cosembed.commands import command_line
command_line.run = lambda *_, **__: flags.FLAGS(sys.argv[1:])
runpy.run_module(sys.argv[1], run_name="__main__")
"""


def test_commands_for_viewing_run(desk):
    run(["cosembed", "track", "--network=runs/demo/test_02", "--input=01", "--output=my_frames_RES"], desk)
    type_all("docs/howto/view-results.md", desk)
    assert len(list((desk / "pictures").glob("*.png"))) == 6


@pytest.mark.parametrize("document", ["docs/howto/reproduce.md", "docs/howto/add-a-loss.md"])
def test_commands_of_experiments_run(document, desk):
    type_all(document, desk)


def test_commands_of_the_reference_run(desk):
    type_all("docs/reference/commands.md", desk)
    assert len(open_frames(desk / "data" / "simulated" / "01")) == 40


@pytest.mark.parametrize(
    ("document", "saved"),
    [("README.md", "my_frames_saved"), ("docs/howto/track.md", "my_frames_from_python")],
)
def test_python_of_the_documents_runs(document, saved, desk):
    (program,) = blocks(document, "python")
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=desk,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment(),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert (desk / saved / "res_track.txt").exists()


def flags_of_help(text: str) -> set[str]:
    """The flags that a help text explains."""
    return set(re.findall(r"^ *--(?:\[no\])?(\w+)", text, re.MULTILINE))


def flags_of_section(heading: str) -> set[str]:
    """The flags in the first column of a section's table in the reference."""
    page = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    (section,) = re.findall(rf"^## {heading}$(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    cells = re.findall(r"^\| ([^|]*--[^|]*) \|", section, re.MULTILINE)
    return {flag for cell in cells for flag in re.findall(r"--(\w+)", cell)}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_reference_has_every_flag_of_a_command_and_no_other(command, tmp_path):
    explained = flags_of_help(run(["cosembed", command, "--help"], tmp_path)) - {"help"}
    listed = flags_of_section(f"cosembed {command}")
    if command == "train":
        listed |= flags_of_section("Experiments")
    assert listed | {"checkpoint"} >= explained and listed <= explained


def test_the_reference_has_every_flag_of_the_experiments_and_no_other(tmp_path):
    explained = flags_of_help(run(["python", "-m", EXPERIMENTS, "--help"], tmp_path)) - {"help"}
    assert flags_of_section("Experiments") == explained


def test_the_reference_has_every_command(tmp_path):
    listed = run(["cosembed"], tmp_path)
    for command in COMMANDS:
        assert re.search(rf"^ *(?:cosembed )?{command}\b", listed, re.MULTILINE), command


# Runs a program up to the point where its flags are parsed.
PARSE = """
import runpy, sys
from absl import flags
from cosembed.commands import command_line
command_line.run = lambda *_, **__: flags.FLAGS(sys.argv[1:])
runpy.run_module(sys.argv[1], run_name="__main__")
"""


@pytest.mark.parametrize("document", WITH_MAKE)
def test_make_commands_start_programs_with_flags_that_exist(document):
    """The programs themselves run in the tests of the experiments."""
    started = set()
    for words in commands(document, "make"):
        done = subprocess.run([*words, "-n"], cwd=ROOT, capture_output=True, text=True, check=True)
        for line in done.stdout.replace("\\\n", " ").splitlines():
            if " -m experiments." in line or " -m benchmarks." in line:
                started.add(tuple(shlex.split(line)[2:]))
    for program in started:
        parsed = subprocess.run(
            [sys.executable, "-c", PARSE, *program], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert parsed.returncode == 0, (program, parsed.stderr)

"""The commands of the documents work as printed.

Lines that begin with `cosembed` or `python` run, at the smallest size. Of those that begin with `make`, the
flags of the programs that it would start are parsed. Lines of blocks with a language, such as `text`, are not
for typing.
"""

import os
import re
import shlex
import shutil
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
TYPED = (
    "docs/getting-started.md",
    "docs/howto/track.md",
    "docs/howto/exchange.md",
    "docs/howto/networks.md",
    "docs/howto/train.md",
    "docs/howto/view-results.md",
    "docs/howto/reproduce.md",
)
# The commands of these run elsewhere, or take too long. Their flags are compared with those that exist.
READ = (
    "README.md",
    "docs/howto/add-a-loss.md",
    "docs/howto/cluster.md",
    "docs/howto/gpu.md",
    "docs/performance.md",
    "docs/results.md",
)
READ += ("CONTRIBUTING.md", "docs/notes/performance.md", "docs/notes/results.md")
SMALL = {
    "experiments.own": ["--profile=smoke"],
    "experiments.ctc_dic_hela": ["--profile=smoke", "--fold=0", "--set=dataset.loss_border=0"],
    "train": ["--profile=smoke"],
    "demo": ["--frames=3"],
}
COMMANDS = ("demo", "track", "merge", "networks", "train", "evaluate", "validate", "report", "simulate")
COMMANDS += ("suggest-spec", "import-network", "convert")


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
    name = next(word for word in [*words[2:], ""] if word != "cosembed")
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


def test_commands_of_the_readme_are_those_of_pages_on_which_they_run():
    typed = [words for document in TYPED for words in commands(document, "cosembed", "python")]
    ours = commands("README.md", "cosembed", "python")
    assert ours and all(words in typed for words in ours)


def test_commands_of_getting_started_run(desk):
    type_all("docs/getting-started.md", desk)
    assert len(open_frames(desk / "data" / "more" / "01")) == 20


@pytest.mark.slow
def test_commands_for_tracking_run(desk):
    type_all("docs/howto/track.md", desk)
    assert {path.name for path in (desk / "plate_RES").iterdir()} == {"my_frames", "01"}
    assert (desk / "01_RES" / "report.html").exists() and (desk / "stack_RES" / "mask005.tif").exists()


def test_commands_for_exchange_run(desk):
    type_all("docs/howto/exchange.md", desk)
    assert (desk / "my_frames_RES" / "tracks.geff" / "nodes").is_dir()
    for name in ("res_track.txt", "mask000.tif"):
        assert (desk / "my_frames_back" / name).read_bytes() == (desk / "my_frames_RES" / name).read_bytes()


@pytest.mark.slow
def test_commands_for_networks_run(desk):
    type_all("docs/howto/networks.md", desk)
    assert (desk / "my_frames_mine" / "report.html").exists()


@pytest.mark.slow
def test_commands_for_training_run(desk):
    (desk / "data" / "mydata").rename(desk / "data" / "another")
    type_all("docs/howto/train.md", desk)
    assert (desk / "mydata_RES" / "res_track.txt").exists()


# Runs a program up to the point where its flags are parsed.
PARSE = """
import runpy, sys
from absl import flags
from cosembed.commands import command_line
command_line.run = lambda *_, flag_values=flags.FLAGS, **__: flag_values(sys.argv[1:])
runpy.run_module(sys.argv[1], run_name="__main__")
"""


def test_commands_for_viewing_run(desk):
    result = desk / "my_frames_RES"
    shutil.copytree(desk / "01_GT" / "TRA", result)
    (result / "man_track.txt").rename(result / "res_track.txt")
    for path in result.glob("man_track*.tif"):
        path.rename(path.with_name(path.name.replace("man_track", "mask")))
    type_all("docs/howto/view-results.md", desk)
    assert len(list((desk / "pictures").glob("*.png"))) == 6


def test_commands_of_experiments_run(desk):
    type_all("docs/howto/reproduce.md", desk)
    assert (desk / "runs" / "ctc_dic_hela" / "report.html").exists()


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
    assert listed == explained


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_of_the_reference_use_flags_of_their_command(command):
    examples = [words for words in commands("docs/reference/commands.md", "cosembed") if words[1] == command]
    listed = flags_of_section(f"cosembed {command}")
    if command == "train":
        listed |= flags_of_section("Experiments")
    assert examples
    for words in examples:
        given = [word for word in words[2:] if word.startswith("--")]
        assert {word.removeprefix("--").partition("=")[0] for word in given} <= listed


def test_the_reference_has_every_flag_of_the_experiments_and_no_other(tmp_path):
    explained = flags_of_help(run(["python", "-m", "experiments.ctc_dic_hela", "--help"], tmp_path)) - {
        "help"
    }
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
command_line.run = lambda *_, flag_values=flags.FLAGS, **__: flag_values(sys.argv[1:])
runpy.run_module(sys.argv[1], run_name="__main__")
"""


@pytest.mark.slow
def test_what_is_not_run_starts_programs_with_flags_that_exist():
    """Each of them once; the programs themselves run in the tests of the experiments and the benchmarks."""
    started = set()
    for document in (*TYPED, *READ):
        for words in commands(document, "make"):
            done = subprocess.run([*words, "-n"], cwd=ROOT, capture_output=True, text=True, check=True)
            lines = done.stdout.replace("\\\n", " ").splitlines()
            programs = [line for line in lines if re.search(r" -m (experiments|benchmarks)\.", line)]
            started |= {tuple(shlex.split(line)[2:]) for line in programs}
        if document in READ and "notes" not in document:
            started |= {tuple(words[2:]) for words in commands(document, "python")}
    assert len(started) > 5
    for program in started:
        parsed = subprocess.run(
            [sys.executable, "-c", PARSE, *program], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert parsed.returncode == 0, (program, parsed.stderr)

"""The commands of README and how-to: `python` ones run, at the smallest size; of `make`, the programs that it would start."""

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

DOCUMENTS = ("README.md", "docs/howto.md")
SMALL = {
    "experiments.own": ["--profile=smoke"],
    "experiments.ctc_dic_hela": ["--profile=smoke", "--fold=0", "--set=dataset.loss_border=0"],
}


def commands(document: str, beginning: str) -> list[list[str]]:
    """Words of the lines of fenced blocks that begin so, comments dropped, in their order."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", (ROOT / document).read_text(), re.DOTALL | re.MULTILINE)
    lines = [
        line
        for language, block in blocks
        if not language
        for line in block.splitlines()
        if line.startswith(beginning)
    ]
    return [shlex.split(line, comments=True) for line in lines]


def run(words: list[str], folder: Path) -> str:
    """Output of a `python -m ...` command in a folder, after checking that it succeeds."""
    words = [sys.executable, *words[1:], *SMALL.get(words[2], [])]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        words,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.returncode == 0, (words, done.stderr[-2000:])
    return done.stdout


@pytest.fixture
def desk(tmp_path) -> Path:
    """A folder as the documents take it to be: a trained network, one of the authors, frames, a stack, a result, data sets."""
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


def test_python_commands_of_the_readme_run(desk):
    for words in commands("README.md", "python"):
        run(words, desk)
    assert (desk / "runs" / "mydata" / "report.html").exists()
    assert len(open_frames(desk / "data" / "simulated" / "01")) == 40
    assert (desk / "my_frames_RES" / "report.html").exists()


def test_python_commands_of_the_howto_run(desk):
    (desk / "data" / "mydata").rename(desk / "data" / "another")
    for words in commands("docs/howto.md", "python"):
        run(words, desk)
    assert (desk / "mydata_RES" / "res_track.txt").exists()


# Runs a program up to the point where its flags are parsed.
PARSE = """
import runpy, sys
from absl import flags
from cosembed.commands import command_line
command_line.run = lambda *_, **__: flags.FLAGS(sys.argv[1:])
runpy.run_module(sys.argv[1], run_name="__main__")
"""


@pytest.mark.parametrize(
    "document", [*DOCUMENTS, "docs/performance.md", "docs/results.md", "CONTRIBUTING.md"]
)
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

"""The notebook runs from top to bottom, as plain Python, and is stored without outputs."""

import ast
import json
import os
import subprocess
import sys

import pytest

from tests.helpers.builders import ROOT

NOTEBOOK = ROOT / "examples" / "track.ipynb"


@pytest.fixture
def cells() -> list[dict]:
    return json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]


def source(cell: dict) -> str:
    return "".join(cell["source"])


def test_the_notebook_is_stored_without_outputs(cells):
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None


def shown(code: str) -> str:
    """A cell that prints the value of its last line, as a notebook shows it."""
    lines = ast.parse(code)
    if lines.body and isinstance(lines.body[-1], ast.Expr):
        printed = ast.Call(ast.Name("print", ast.Load()), [lines.body[-1].value], [])
        lines.body[-1] = ast.Expr(printed)
    return ast.unparse(ast.fix_missing_locations(lines))


@pytest.mark.slow
def test_the_notebook_runs_where_nothing_was_trained_before(cells, tmp_path):
    """In a folder of its own, where it makes the network that has learnt nothing."""
    program = "\n".join(shown(source(cell)) for cell in cells if cell["cell_type"] == "code")
    folder = tmp_path / "examples"
    folder.mkdir()
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": paths, "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=environment,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "(12, 96, 96)" in done.stdout and "its labels mean nothing" in done.stdout
    assert (folder / "notebook_RES" / "res_track.txt").exists()

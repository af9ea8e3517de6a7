"""All tables in one document, with small stand-ins for experiments that run, fail or have no results."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.helpers.builders import ROOT, run_command
from tests.helpers.studies import CELLS_METRICS, HEART_METRICS, LEAVES_METRICS

PROGRAM = """
from cosembed.commands import command_line
from experiments import reproduce
reproduce.MODULES.update(lv="stand_in_lv", cvppp="stand_in_cvppp", ctc="stand_in_ctc")
reproduce.define_flags(reproduce.FLAGS)
command_line.run(reproduce.main)
"""
# A stand-in notes its arguments, then does what the test wrote into its file.
STAND_IN = """
import os, pathlib, signal, sys
out = pathlib.Path(next(text.split("=", 1)[1] for text in sys.argv if text.startswith("--out_dir=")))
out.mkdir(parents=True, exist_ok=True)
with (out / "log").open("a") as log:
    print(*map(os.path.basename, sys.argv[:1]), *sys.argv[1:], file=log)
"""
GOWT1_METRICS = {
    **CELLS_METRICS,
    "data": "Fluo-N2DH-GOWT1",
    "recipe": "released",
    "profile": "smoke",
    "command": "python -m experiments.ctc_fluo_gowt1 --profile=smoke",
    "deviations": [["network.image_size", 256, 32]],
    "SEG": 0.125,
    "DET": 0.25,
    "TRA": 0.375,
    "OP": 0.25,
}


def write(out, folder, content):
    (out / folder).mkdir(parents=True)
    (out / folder / "metrics.json").write_text(json.dumps(content))


@pytest.fixture
def out(tmp_path):
    """Results of all three."""
    write(tmp_path / "runs", "lv", HEART_METRICS)
    write(tmp_path / "runs", "cvppp", LEAVES_METRICS)
    write(tmp_path / "runs", "ctc_fluo_gowt1", GOWT1_METRICS)
    return tmp_path / "runs"


def run(out, *arguments, **actions):
    """The program with stand-ins; `actions` are Python lines for some of them."""
    folder = out.parent / "modules"
    folder.mkdir(exist_ok=True)
    for name in ("lv", "cvppp", "ctc"):
        (folder / f"stand_in_{name}.py").write_text(STAND_IN + actions.get(name, ""))
    path = os.pathsep.join([str(ROOT), str(folder)])
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, f"--out_dir={out}", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
    )


def ran(out):
    """Name -> arguments, in the order of running."""
    lines = [line.split() for line in (out / "log").read_text().splitlines()]
    return {name.removesuffix(".py"): arguments for name, *arguments in lines}


def page(out):
    return (out / "reproduction.md").read_text()


def section(text, title):
    """The part of the Markdown document below a heading."""
    return text.split(f"## {title}")[1].split("\n## ")[0]


def test_all_three_tables_ours_beside_the_papers(out):
    done = run(out, "--tables_only")
    assert done.returncode == 0, done.stderr
    assert not (out / "log").exists()
    text, html = page(out), re.sub("</?span>", "", (out / "reproduction.html").read_text())
    # Per table: our numbers, the paper's, and what made ours.
    expected = {
        "Table 1a": ["60.0 ± 10.0", "79.4 ± 8.5", "python -m experiments.lv --profile=cpu", "network.levels"],
        "Table 1b": [
            "80.0 ± 10.0",
            "84.5 ± 5.5",
            "2.3 ?",
            "python -m experiments.simulated_leaves",
            "network.filters",
        ],
        "Table 2": ["0.125", "not known (&lt; 0.893)", GOWT1_METRICS["command"], "network.image_size"],
    }
    for title, cells in expected.items():
        for cell in cells:
            assert cell.replace("&lt;", "<") in section(text, title)
            assert cell in html
    head = text.split("\n## ")[0]
    for words in (
        "Profile cpu: smaller than the paper's",
        "Profile smoke: smaller than the paper's",
        "Table 1a: left ventricle: recipe paper, profile cpu",
        "Table 1b: leaves: recipe paper, profile cpu",
        "Table 2: Cell Tracking Challenge: recipe released, profile smoke",
        "python -m experiments.reproduce",
    ):
        assert words in head
    assert html.count("<table>") == 5 and html.count('class="warning"') == 2
    assert "No results yet" not in text + html


def test_the_papers_profile_is_no_cause_for_a_warning(tmp_path):
    write(tmp_path / "runs", "cvppp", {**LEAVES_METRICS, "profile": "paper", "deviations": []})
    assert run(tmp_path / "runs", "--tables_only").returncode == 0
    html = (tmp_path / "runs" / "reproduction.html").read_text()
    assert "recipe paper, profile paper" in html
    assert "not a reproduction" not in html and "Where these runs differ" not in html


def test_missing_tables_say_what_makes_them(out):
    (out / "lv" / "metrics.json").unlink()
    done = run(out, "--tables_only", "--profile=cpu")
    assert done.returncode == 0, done.stderr
    missing = section(page(out), "Table 1a")
    assert (
        f"No results yet; they are made by `python -m stand_in_lv --out_dir={out} --profile=cpu`." in missing
    )
    assert "|" not in missing
    assert "Table 1a: left ventricle: no results" in page(out)
    assert "84.5 ± 5.5" in section(page(out), "Table 1b")
    assert "stand_in_lv" in (out / "reproduction.html").read_text()


def test_every_part_runs_with_the_flags_given_and_its_own(tmp_path):
    out = tmp_path / "runs"
    content = json.dumps(LEAVES_METRICS)
    action = f"(out / 'cvppp').mkdir()\n(out / 'cvppp' / 'metrics.json').write_text({content!r})\n"
    flags = [
        "--data_dir=my data",
        "--profile=cpu",
        "--recipe=paper",
        "--set=a.b=1",
        "--set=c=2",
        "--norequire_gpu",
    ]
    done = run(out, *flags, "--datasets=A,B", "--base_url=u", cvppp=action)
    assert done.returncode == 0, done.stderr
    started = ran(out)
    assert list(started) == ["stand_in_lv", "stand_in_cvppp", "stand_in_ctc"]
    shared = {
        "--data_dir=my",
        "data",
        f"--out_dir={out}",
        "--profile=cpu",
        "--recipe=paper",
        "--set=a.b=1",
        "--set=c=2",
    }
    shared.add("--norequire_gpu")
    assert set(started["stand_in_lv"]) == set(started["stand_in_cvppp"]) == shared
    assert set(started["stand_in_ctc"]) == shared | {"--datasets=A,B", "--base_url=u"}
    # What an experiment has just written is in the document.
    assert "80.0 ± 10.0" in section(page(out), "Table 1b")


def test_the_authors_networks_go_to_the_cells_only_and_imply_profile_and_recipe(tmp_path):
    assert run(tmp_path / "runs", "--checkpoints=nets", "--profile=cpu", "--recipe=paper").returncode == 0
    started = ran(tmp_path / "runs")
    assert set(started["stand_in_ctc"]) == {f"--out_dir={tmp_path / 'runs'}", "--checkpoints=nets"}
    assert "--checkpoints=nets" not in started["stand_in_lv"] and "--profile=cpu" in started["stand_in_lv"]


def test_only_what_is_chosen_runs(out):
    assert run(out, "--only=ctc,lv").returncode == 0
    assert list(ran(out)) == ["stand_in_ctc", "stand_in_lv"]
    # The table of the third is of the results that are there.
    assert "80.0 ± 10.0" in section(page(out), "Table 1b")
    done = run(out, "--only=lv,leaves")
    assert done.returncode == 2
    assert "unknown experiment 'leaves'" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("action", "status"),
    [("sys.exit(2)", 2), ("sys.exit(1)", 1), ("os.kill(os.getpid(), signal.SIGKILL)", 137)],
)
def test_a_failure_is_named_and_the_others_go_on(action, status, out):
    done = run(out, lv=action)
    assert done.returncode == status
    assert "error: failed: lv; see" in done.stderr
    assert list(ran(out)) == ["stand_in_lv", "stand_in_cvppp", "stand_in_ctc"]
    assert "The latest run failed" in section(page(out), "Table 1a")
    assert "The latest run failed" not in section(page(out), "Table 1b")


def test_with_a_scheduler_all_run_at_once_on_one_cluster(out):
    wait = """
import time
end = time.monotonic() + 60
while len((out / "log").read_text().splitlines()) < 3:
    assert time.monotonic() < end, "the others have not begun"
    time.sleep(0.05)
"""
    done = run(out, "--scheduler=local:1", lv=wait, cvppp=wait + "sys.exit(2)", ctc=wait)
    assert done.returncode == 2, done.stderr
    assert "error: failed: cvppp; see" in done.stderr
    (address,) = {
        argument
        for arguments in ran(out).values()
        for argument in arguments
        if argument.startswith("--scheduler")
    }
    assert address.startswith("--scheduler=tcp://127.0.0.1:")


def test_a_scheduler_that_is_none_and_seeds_are_refused(out):
    for arguments, words in (
        ("--scheduler=here", "--scheduler=here: write local:N"),
        ("--seeds=1,2", "--seeds: the paper's tables are of one seed"),
    ):
        done = run(out, arguments)
        assert done.returncode == 2 and words in done.stderr and "Traceback" not in done.stderr
        assert not (out / "log").exists()


def test_the_highest_status_and_every_failure_count(out):
    done = run(out, cvppp="sys.exit(2)", ctc="sys.exit(1)")
    assert done.returncode == 2
    assert "error: failed: cvppp, ctc; see" in done.stderr


def test_damaged_metrics_do_not_keep_the_other_tables_back(out):
    (out / "cvppp" / "metrics.json").write_text("{}")
    done = run(out, "--tables_only")
    assert done.returncode == 2
    assert "failed: cvppp" in done.stderr and "Traceback" not in done.stderr
    assert f"error: {out / 'cvppp' / 'metrics.json'}: is not the metrics" in done.stderr
    assert "is not the metrics" in section(page(out), "Table 1b")
    assert "60.0 ± 10.0" in section(page(out), "Table 1a")


def test_the_real_experiments_are_started(tmp_path):
    done = run_command(
        "experiments.reproduce", f"--data_dir={tmp_path}", f"--out_dir={tmp_path / 'runs'}", "--only=lv,cvppp"
    )
    assert done.returncode == 2
    assert "holds neither LVSC nor ACDC-cine" in done.stderr and "CVPPP-A1: is missing" in done.stderr
    assert "failed: lv, cvppp" in done.stderr
    assert "python -m experiments.lv" in page(tmp_path / "runs")

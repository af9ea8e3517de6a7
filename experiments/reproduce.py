"""The paper's three tables, ours beside the paper's: left ventricle, leaves, cell tracking.

    python -m experiments.reproduce --data_dir=data --out_dir=runs --profile=paper
    python -m experiments.reproduce --out_dir=runs --mode=tables

Each experiment runs by itself; if one fails, the others go on and the failure is named at the end. Started again, it
continues where it stopped. Writes <out_dir>/reproduction.md and reproduction.html; with --mode=tables, from what is there.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from absl import flags

from cosembed import cli
from cosembed.errors import InputError
from cosembed.files import atomic_write_text
from cosembed.reporting import table1a, table1b, tables
from cosembed.reporting.report import Report, Section, write_report
from experiments import runner
from experiments.reproduce_ctc import EXPERIMENTS

# What is run, and in whose folder its metrics lie.
RUNS = {"lv": "experiments.lv", "cvppp": "experiments.cvppp", "ctc": "experiments.reproduce_ctc"}
PASSED_ON = ("data_dir", "out_dir", "profile", "recipe", "require_gpu", "deterministic")
CTC_ONLY = ("protocol", "base_url")
FLAGS = runner.FLAGS

flags.DEFINE_list("only", ["all"], f"Which experiments ({', '.join(RUNS)}), separated by commas.")


class Table(NamedTuple):
    """One table of the paper: rows with the header first, notes, and (name, command, deviations) of what made it."""

    title: str
    rows: list[list[str]]
    notes: list[str]
    made: list[tuple[str, str, Sequence[Sequence[Any]]]]


def main() -> None:
    """Runs the experiments one after the other, then writes the tables of whatever has scores."""
    if FLAGS.mode not in ("all", "tables"):
        raise InputError(f"--mode={FLAGS.mode}: choose all, or tables")
    chosen = list(RUNS) if FLAGS.only == ["all"] else FLAGS.only
    for name in chosen:
        if name not in RUNS:
            raise InputError(f"--only: unknown experiment '{name}'; known: {', '.join(RUNS)}")
    statuses = {} if FLAGS.mode == "tables" else {name: _run(name) for name in chosen}
    write_tables(Path(FLAGS.out_dir))
    failed = [name for name, status in statuses.items() if status]
    if failed:
        print(f"error: failed: {', '.join(failed)}; see the messages above, then run the same command again", file=sys.stderr)
        sys.exit(max(statuses.values()))


def write_tables(out_dir: Path) -> None:
    """Writes reproduction.md and reproduction.html from the metrics below `out_dir`.

    Raises:
        DataError: A metrics file is damaged.
    """
    found = list(read_tables(out_dir))
    pages = [tables.as_markdown(f"## {table.title}", table.rows, table.notes, table.made) for table in found]
    missing = _missing(found)
    atomic_write_text(out_dir / "reproduction.md", "\n".join(["# The paper's tables, ours beside them\n", *pages, *missing]))
    sections = []
    for table in found:
        made = [["made by", "command"], *([name, command] for name, command, _ in table.made)]
        sections += [Section(table.title, " ".join(table.notes), table.rows), Section(f"{table.title}: commands", "", made)]
    write_report(out_dir / "reproduction.html", Report("The paper's tables, ours beside them", [], sections, missing))
    print(
        f"{out_dir / 'reproduction.md'}: {len(found)} of {len(RUNS)} tables; {out_dir / 'reproduction.html'} is the same page"
    )


def read_tables(out_dir: Path) -> Iterator[Table]:
    """The tables whose experiments have scores."""
    if (file := out_dir / "lv" / "metrics.json").exists():
        hearts = table1a.read_scores(file)
        made = [(name, hearts.command, variant.deviations) for name, variant in hearts.variants.items()]
        yield Table("Table 1a: left ventricle", table1a.rows(hearts), table1a.header_lines(hearts), made)
    if (file := out_dir / "cvppp" / "metrics.json").exists():
        leaves = table1b.read_scores(file)
        made = [("ours", leaves.command, leaves.deviations)]
        yield Table("Table 1b: leaves", table1b.rows(leaves), table1b.header_lines(leaves), made)
    cells = tables.read_scores(out_dir / name / "metrics.json" for name in EXPERIMENTS.values())
    if cells:
        made = [(entry.dataset, entry.command, entry.deviations) for entry in cells]
        yield Table("Table 2: Cell Tracking Challenge", tables.table2_rows(cells), tables.header_lines(cells), made)


def _missing(found: list[Table]) -> list[str]:
    commands = {"Table 1a": "make reproduce-lv", "Table 1b": "make reproduce-cvppp", "Table 2": "make reproduce-ctc"}
    there = {table.title.split(":")[0] for table in found}
    return [f"{name} has no scores yet: {command}." for name, command in commands.items() if name not in there]


def _run(name: str) -> int:
    print(f"== {name}", flush=True)
    passed = (*PASSED_ON, *(CTC_ONLY if name == "ctc" else ()))
    options = [f"--{flag}={getattr(FLAGS, flag)}" for flag in passed if FLAGS[flag].present]
    options += [f"--set={text}" for text in FLAGS.set]
    return subprocess.run([sys.executable, "-m", RUNS[name], *options], check=False).returncode


if __name__ == "__main__":
    cli.run(main)

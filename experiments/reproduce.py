"""The whole paper: left ventricle (Table 1a), leaves (Table 1b), Cell Tracking Challenge (Table 2), beside its numbers.

    python -m experiments.reproduce --data_dir=data --out_dir=runs --profile=paper
    python -m experiments.reproduce --out_dir=runs --tables_only

Runs experiments.lv, experiments.cvppp and experiments.reproduce_ctc one after the other with the same flags; if one fails,
the others go on and the failure is named at the end. Started again, each continues where it stopped. The tables, of whatever
has results in OUT_DIR, are written to <out_dir>/reproduction.md and reproduction.html. --protocol, --base_url, --datasets and
--checkpoints go to the cell data sets only; with --checkpoints, --profile and --recipe go to the others only.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import DataError, InputError
from cosembed.files.writing import atomic_write_text
from cosembed.reporting.report import write_report
from cosembed.study.experiment_processes import exit_if_failed, given_arguments, run_one_after_another
from cosembed.study.flags import CELLS_ONLY
from cosembed.study.tables import cells as tables
from cosembed.study.tables import heart as table1a
from cosembed.study.tables import leaves as table1b
from cosembed.study.tables import reproduction
from cosembed.study.tables.reproduction import Table
from experiments import reproduce_ctc

MODULES = {"lv": "experiments.lv", "cvppp": "experiments.cvppp", "ctc": "experiments.reproduce_ctc"}
TITLES = {
    "lv": "Table 1a: left ventricle",
    "cvppp": "Table 1b: leaves",
    "ctc": "Table 2: Cell Tracking Challenge",
}
FLAGS = flags.FLAGS


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of `experiments.reproduce_ctc`, --only and --tables_only."""
    reproduce_ctc.define_flags(flag_values)
    flags.DEFINE_list(
        "only",
        list(MODULES),
        f"What to run, separated by commas: {', '.join(MODULES)}.",
        flag_values=flag_values,
    )
    flags.DEFINE_bool(
        "tables_only", False, "Run nothing; write the tables of what is in OUT_DIR.", flag_values=flag_values
    )


def main() -> None:
    """Runs what is chosen, then writes all tables."""
    for part in FLAGS.only:
        if part not in MODULES:
            raise InputError(f"--only: unknown part '{part}'; known: {', '.join(MODULES)}")
    commands = {part: [module, *_flags(part)] for part, module in MODULES.items()}
    chosen = [] if FLAGS.tables_only else FLAGS.only
    statuses = run_one_after_another({part: commands[part] for part in chosen})
    out_dir = Path(FLAGS.out_dir)
    content = []
    for part, read in READERS.items():
        try:
            content.append(_noted(part, read(out_dir), statuses, commands))
        except DataError as error:
            print(f"error: {error}", file=sys.stderr)
            statuses[part] = max(statuses.get(part, 0), 2)
            content.append(Table(TITLES[part], [f"{error}."]))
    command = shlex.join(["python", "-m", "experiments.reproduce", *sys.argv[1:]])
    atomic_write_text(out_dir / "reproduction.md", reproduction.markdown(content, command))
    write_report(out_dir / "reproduction.html", reproduction.report(content, command))
    print(f"{out_dir / 'reproduction.md'} and reproduction.html: written")
    exit_if_failed(statuses)


def _flags(part: str) -> list[str]:
    """The flags of one part: all that the user gave and that it knows."""
    if part != "ctc":
        return given_arguments(FLAGS, (name for name in reproduce_ctc.PASSED_ON if name not in CELLS_ONLY))
    # The authors' networks determine both.
    implied = ("profile", "recipe") if FLAGS.checkpoints else ()
    return given_arguments(
        FLAGS, (name for name in (*reproduce_ctc.PASSED_ON, "datasets") if name not in implied)
    )


def _noted(
    part: str, table: Table | None, statuses: Mapping[str, int], commands: Mapping[str, list[str]]
) -> Table:
    if table is None:
        return Table(
            TITLES[part],
            [f"No results yet; they are made by `{shlex.join(['python', '-m', *commands[part]])}`."],
        )
    if statuses.get(part):
        return table.noted("The latest run failed: what follows is of an earlier run, or incomplete.")
    return table


def _ventricle(out_dir: Path) -> Table | None:
    file = out_dir / "lv" / "metrics.json"
    return reproduction.ventricle(TITLES["lv"], table1a.read_scores(file)) if file.exists() else None


def _leaves(out_dir: Path) -> Table | None:
    file = out_dir / "cvppp" / "metrics.json"
    return reproduction.leaves(TITLES["cvppp"], table1b.read_scores(file)) if file.exists() else None


def _cells(out_dir: Path) -> Table | None:
    scores = tables.read_scores(
        out_dir / name / "metrics.json" for name in reproduce_ctc.EXPERIMENTS.values()
    )
    return reproduction.cells(TITLES["ctc"], scores) if scores else None


READERS: dict[str, Callable[[Path], Table | None]] = {"lv": _ventricle, "cvppp": _leaves, "ctc": _cells}

if __name__ == "__main__":
    define_flags(FLAGS)
    command_line.run(main)

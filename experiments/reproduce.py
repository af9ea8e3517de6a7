"""The whole paper beside its numbers: left ventricle (Table 1a), leaves (Table 1b), cells (Table 2).

    python -m experiments.reproduce --data_dir=data --out_dir=runs --profile=paper
    python -m experiments.reproduce --out_dir=runs --tables_only

Runs experiments.lv, experiments.cvppp and experiments.reproduce_ctc with the same flags, one after the other
or, with --scheduler, all at once as tasks of a Dask cluster; if one fails, the others go on and the failure
is named at the end. Started again, each continues where it stopped. The tables, of whatever has results in
OUT_DIR, are written to <out_dir>/reproduction.md and reproduction.html. --protocol, --base_url, --datasets
and --checkpoints go to the cell data sets only; with
--checkpoints, --profile and --recipe go to the others only.
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
from cosembed.study import flags as study_flags
from cosembed.study.experiment_processes import exit_if_failed, given_arguments, run_commands
from cosembed.study.flags import CELLS_ONLY
from cosembed.study.scores import METRICS, HeartScores, LeavesScores, read_scores
from cosembed.study.tables import cells as table2
from cosembed.study.tables import reproduction
from cosembed.study.tables.reported import Reported, read_reported
from cosembed.study.tables.reproduction import Table
from experiments import REPORTED, reproduce_ctc

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
    study_flags.refuse_seeds(FLAGS)
    for name in FLAGS.only:
        if name not in MODULES:
            raise InputError(f"--only: unknown experiment '{name}'; known: {', '.join(MODULES)}")
    commands = {name: [module, *_arguments(name)] for name, module in MODULES.items()}
    chosen = [] if FLAGS.tables_only else FLAGS.only
    statuses = run_commands({name: commands[name] for name in chosen}, FLAGS.scheduler)
    out_dir = Path(FLAGS.out_dir)
    reported = read_reported(REPORTED)
    content = []
    for name, read in READERS.items():
        try:
            content.append(_noted(name, read(out_dir, reported), statuses, commands))
        except DataError as error:
            print(f"error: {error}", file=sys.stderr)
            statuses[name] = max(statuses.get(name, 0), 2)
            content.append(Table(TITLES[name], [f"{error}."]))
    command = shlex.join(["python", "-m", "experiments.reproduce", *sys.argv[1:]])
    atomic_write_text(out_dir / "reproduction.md", reproduction.markdown(content, command))
    write_report(out_dir / "reproduction.html", reproduction.report(content, command))
    print(f"{out_dir / 'reproduction.md'} and reproduction.html: written")
    exit_if_failed(statuses)


def _arguments(name: str) -> list[str]:
    """Gives the arguments of one command: all flags that the user gave and that it knows."""
    if name != "ctc":
        return given_arguments(FLAGS, (name for name in reproduce_ctc.PASSED_ON if name not in CELLS_ONLY))
    # The authors' networks determine both.
    implied = ("profile", "recipe") if FLAGS.checkpoints else ()
    return given_arguments(
        FLAGS, (name for name in (*reproduce_ctc.PASSED_ON, "datasets") if name not in implied)
    )


def _noted(
    name: str, table: Table | None, statuses: Mapping[str, int], commands: Mapping[str, list[str]]
) -> Table:
    if table is None:
        return Table(
            TITLES[name],
            [f"No results yet; they are made by `{shlex.join(['python', '-m', *commands[name]])}`."],
        )
    if statuses.get(name):
        return table.noted("The latest run failed: what follows is of an earlier run, or incomplete.")
    return table


def _heart(out_dir: Path, reported: Reported) -> Table | None:
    file = out_dir / "lv" / METRICS
    if not file.exists():
        return None
    return reproduction.heart_table(TITLES["lv"], read_scores(HeartScores, file), reported)


def _leaves(out_dir: Path, reported: Reported) -> Table | None:
    file = out_dir / "cvppp" / METRICS
    if not file.exists():
        return None
    return reproduction.leaves_table(TITLES["cvppp"], read_scores(LeavesScores, file), reported)


def _cells(out_dir: Path, reported: Reported) -> Table | None:
    scores = table2.read_existing(out_dir / name / METRICS for name in reproduce_ctc.EXPERIMENTS.values())
    return reproduction.cells_table(TITLES["ctc"], scores, reported) if scores else None


READERS: dict[str, Callable[[Path, Reported], Table | None]] = {
    "lv": _heart,
    "cvppp": _leaves,
    "ctc": _cells,
}

if __name__ == "__main__":
    define_flags(FLAGS)
    command_line.run(main)

"""All six Cell Tracking Challenge data sets, from their data to Table 2 beside the paper's numbers.

    python -m experiments.reproduce_ctc --data_dir=data --out_dir=runs --profile=paper
    python -m experiments.reproduce_ctc --data_dir=data --out_dir=runs --checkpoints=networks

Each data set runs as its own experiment, all at once with --scheduler (a Dask cluster); if one fails, the
others go on and the failure is named at the end. Started again, it continues where it stopped. With
--checkpoints, the authors' networks (networks/<dataset>/model-40000.index and its data file, or folders made
by cosembed import-network) take the place of training. The table is written to <out_dir>/table2.md and
table2.json.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.writing import atomic_write_text
from cosembed.study import flags as study_flags
from cosembed.study.experiment_processes import exit_if_failed, given_arguments, run_commands
from cosembed.study.scores import METRICS
from cosembed.study.tables import cells as table2
from cosembed.study.tables.reported import read_reported
from experiments import REPORTED

EXPERIMENTS = {
    "DIC-C2DH-HeLa": "ctc_dic_hela",
    "Fluo-C2DL-MSC": "ctc_fluo_msc",
    "Fluo-N2DH-GOWT1": "ctc_fluo_gowt1",
    "Fluo-N2DL-HeLa": "ctc_fluo_hela",
    "PhC-C2DH-U373": "ctc_phc_u373",
    "Fluo-N2DH-SIM+": "ctc_fluo_sim",
}
PASSED_ON = (
    "mode",
    "data_dir",
    "out_dir",
    "profile",
    "recipe",
    "protocol",
    "base_url",
    "require_gpu",
    "workers",
    "checkpoints",
    "augment",
    "deterministic",
    "set",
)
FLAGS = flags.FLAGS


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of every experiment, and --datasets."""
    study_flags.define_flags(flag_values)
    flags.DEFINE_list("datasets", ["all"], "Data sets by name, separated by commas.", flag_values=flag_values)


def main() -> None:
    """Runs the experiments, then makes the table of whatever has scores."""
    study_flags.refuse_seeds(FLAGS)
    chosen = list(EXPERIMENTS) if FLAGS.datasets == ["all"] else FLAGS.datasets
    for dataset in chosen:
        if dataset not in EXPERIMENTS:
            raise InputError(f"--datasets: unknown data set '{dataset}'; known: {', '.join(EXPERIMENTS)}")
    options = given_arguments(FLAGS, PASSED_ON)
    statuses = run_commands(
        {dataset: [f"experiments.{EXPERIMENTS[dataset]}", *options] for dataset in chosen}, FLAGS.scheduler
    )
    out_dir = Path(FLAGS.out_dir)
    scored = table2.read_existing(out_dir / EXPERIMENTS[dataset] / METRICS for dataset in chosen)
    if scored:
        reported = read_reported(REPORTED).cells
        atomic_write_text(out_dir / "table2.md", table2.markdown(scored, reported))
        atomic_write_text(out_dir / "table2.json", table2.as_json(scored, reported))
        print(table2.text(scored, reported))
    exit_if_failed(statuses)


if __name__ == "__main__":
    define_flags(FLAGS)
    command_line.run(main)

"""All six Cell Tracking Challenge data sets: prepare, train, track, score, and Table 2 beside the paper's numbers.

    python -m experiments.reproduce_ctc --data_dir=data --out_dir=runs --profile=paper
    python -m experiments.reproduce_ctc --data_dir=data --out_dir=runs --checkpoints=networks

Each data set runs as its own experiment; if one fails, the others go on and the failure is named at the end. Started
again, it continues where it stopped. With --checkpoints, the authors' networks (networks/<dataset>/model-40000.index and
its data file, or folders made by cosembed import-network) take the place of training. The table is written to
<out_dir>/table2.md and table2.json.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.writing import atomic_write_text
from cosembed.study import runner
from cosembed.study.in_turn import exit_if_failed, given_flags, run_in_turn
from cosembed.study.tables import cells as tables

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
    "checkpoints",
    "augment",
    "deterministic",
    "set",
)
FLAGS = runner.FLAGS

flags.DEFINE_list("datasets", ["all"], "Data sets by name, separated by commas.")


def main() -> None:
    """Runs the experiments one after the other, then the table of whatever has scores."""
    chosen = list(EXPERIMENTS) if FLAGS.datasets == ["all"] else FLAGS.datasets
    for dataset in chosen:
        if dataset not in EXPERIMENTS:
            raise InputError(f"--datasets: unknown data set '{dataset}'; known: {', '.join(EXPERIMENTS)}")
    options = given_flags(PASSED_ON)
    statuses = run_in_turn({dataset: [f"experiments.{EXPERIMENTS[dataset]}", *options] for dataset in chosen})
    out_dir = Path(FLAGS.out_dir)
    scored = tables.read_scores(out_dir / EXPERIMENTS[dataset] / "metrics.json" for dataset in chosen)
    if scored:
        atomic_write_text(out_dir / "table2.md", tables.table2_markdown(scored))
        atomic_write_text(out_dir / "table2.json", tables.table2_json(scored))
        print(tables.table2_text(scored))
    exit_if_failed(statuses)


if __name__ == "__main__":
    command_line.run(main)

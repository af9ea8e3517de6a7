"""Simulated rosettes: the leaf experiment on images made in seconds; the paper has no such experiment.

    python -m experiments.simulated_leaves --data_dir=runs/demo-data --out_dir=runs --fold=0 --profile=cpu

Expected: SBD at least 0.70 and an absolute difference in count of at most 2.0 on the unseen plants (profile cpu), above the
classical baseline.
Expected time: about 17 minutes on two cores.
"""

from pathlib import Path

from absl import logging

from cosembed.datasets.leaves import SUBSET
from cosembed.simulation.leaves import write_plants
from cosembed.specs import LeavesDatasetSpec
from cosembed.study.experiment import Experiment
from experiments import cvppp
from experiments.command import run

PLANTS, SIZE, SEED = 120, 128, 7


def prepare(dataset: LeavesDatasetSpec, data_dir: Path) -> None:
    """Simulates the plants where they are absent."""
    root = data_dir / dataset.name
    if not (root / SUBSET).exists():
        logging.info("%s: simulating %d plants of %d pixels, seed %d", root, PLANTS, SIZE, SEED)
        write_plants(root, PLANTS, SIZE, SEED)


EXPERIMENT = Experiment(
    "simulated_leaves",
    "simulated-leaves",
    prepare,
    cvppp.folds,
    cvppp.check,
    steps="cosembed.study.tasks.leaves",
)

if __name__ == "__main__":
    run(EXPERIMENT)

"""Simulated rosettes: the leaf experiment on images made in seconds; the paper has no such experiment.

    python -m experiments.simulated_leaves --data_dir=runs/demo-data --out_dir=runs --fold=0 --profile=cpu

Expected: SBD at least 0.70 and an absolute difference in count of at most 2.0 on the unseen plants (profile
cpu), above the classical baseline.
Expected time: about 17 minutes on two cores.
"""

from cosembed.study.experiment import Experiment
from cosembed.study.tasks.leaves import LeavesSimulation, LeavesTask
from experiments import REPORTED
from experiments.command import run

EXPERIMENT = Experiment(
    name="simulated_leaves",
    dataset="simulated-leaves",
    task=LeavesTask(LeavesSimulation(plants=120, size=128, seed=7)),
    reported=REPORTED,
)

if __name__ == "__main__":
    run(EXPERIMENT)

"""Simulated hearts: recurrent against non-recurrent network where every frame is labelled.

The paper has no such experiment; it asks the question of Table 1a with data that anyone can make.

    python -m experiments.simulated_hearts --data_dir=data --out_dir=runs --fold=0 --profile=cpu --seeds=1,2,3

Expected: which network is better is what the experiment asks; docs/results.md has what was measured.
Expected time: about 14 minutes on two cores (profile cpu, three seeds, one fold), installation included.
"""

from cosembed.study.experiment import Experiment
from cosembed.study.tasks.heart import HeartsSimulation, HeartTask
from experiments.command import run

EXPERIMENT = Experiment(
    name="simulated_hearts",
    dataset="simulated-hearts",
    task=HeartTask(HeartsSimulation(patients=40, frames=16, size=96, seed=11)),
)

if __name__ == "__main__":
    run(EXPERIMENT)

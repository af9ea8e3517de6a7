"""Simulated cells: the whole method on videos made in seconds; the paper has no such experiment.

    python -m experiments.simulated --data_dir=runs/demo-data --out_dir=runs --fold=0 --profile=cpu

Expected: SEG at least 0.75 and TRA at least 0.86 on the unseen video (profile cpu).
Expected time: about 7 minutes on two cores.
"""

from cosembed.study.experiment import Experiment
from cosembed.study.tasks.cells import CellsSimulation, CellsTask
from experiments.command import run

EXPERIMENT = Experiment(
    name="simulated",
    dataset="simulated",
    task=CellsTask(CellsSimulation(frames=40, size=192, cells=20, difficulty=1.0, seeds={"01": 1, "02": 2})),
)

if __name__ == "__main__":
    run(EXPERIMENT)

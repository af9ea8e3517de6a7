"""Fluo-N2DH-SIM+: instance segmentation and tracking.

Paper section 3, "Cell Instance Tracking"; one column of Table 2.

    python -m experiments.ctc_fluo_sim --data_dir=data --out_dir=runs --profile=cpu

Expected row: rank 9 in OP (below 0.878), 8 in SEG (below 0.791), 10 in TRA (below 0.961); values not known.
Expected time: about 12 h on a GPU of the paper's time (profile paper); two trainings of less than 45 min on
two cores (cpu).
"""

from cosembed.study.experiment import Experiment
from cosembed.study.tasks.cells import CellsTask
from experiments import REPORTED
from experiments.command import run

EXPERIMENT = Experiment(name="ctc_fluo_sim", dataset="Fluo-N2DH-SIM+", task=CellsTask(), reported=REPORTED)

if __name__ == "__main__":
    run(EXPERIMENT)

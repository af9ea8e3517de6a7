"""Fluo-N2DH-GOWT1: instance segmentation and tracking.

Paper section 3, "Cell Instance Tracking"; one column of Table 2.

    python -m experiments.ctc_fluo_gowt1 --data_dir=data --out_dir=runs --profile=cpu

Expected row: OP 0.914 (rank 2), SEG rank 4 (below 0.893), TRA rank 1 or 2 (above 0.935).
Expected time: about 12 h on a GPU of the paper's time (profile paper); two trainings of less than 45 min on
two cores (cpu).
"""

from cosembed.study.experiment import Experiment
from cosembed.study.tasks.cells import CellsTask
from experiments import REPORTED
from experiments.command import run

EXPERIMENT = Experiment(name="ctc_fluo_gowt1", dataset="Fluo-N2DH-GOWT1", task=CellsTask(), reported=REPORTED)

if __name__ == "__main__":
    run(EXPERIMENT)

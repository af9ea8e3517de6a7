"""Fluo-C2DL-MSC: instance segmentation and tracking.

Paper section 3, "Cell Instance Tracking"; one column of Table 2.

    python -m experiments.ctc_fluo_msc --data_dir=data --out_dir=runs --profile=cpu

Expected row: rank 5 in OP (below 0.676) and SEG (below 0.590), rank 1 or 2 in TRA (values not known).
Expected time: about 12 h on a GPU of the paper's time (profile paper); two trainings of less than 45 min on
two cores (cpu).
"""

from cosembed.study.experiment import Experiment
from cosembed.study.tasks.cells import CellsTask
from experiments import REPORTED
from experiments.command import run

EXPERIMENT = Experiment(name="ctc_fluo_msc", dataset="Fluo-C2DL-MSC", task=CellsTask(), reported=REPORTED)

if __name__ == "__main__":
    run(EXPERIMENT)

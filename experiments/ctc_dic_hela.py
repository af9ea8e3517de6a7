"""DIC-C2DH-HeLa: instance segmentation and tracking.

Paper section 3, "Cell Instance Tracking"; one column of Table 2.

    python -m experiments.ctc_dic_hela --data_dir=data --out_dir=runs --profile=cpu

Expected row: rank 1 in OP, SEG and TRA (OP above 0.828, SEG above 0.776, TRA above 0.881; values not known).
Expected time: about 12 h on a GPU of the paper's time (profile paper); two trainings of less than 45 min on
two cores (cpu).
"""

from cosembed.study.experiment import Experiment
from cosembed.study.tasks.cells import CellsTask
from experiments import REPORTED
from experiments.command import run

EXPERIMENT = Experiment(name="ctc_dic_hela", dataset="DIC-C2DH-HeLa", task=CellsTask(), reported=REPORTED)

if __name__ == "__main__":
    run(EXPERIMENT)

"""PhC-C2DH-U373: instance segmentation and tracking.

Paper section 3, "Cell Instance Tracking"; one column of Table 2.

    python -m experiments.ctc_phc_u373 --data_dir=data --out_dir=runs --profile=cpu

Expected row: rank 4 in OP (below 0.896), 5 in SEG (below 0.832), rank 1 or 2 in TRA (values not known).
Expected time: about 12 h on a GPU of the paper's time (profile paper); two trainings of less than 45 min on
two cores (cpu).
"""

from cosembed.study.experiment import Experiment
from cosembed.study.tasks.cells import CellsTask
from experiments import REPORTED
from experiments.command import run

EXPERIMENT = Experiment(name="ctc_phc_u373", dataset="PhC-C2DH-U373", task=CellsTask(), reported=REPORTED)

if __name__ == "__main__":
    run(EXPERIMENT)

"""Fluo-N2DL-HeLa: instance segmentation and tracking.

Paper section 3, "Cell Instance Tracking"; one column of Table 2.

    python -m experiments.ctc_fluo_hela --data_dir=data --out_dir=runs --profile=cpu

Expected row: rank 11 in OP (below 0.940), 10 in SEG (below 0.893), 12 in TRA (below 0.987); values not known.
The paper explains why: its nuclei are too small once the image is scaled to 256 x 256; smaller profiles fail
altogether.
Expected time: about 12 h on a GPU of the paper's time (profile paper); two trainings of less than 45 min on
two cores (cpu).
"""

from cosembed.study.experiment import Experiment
from cosembed.study.tasks.cells import CellsTask
from experiments import REPORTED
from experiments.command import run

EXPERIMENT = Experiment(name="ctc_fluo_hela", dataset="Fluo-N2DL-HeLa", task=CellsTask(), reported=REPORTED)

if __name__ == "__main__":
    run(EXPERIMENT)

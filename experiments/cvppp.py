"""Leaves: instance segmentation of still images (paper section 3, "Leaf Instance Segmentation"; Table 1b).

    python -m experiments.cvppp --data_dir=data --out_dir=runs --profile=cpu

DATA_DIR/CVPPP-A1 holds the 128 plants of CVPPP A1, as PNG files in A1/ or as the HDF5 file of 2017. Three
folds.
Expected row: SBD 84.5 ± 5.5, absolute difference in count 1.5 ± 1.2.
Expected time: three times 8 h on a GPU of the paper's time (profile paper); three times 27 min on two cores
(cpu).
"""

from cosembed.study.experiment import Experiment
from cosembed.study.tasks.leaves import LeavesTask
from experiments import REPORTED
from experiments.command import run

EXPERIMENT = Experiment(
    name="cvppp",
    dataset="CVPPP-A1",
    task=LeavesTask(remedy="ask for the data at www.plant-phenotyping.org/CVPPP2017"),
    reported=REPORTED,
)

if __name__ == "__main__":
    run(EXPERIMENT)

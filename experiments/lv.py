"""Left ventricle: semantic segmentation of cine MR, recurrent against non-recurrent.

Paper section 3, "Left Ventricle Segmentation"; Table 1a.

    python -m experiments.lv --data_dir=data --out_dir=runs --profile=cpu

DATA_DIR/LVSC holds the paper's data (STACOM 2011 challenge, on request from the Cardiac Atlas Project); where
it is absent, DATA_DIR/ACDC-cine (the ACDC challenge) takes its place. Three folds by patient, two networks
each.
Expected row: IoU of myocardium 79.4 ± 8.5 recurrent, 78.3 ± 9.2 non-recurrent; of the cavity 89.4 ± 7.2 and
89.1 ± 7.7.
Expected time: three times 20 h on a GPU of the paper's time (profile paper); less than an hour on two cores
(cpu).
"""

from cosembed.study.experiment import Experiment
from cosembed.study.tasks.heart import HeartTask
from experiments import REPORTED
from experiments.command import run

EXPERIMENT = Experiment(
    name="lv",
    dataset="LVSC",
    alternatives=("ACDC-cine",),
    task=HeartTask(
        missing="holds neither LVSC nor ACDC-cine; ask for the first at www.cardiacatlas.org (LV "
        "segmentation challenge) or the second at www.creatis.insa-lyon.fr/Challenge/acdc, and put its "
        "patients' folders there"
    ),
    reported=REPORTED,
)

if __name__ == "__main__":
    run(EXPERIMENT)

"""Left ventricle: semantic segmentation of cine MR, recurrent against non-recurrent (paper section 3, "Left Ventricle
Segmentation"; Table 1a).

    python -m experiments.lv --data_dir=data --out_dir=runs --profile=cpu

DATA_DIR/LVSC holds the paper's data (STACOM 2011 challenge, on request from the Cardiac Atlas Project); where it is absent,
DATA_DIR/ACDC-cine (the ACDC challenge) takes its place. Three folds by patient, two networks each.
Expected row: IoU of myocardium 79.4 ± 8.5 recurrent, 78.3 ± 9.2 non-recurrent; of the cavity 89.4 ± 7.2 and 89.1 ± 7.7.
Expected time: three times 20 h on a GPU of the paper's time (profile paper); less than an hour on two cores (cpu).
"""

from __future__ import annotations

from pathlib import Path

from cosembed.datasets.heart.readers import patient_names, read_slices
from cosembed.errors import DataError
from cosembed.specs import HeartDatasetSpec, HeartSpec
from cosembed.study.experiment import Experiment, Settings
from cosembed.study.folds import RECORD, NamedFold, make_folds
from experiments.command import run

VARIANTS = ("recurrent", "non-recurrent")


def prepare(dataset: HeartDatasetSpec, data_dir: Path) -> None:
    """The data cannot be downloaded: says where to ask for it."""
    if not (data_dir / dataset.name).is_dir():
        raise DataError(
            f"{data_dir}: holds neither LVSC nor ACDC-cine; ask for the first at www.cardiacatlas.org (LV segmentation "
            "challenge) or the second at www.creatis.insa-lyon.fr/Challenge/acdc, and put its patients' folders there"
        )


def folds(spec: HeartSpec, settings: Settings) -> list[NamedFold]:
    """Three folds by patient, for both networks."""
    root = settings.data_dir / spec.dataset.name
    return make_folds(
        patient_names(root, spec.dataset.layout), spec.dataset, root, VARIANTS, settings.folder / RECORD
    )


def check(spec: HeartSpec, settings: Settings) -> None:
    """Reads every patient, one after the other."""
    root = settings.data_dir / spec.dataset.name
    for name in patient_names(root, spec.dataset.layout):
        read_slices(root, spec.dataset.layout, spec.dataset.slices, [name])


EXPERIMENT = Experiment(
    "lv", "LVSC", prepare, folds, check, steps="cosembed.study.tasks.heart", alternatives=("ACDC-cine",)
)

if __name__ == "__main__":
    run(EXPERIMENT)

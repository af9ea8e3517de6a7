"""Leaves: instance segmentation of still images (paper section 3, "Leaf Instance Segmentation"; Table 1b).

    python -m experiments.cvppp --data_dir=data --out_dir=runs --profile=cpu

DATA_DIR/CVPPP-A1 holds the 128 plants of CVPPP A1, as PNG files in A1/ or as the HDF5 file of 2017. Three folds.
Expected row: SBD 84.5 ± 5.5, absolute difference in count 1.5 ± 1.2.
Expected time: three times 8 h on a GPU of the paper's time (profile paper); three times 27 min on two cores (cpu).
"""

from __future__ import annotations

from pathlib import Path

from cosembed.datasets.leaves import find_plants
from cosembed.errors import DataError
from cosembed.specs import LeavesDatasetSpec, LeavesSpec
from cosembed.study.experiment import Experiment, Settings
from cosembed.study.folds import RECORD, NamedFold, make_folds
from experiments.command import run


def prepare(dataset: LeavesDatasetSpec, data_dir: Path) -> None:
    """The data cannot be downloaded: says where to ask for it."""
    if not (data_dir / dataset.name).exists():
        raise DataError(
            f"{data_dir / dataset.name}: is missing; ask for the data at www.plant-phenotyping.org/CVPPP2017"
        )


def folds(spec: LeavesSpec, settings: Settings) -> list[NamedFold]:
    """Folds of labelled plants.

    Raises:
        DataError: The plants come without labels.
    """
    root = settings.data_dir / spec.dataset.name
    plants = find_plants(root)
    if not plants[0].has_labels:
        raise DataError(
            f"{root}: its plants have no labels (plantNNN_label.png); give the training images of A1"
        )
    return make_folds([plant.name for plant in plants], spec.dataset, root, recorded=settings.folder / RECORD)


def check(spec: LeavesSpec, settings: Settings) -> None:
    """Reads every plant, one after the other."""
    for plant in find_plants(settings.data_dir / spec.dataset.name):
        plant.image()
        plant.labels()


EXPERIMENT = Experiment("cvppp", "CVPPP-A1", prepare, folds, check, steps="cosembed.study.tasks.leaves")

if __name__ == "__main__":
    run(EXPERIMENT)

"""Says what an experiment is. It is data only: it knows no flags and no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic

from cosembed.study.folds import Item
from cosembed.study.task import Spec, Task


@dataclass(frozen=True)
class Experiment(Generic[Spec, Item]):
    """Names one row or column of the paper, or a person's own data.

    Attributes:
        name: The experiment's folder is called so.
        dataset: A name of `specs.dataset_names()`; empty for a person's own data.
        task: What is done with the data.
        alternatives: Other data sets; the first one that lies in the data folder is used.
        reported: The JSON file with the paper's numbers; None where there are none to compare with.
    """

    name: str
    dataset: str
    task: Task[Spec, Item]
    alternatives: tuple[str, ...] = ()
    reported: Path | None = None

    def find_dataset(self, data_dir: Path) -> str:
        """Names the first of the data sets that lies in the data folder, or the first one if none does."""
        found = [name for name in (self.dataset, *self.alternatives) if (data_dir / name).exists()]
        return found[0] if found else self.dataset

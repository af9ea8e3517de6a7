"""Folds by name, of patients or plants. Knows no images and no network.

Names are taken in order, `fold_count` at a time, and dealt to the folds at random: any run of names is spread evenly.
Where the names are known beforehand, the drawn folds are committed with the data set's spec.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosembed.errors import DataError, SpecError
from cosembed.specs.sections import FoldedDatasetSpec


@dataclass(frozen=True)
class NameFold:
    """One training: the names that train and those that are tested; `variant` tells networks apart."""

    name: str
    number: int
    train: tuple[str, ...]
    test: tuple[str, ...]
    variant: str = ""


def draw_folds(names: Sequence[str], count: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """Deals sorted names to `count` folds; the same names and seed give the same folds."""
    generator = np.random.default_rng(seed)
    folds: list[list[str]] = [[] for _ in range(count)]
    ordered = sorted(names)
    for begin in range(0, len(ordered), count):
        for fold, name in zip(generator.permutation(count), ordered[begin : begin + count], strict=False):
            folds[fold].append(name)
    return tuple(tuple(sorted(fold)) for fold in folds)


def make_folds(names: Sequence[str], dataset: FoldedDatasetSpec, root: Path, variants: Sequence[str] = ("",)) -> list[NameFold]:
    """Every fold once as test set, for every variant of the network.

    Args:
        names: Those that are there.
        dataset: Number, seed and, if committed, the folds themselves.
        root: The data's folder, for messages.
        variants: Names of networks; a fold's name begins with its variant.

    Raises:
        DataError: A fold without any of the names, or a name that no committed fold holds.
        SpecError: A committed name is in more than one place, or there are fewer folds than stated.
    """
    drawn = dataset.folds or draw_folds(names, dataset.fold_count, dataset.fold_seed)
    if len(drawn) != dataset.fold_count:
        raise SpecError(
            f"dataset.folds of {dataset.name}: there are {len(drawn)}, not {dataset.fold_count}; correct one of them"
        )
    counts = Counter(name for fold in drawn for name in fold)
    twice = sorted(name for name, number in counts.items() if number > 1)
    if twice:
        raise SpecError(f"dataset.folds of {dataset.name}: {twice[0]} is there more than once; folds must not overlap")
    strangers = sorted(set(names) - set(counts))
    if strangers:
        raise DataError(f"{root}: {strangers[0]} is in none of the folds of dataset.folds; add it there or remove it")
    present = [tuple(name for name in fold if name in set(names)) for fold in drawn]
    for number, fold in enumerate(present):
        if not fold:
            raise DataError(
                f"{root}: fold {number} is empty: none of {', '.join(drawn[number][:3]) or 'its names'} is there; add some"
            )
    return [
        NameFold(
            name=f"{variant}/fold_{number}" if variant else f"fold_{number}",
            number=number,
            train=tuple(name for other, fold in enumerate(present) if other != number for name in fold),
            test=test,
            variant=variant,
        )
        for number, test in enumerate(present)
        for variant in variants
    ]

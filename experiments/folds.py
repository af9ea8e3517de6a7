"""Folds by name, of patients or plants. Knows no images and no network.

Names are taken in order, `fold_count` at a time, and dealt to the folds at random: any run of names is spread evenly.
Where the names are known beforehand, the drawn folds are committed with the data set's spec.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosembed.errors import DataError, SpecError
from cosembed.files import atomic_write_text
from cosembed.reading import read_json, reason
from cosembed.specs.sections import FoldedDatasetSpec

RECORD = "folds.json"


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


def make_folds(
    names: Sequence[str],
    dataset: FoldedDatasetSpec,
    root: Path,
    variants: Sequence[str] = ("",),
    recorded: Path | None = None,
) -> list[NameFold]:
    """Every fold once as test set, for every variant of the network.

    Args:
        names: Those that are there.
        dataset: Number, seed and, if committed, the folds themselves.
        root: The data's folder, for messages.
        variants: Names of networks; a fold's name begins with its variant.
        recorded: The file of `record_folds`. Where it exists, and no folds are committed, they are not drawn again.

    Raises:
        DataError: A fold without any of the names, a name that no fold holds, or a damaged record.
        SpecError: A committed name is in more than one place, or there are fewer folds than stated.
    """
    drawn = dataset.folds or _read(recorded) or draw_folds(names, dataset.fold_count, dataset.fold_seed)
    if len(drawn) != dataset.fold_count:
        raise SpecError(
            f"dataset.folds of {dataset.name}: there are {len(drawn)}, not {dataset.fold_count}; correct one of them"
        )
    counts = Counter(name for fold in drawn for name in fold)
    twice = sorted(name for name, number in counts.items() if number > 1)
    if twice:
        raise SpecError(
            f"dataset.folds of {dataset.name}: {twice[0]} is there more than once; folds must not overlap"
        )
    strangers = sorted(set(names) - set(counts))
    if strangers:
        place = "dataset.folds" if dataset.folds else str(recorded)
        raise DataError(
            f"{root}: {strangers[0]} is in none of the folds of {place}; add it there or remove it"
        )
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


def record_folds(folds: Sequence[NameFold], path: Path) -> None:
    """Writes drawn folds beside a run, so that names that come or go later do not deal them anew."""
    if not path.exists():
        tests = {fold.number: list(fold.test) for fold in folds}
        atomic_write_text(path, json.dumps([tests[number] for number in sorted(tests)], indent=1) + "\n")


def _read(path: Path | None) -> tuple[tuple[str, ...], ...]:
    if path is None or not path.exists():
        return ()
    try:
        content = read_json(path)
        if not all(isinstance(name, str) for fold in content for name in fold):
            raise ValueError("names must be texts")
        return tuple(tuple(fold) for fold in content)
    except (OSError, ValueError, TypeError) as error:
        raise DataError(
            f"{path}: is not a record of folds ({reason(error)}); remove the run's folder"
        ) from error

"""Says what trains and what is tested, and deals names (of patients, of plants) to folds.

This module knows no images and no network.

Names are taken in order, `fold_count` at a time, and dealt to the folds at random: any run of names is spread
evenly. Where the names are known beforehand, the drawn folds are committed with the data set's spec.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from cosembed.errors import DataError, InputError, SpecError
from cosembed.files.reading import read_json, reason
from cosembed.files.writing import atomic_write_text
from cosembed.specs.sections import FoldedDatasetSpec

RECORD = "folds.json"


# What a fold consists of: a range of frames, or a name.
Item = TypeVar("Item")


@dataclass(frozen=True)
class Fold(Generic[Item]):
    """Says what one training learns from, and what is tested with it.

    Attributes:
        name: The folder's name below the experiment's; it begins with the variant where there are several.
        number: Counted from 0; the same for all variants.
        train: What trains; nothing where the network comes from the authors.
        test: What is tested.
        variant: Which of the networks that a task compares.
        scored: False where what is tested has no truth.
    """

    name: str
    number: int
    train: tuple[Item, ...]
    test: tuple[Item, ...]
    variant: str = ""
    scored: bool = True


def choose_folds(folds: Sequence[Fold[Item]], number: int | None) -> list[Fold[Item]]:
    """Gives all folds, or those of one number.

    Raises:
        InputError: No fold has this number.
    """
    count = len({fold.number for fold in folds})
    if number is not None and number >= count:
        raise InputError(f"--fold={number}: there are {count} folds, counted from 0; choose a smaller number")
    return [fold for fold in folds if number in (None, fold.number)]


def draw_folds(names: Sequence[str], count: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """Deals sorted names to `count` folds; the same names and seed always give the same folds."""
    generator = np.random.default_rng(seed)
    folds: list[list[str]] = [[] for _ in range(count)]
    ordered = sorted(names)
    for begin in range(0, len(ordered), count):
        for fold, name in zip(generator.permutation(count), ordered[begin : begin + count], strict=False):
            folds[fold].append(name)
    return tuple(tuple(sorted(fold)) for fold in folds)


def named_folds(
    names: Sequence[str],
    dataset: FoldedDatasetSpec,
    root: Path,
    variants: Sequence[str] = ("",),
    recorded: Path | None = None,
) -> list[Fold[str]]:
    """Makes folds in which every name is tested once by every variant of the network.

    Args:
        names: The names whose data are there.
        dataset: It holds the number of folds, the seed and, if they are committed, the folds themselves.
        root: The data's folder, for messages.
        variants: The names of networks; a fold's name begins with its variant.
        recorded: The file of `record_folds`. Where it exists, and no folds are committed, none are drawn
            again.

    Raises:
        DataError: A fold without any of the names, a name that no fold holds, or a damaged record.
        SpecError: A committed name is in more than one place, or there are fewer folds than stated.
    """
    drawn = dataset.folds or _read(recorded) or draw_folds(names, dataset.fold_count, dataset.fold_seed)
    if len(drawn) != dataset.fold_count:
        raise SpecError(
            f"dataset.folds of {dataset.name}: there are {len(drawn)}, not {dataset.fold_count}; correct "
            "one of them"
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
                f"{root}: fold {number} is empty: none of {', '.join(drawn[number][:3]) or 'its names'} is "
                "there; add some"
            )
    return [
        Fold(
            name=f"{variant}/fold_{number}" if variant else f"fold_{number}",
            number=number,
            train=tuple(name for other, fold in enumerate(present) if other != number for name in fold),
            test=test,
            variant=variant,
        )
        for number, test in enumerate(present)
        for variant in variants
    ]


def record_folds(folds: Sequence[Fold[str]], path: Path) -> None:
    """Writes folds beside a run, so that names that come or go later do not deal them anew."""
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

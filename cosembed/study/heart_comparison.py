"""Compares the recurrent network with the other one, patient by patient. Imports no TensorFlow.

How well a patient is segmented depends on the patient more than on the network, so differences are taken
within patients and tested over them. Further trainings do not make more patients: with several seeds, the
difference of a patient is the mean over them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.heart.slices import CLASSES
from cosembed.study.scores import HeartDifference, HeartVariantScores

Variants = Mapping[str, HeartVariantScores]


def compare(variants: Variants) -> dict[str, HeartDifference]:
    """Compares both networks over the patients that both have, with a paired test.

    Args:
        variants: The scores of `recurrent` and `non-recurrent`; with those of one there is no comparison.

    Returns:
        The comparison of every class that at least two patients have in both networks.
    """
    return {name: _tested(differences[0]) for name, differences in _paired([variants]).items()}


def compare_over_seeds(seeds: Sequence[Variants]) -> dict[str, HeartDifference]:
    """Compares both networks as `compare` does, by every patient's mean over several trainings.

    Args:
        seeds: The scores of both networks with every seed, at least one. Patients that only some of them
            tested are left out.
    """
    return {
        name: replace(_tested(differences.mean(axis=0)), by_seed=tuple(differences.mean(axis=1).tolist()))
        for name, differences in _paired(seeds).items()
    }


def _paired(runs: Sequence[Variants]) -> dict[str, NDArray[np.float64]]:
    """Gathers the differences [runs, patients] of the patients that are scored in all runs, by class."""
    paired = {}
    for name in CLASSES:
        differences = [_differences(variants, name) for variants in runs]
        common = sorted(set.intersection(*map(set, differences)))
        if len(common) > 1:
            paired[name] = np.array([[entry[patient] for patient in common] for entry in differences])
    return paired


def _differences(variants: Variants, name: str) -> dict[str, float]:
    """Computes recurrent minus non-recurrent IoU of every patient that has it in both networks."""
    if len(variants) < 2:
        return {}
    first, second = (variants[variant].patients for variant in ("recurrent", "non-recurrent"))
    pairs = {
        patient: (getattr(first[patient], name), getattr(second[patient], name))
        for patient in first.keys() & second.keys()
    }
    return {patient: ours - theirs for patient, (ours, theirs) in pairs.items() if None not in (ours, theirs)}


def _tested(differences: NDArray[np.float64]) -> HeartDifference:
    # Its import takes a quarter of a second, for which no experiment but this one should wait.
    from scipy import stats

    return HeartDifference(
        difference=float(differences.mean()),
        p=float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0,
        patients=len(differences),
        test="Wilcoxon signed-rank test, two-sided",
    )

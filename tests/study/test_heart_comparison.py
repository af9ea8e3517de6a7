"""Both networks compared over patients, after one training or several, against sums by hand and scipy."""

import numpy as np
import pytest
from scipy import stats

from cosembed.study.heart_comparison import compare, compare_over_seeds
from cosembed.study.scores import HeartIou, HeartVariantScores
from cosembed.study.tables import heart as table1a


def scores_of(values, cavity=0.5):
    patients = {f"p{index}": HeartIou(myocardium=value, cavity=cavity) for index, value in enumerate(values)}
    return HeartVariantScores(patients=patients)


def test_the_difference_is_tested_over_patients_that_both_networks_have():
    first, second = scores_of([0.5, 0.6, 0.7, 0.8, 0.9, None]), scores_of([0.4, 0.4, 0.4, 0.4, 0.4, 0.4])
    comparison = compare({"recurrent": first, "non-recurrent": second})
    assert comparison["myocardium"].difference == pytest.approx(0.3)
    assert comparison["myocardium"].patients == 5
    assert comparison["myocardium"].by_seed == ()
    # Five differences of one sign: 2 / 2^5.
    assert comparison["myocardium"].p == pytest.approx(2 / 2**5)
    cavity = comparison["cavity"]
    assert (cavity.difference, cavity.p, cavity.patients) == (0.0, 1.0, 6)
    assert compare({"recurrent": first}) == {}


def test_several_seeds_are_one_score_of_each_patient():
    """The oracle averages the two networks' IoU over the seeds first, and differences the means."""
    drawn = np.random.default_rng(4).uniform(0.3, 0.9, (2, 3, 12))
    drawn[0] += 0.05
    seeds = [
        {"recurrent": scores_of(ours), "non-recurrent": scores_of(theirs)}
        for ours, theirs in zip(*drawn.tolist(), strict=True)
    ]
    found = compare_over_seeds(seeds)["myocardium"]
    means = drawn.mean(axis=1)
    assert found.difference == pytest.approx(float(means[0].mean() - means[1].mean()))
    assert found.p == pytest.approx(float(stats.wilcoxon(means[0], means[1]).pvalue))
    assert found.patients == 12
    assert found.by_seed == pytest.approx(
        [float(ours.mean() - theirs.mean()) for ours, theirs in zip(*drawn, strict=True)]
    )
    # Trainings that only repeat each other prove no more than one of them.
    assert compare_over_seeds(seeds[:1] * 5)["myocardium"].p == compare(seeds[0])["myocardium"].p


def test_patients_that_a_seed_lacks_are_left_out_of_all():
    first = {"recurrent": scores_of([0.5, 0.6, 0.9]), "non-recurrent": scores_of([0.4, 0.4, 0.1])}
    second = {"recurrent": scores_of([0.7, 0.5, None]), "non-recurrent": scores_of([0.5, 0.4, 0.1])}
    found = compare_over_seeds([first, second])
    assert found["myocardium"].patients == 2 and found["cavity"].patients == 3
    assert found["myocardium"].difference == pytest.approx(0.15)
    assert found["myocardium"].by_seed == pytest.approx([0.15, 0.15])
    strangers = {"recurrent": HeartVariantScores(patients={}), "non-recurrent": scores_of([0.5])}
    assert compare_over_seeds([first, strangers]) == {}


def test_the_sentence_says_what_was_compared_and_what_every_seed_gave():
    recurrent, other = [0.61, 0.72, 0.83, 0.54, 0.65, 0.76], [0.6, 0.7, 0.8, 0.5, 0.6, 0.7]
    once = {"recurrent": scores_of(recurrent), "non-recurrent": scores_of(other)}
    same = {"recurrent": scores_of(other), "non-recurrent": scores_of(other)}
    assert table1a.difference_lines(compare(once))[0] == (
        "Recurrent minus non-recurrent IoU in %, myocardium: +3.5 over 6 patients, more than chance "
        "(p = 0.031); Wilcoxon signed-rank test, two-sided, one training per fold."
    )
    assert table1a.difference_lines(compare_over_seeds([once, same])) == [
        "Recurrent minus non-recurrent IoU in %, myocardium: +1.8 over 6 patients, more than chance "
        "(p = 0.031); Wilcoxon signed-rank test, two-sided, each patient's mean over 2 trainings; by seed "
        "+3.5, +0.0.",
        "Recurrent minus non-recurrent IoU in %, cavity: +0.0 over 6 patients, not more than chance "
        "(p = 1.00); Wilcoxon signed-rank test, two-sided, each patient's mean over 2 trainings; by seed "
        "+0.0, +0.0.",
        table1a.LIMITS,
    ]
    assert table1a.difference_lines({}) == []
    contrary = {"recurrent": scores_of([value - 0.05 for value in other]), "non-recurrent": scores_of(other)}
    assert table1a.difference_lines(compare_over_seeds([once, contrary]))[0].endswith(
        "by seed +3.5, -5.0, so the trainings disagree."
    )


def test_a_tiny_p_is_not_printed_as_zero():
    """Of twelve differences of one sign the exact p is 2 / 2 ** 12."""
    other = np.linspace(0.3, 0.8, 12)
    ours = other + np.linspace(0.01, 0.05, 12)
    compared = compare({"recurrent": scores_of([*ours]), "non-recurrent": scores_of([*other])})
    assert compared["myocardium"].p == pytest.approx(2 / 2**12)
    assert "more than chance (p < 0.001);" in table1a.difference_lines(compared)[0]

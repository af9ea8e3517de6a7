"""Makes Table 1a, left ventricle: our IoU beside the paper's, or alone where the data are others.

This module knows scores and reported numbers, not how either was made.
"""

from __future__ import annotations

from collections.abc import Mapping

from cosembed.files.wording import counted
from cosembed.study.scores import HeartDifference, HeartIou, HeartScores
from cosembed.study.tables import layout
from cosembed.study.tables.layout import Origin
from cosembed.study.tables.reported import ReportedTable

CLASSES = ("myocardium", "cavity")
VARIANTS = ("non-recurrent", "recurrent")
SIGNIFICANT = 0.05
LIMITS = (
    "The test knows the spread over patients, not that over trainings; p is not corrected for two classes."
)
# The data set whose numbers the paper's may be compared with.
PAPERS_DATA, PAPERS_PATIENTS = "LVSC", 96


def heading(reported: ReportedTable) -> str:
    """Names the table after the paper's, if it has the paper's numbers."""
    return "Table 1a: left ventricle" if reported else "Left ventricle, recurrent and non-recurrent network"


def rows(scores: HeartScores, reported: ReportedTable) -> list[list[str]]:
    """Gives the header and a row per class.

    Its cells are every network's IoU in %, mean ± standard deviation over patients. The paper has columns
    only if its numbers are given.
    """
    header = ["IoU in %"]
    for variant in VARIANTS:
        header += [f"{variant}, ours", f"{variant}, paper"] if reported else [f"{variant}, ours"]
    header.append("recurrent unwarmed, ours")
    table = [[*header, "confidence in the paper's"] if reported else header]
    for name in CLASSES:
        row = [name]
        for variant in VARIANTS:
            own = scores.variants.get(variant)
            row.append(_over_patients(own.patients if own else {}, name))
            row += [reported[name][variant].text(1)] if reported else []
        recurrent = scores.variants.get("recurrent")
        row.append(_over_patients(recurrent.unwarmed if recurrent else {}, name))
        row += [reported[name]["recurrent"].confidence] if reported else []
        table.append(row)
    return table


def header_lines(scores: HeartScores, reported: ReportedTable) -> list[str]:
    """Says what a reader must know before the numbers."""
    made_by, patients = scores.provenance, len(scores.patients())
    lines = layout.not_a_reproduction([made_by.profile])
    lines.append(layout.origin_line(f"{made_by.data}, {patients} patients", made_by))
    if reported and made_by.data != PAPERS_DATA:
        lines.append(
            "The data are not the paper's (96 patients of the STACOM 2011 challenge): the numbers are not "
            "comparable."
        )
    elif reported and patients != PAPERS_PATIENTS:
        lines.append(
            f"The paper has {PAPERS_PATIENTS} patients, not {patients}: the numbers are not comparable."
        )
    lines.append(
        "Mean and sample standard deviation over patients; a patient's IoU is over all its labelled frames "
        "and slices."
    )
    return [*lines, *labels_lines(scores), *difference_lines(scores.comparison)]


def labels_lines(scores: HeartScores) -> list[str]:
    """Says with how many labels either network was trained; empty where it is not recorded."""
    seen = {
        name: variant.labels_per_step
        for name, variant in scores.variants.items()
        if variant.labels_per_step is not None
    }
    if len(seen) < len(VARIANTS):
        return []
    return [
        f"On average, a training step sees {seen['recurrent']:.1f} labelled frames in the recurrent network, "
        f"{seen['non-recurrent']:.1f} in the other."
    ]


def difference_lines(comparison: Mapping[str, HeartDifference]) -> list[str]:
    """Says in a sentence for each class whether the networks differ, and what the test cannot tell."""
    lines = [_difference_line(name, entry) for name, entry in comparison.items()]
    return [*lines, LIMITS] if lines else []


def origins(scores: HeartScores) -> list[Origin]:
    """Says what made the numbers of all networks."""
    return [Origin(" and ".join(scores.variants), scores.provenance)]


def text(scores: HeartScores, reported: ReportedTable) -> str:
    """Lays the table out for a terminal."""
    return layout.as_text(rows(scores, reported), header_lines(scores, reported))


def markdown(scores: HeartScores, reported: ReportedTable) -> str:
    """Lays the table out for a document."""
    title = f"# {heading(reported)}"
    return layout.as_markdown(title, rows(scores, reported), header_lines(scores, reported), origins(scores))


def _difference_line(name: str, entry: HeartDifference) -> str:
    p = entry.p
    verdict = f"more than chance ({_p_text(p)})" if p < SIGNIFICANT else f"not more than chance (p = {p:.2f})"
    difference = f"{100 * entry.difference:+.1f} over {entry.patients} patients"
    conditions = f"{entry.test}, one training per fold"
    if entry.by_seed:
        trainings = counted(len(entry.by_seed), "training")
        by_seed = ", ".join(f"{100 * value:+.1f}" for value in entry.by_seed)
        conditions = f"{entry.test}, each patient's mean over {trainings}; by seed {by_seed}"
        if min(entry.by_seed) < 0 < max(entry.by_seed):
            conditions += ", so the trainings disagree"
    return f"Recurrent minus non-recurrent IoU in %, {name}: {difference}, {verdict}; {conditions}."


def _p_text(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _over_patients(patients: Mapping[str, HeartIou], name: str) -> str:
    values = [100 * value for scores in patients.values() if (value := getattr(scores, name)) is not None]
    return layout.mean_and_deviation(values) if values else "not scored"

"""Table 1a, left ventricle: our IoU beside the paper's. Knows scores and reported numbers, not how either was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cosembed.errors import DataError
from cosembed.reading import read_json, reason
from cosembed.reporting.reported import load_reported
from cosembed.reporting.tables import NOT_A_REPRODUCTION, as_markdown, as_text, made_line, mean_and_deviation

CLASSES = ("myocardium", "cavity")
VARIANTS = ("non-recurrent", "recurrent")
SIGNIFICANT = 0.05
# The data set whose numbers the paper's may be compared with.
PAPERS_DATA, PAPERS_PATIENTS = "LVSC", 96
Scores = Mapping[str, Mapping[str, float | None]]


@dataclass(frozen=True)
class VariantScores:
    """IoU of one network: patient -> class -> 0..1, or None where neither truth nor result has the class.

    Attributes:
        deviations: (key, the paper's value, ours).
        patients: After one heartbeat that warmed the state.
        unwarmed: From a state of zero; recurrent networks only.
    """

    deviations: Sequence[Sequence[Any]]
    patients: Scores
    unwarmed: Scores = field(default_factory=dict)


@dataclass(frozen=True)
class VentricleScores:
    """The scores of the experiment, as its metrics.json holds them; `comparison` is class -> difference, p, patients, test."""

    experiment: str
    data: str
    recipe: str
    profile: str
    split: str
    command: str
    variants: Mapping[str, VariantScores]
    comparison: Mapping[str, Mapping[str, Any]]


def read_scores(path: Path) -> VentricleScores:
    """Reads a metrics.json.

    Raises:
        DataError: It is damaged, or of another experiment.
    """
    try:
        content = read_json(path)
        variants = {
            name: VariantScores(**content["variants"][name])
            for name in VARIANTS
            if name in content["variants"]
        }
        scores = VentricleScores(**{**content, "variants": variants})
        _demand(scores.experiment == "lv")
        for variant in variants.values():
            for patient in (*variant.patients.values(), *variant.unwarmed.values()):
                _demand(all(isinstance(patient[name], float | int | None) for name in CLASSES))
        for entry in scores.comparison.values():
            _demand(
                all(isinstance(entry[key], float | int) for key in ("difference", "p", "patients"))
                and bool(entry["test"])
            )
        return scores
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{path}: is not the metrics of the left ventricle ({reason(error)}); run --mode=evaluate again"
        ) from error


def rows(scores: VentricleScores) -> list[list[str]]:
    """Header and a row per class: every network's IoU in %, mean ± standard deviation over patients, beside the paper's."""
    reported = load_reported("table1a")
    table = [
        [
            "IoU in %",
            *(f"{variant}{kind}" for variant in VARIANTS for kind in (", ours", ", paper")),
            "recurrent unwarmed, ours",
            "confidence in the paper's",
        ]
    ]
    for name in CLASSES:
        row = [name]
        for variant in VARIANTS:
            own = scores.variants.get(variant)
            row += [_summary(own.patients if own else {}, name), reported[name][variant].text(1)]
        recurrent = scores.variants.get("recurrent")
        row += [
            _summary(recurrent.unwarmed if recurrent else {}, name),
            reported[name]["recurrent"].confidence,
        ]
        table.append(row)
    return table


def header_lines(scores: VentricleScores) -> list[str]:
    """What a reader must know before the numbers."""
    lines = [] if scores.profile == "paper" else [NOT_A_REPRODUCTION.format(profile=scores.profile)]
    changed = max((len(variant.deviations) for variant in scores.variants.values()), default=0)
    lines.append(made_line(scores.data, scores.recipe, scores.profile, scores.split, changed))
    patients = {name for variant in scores.variants.values() for name in variant.patients}
    if not scores.data.startswith(PAPERS_DATA):
        lines.append(
            "The data are not the paper's (96 patients of the STACOM 2011 challenge): the numbers are not comparable."
        )
    elif len(patients) != PAPERS_PATIENTS:
        lines.append(
            f"The paper has {PAPERS_PATIENTS} patients, not {len(patients)}: the numbers are not comparable."
        )
    lines.append(
        "Mean and sample standard deviation over patients; a patient's IoU is over all its labelled frames and slices."
    )
    return [*lines, *(_difference(name, entry) for name, entry in scores.comparison.items())]


def text(scores: VentricleScores) -> str:
    """For a terminal."""
    return as_text(rows(scores), header_lines(scores))


def markdown(scores: VentricleScores) -> str:
    """For a document."""
    made = [(name, scores.command, variant.deviations) for name, variant in scores.variants.items()]
    return as_markdown("# Table 1a: left ventricle", rows(scores), header_lines(scores), made)


def _demand(condition: bool) -> None:
    if not condition:
        raise ValueError("another experiment, or a score of another type")


def _difference(name: str, entry: Mapping[str, Any]) -> str:
    p = entry["p"]
    verdict = f"more than chance (p = {p:.3f})" if p < SIGNIFICANT else f"not more than chance (p = {p:.2f})"
    # The test knows the spread over patients, not that over trainings.
    difference = f"{100 * entry['difference']:+.1f} over {entry['patients']} patients"
    return f"Recurrent minus non-recurrent, {name}: {difference}, {verdict}; {entry['test']}, one training per fold."


def _summary(patients: Scores, name: str) -> str:
    values = [100 * value for scores in patients.values() if (value := scores[name]) is not None]
    return mean_and_deviation(values) if values else "not scored"

"""Runs an experiment with several seeds, each in a folder of its own, and sums their scores up.

Below the experiment's folder lie `seed_N/` for each seed, `seeds.md` and `seeds.json`. This module knows no
flags and no method.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from absl import logging

from cosembed import specs
from cosembed.files.writing import atomic_write_text
from cosembed.specs.dataclass_mapping import to_mapping
from cosembed.study.cluster_run import Run
from cosembed.study.heart_comparison import compare_over_seeds
from cosembed.study.result_store import read_record
from cosembed.study.scores import (
    METRICS,
    CellsScores,
    ExperimentScores,
    HeartScores,
    LeavesScores,
    read_scores,
)
from cosembed.study.settings import Settings
from cosembed.study.tables import heart, layout
from cosembed.study.tables.layout import Origin, number
from cosembed.study.task import Spec

KINDS: dict[str, type[ExperimentScores]] = {
    kind.task: kind for kind in (CellsScores, HeartScores, LeavesScores)
}
NOTE = "Mean and sample standard deviation over seeds; every seed is a training of its own."


def seed_run(spec: Spec, settings: Settings, seed: int) -> Run[Spec]:
    """Gives the run with one seed of several."""
    return Run(
        specs.override(spec, {"training.seed": seed}),
        replace(settings, folder=settings.folder / f"seed_{seed}"),
    )


def summarize_seeds(folder: Path, seeds: Sequence[int], command: str) -> None:
    """Writes mean and standard deviation of every measure over the seeds, and prints them.

    Args:
        folder: The folder of the experiment, with those of the seeds.
        seeds: The seeds.
        command: The command line, for the table.

    Raises:
        DataError: Scores are damaged.
    """
    paths = {seed: folder / f"seed_{seed}" / METRICS for seed in seeds}
    if not all(path.exists() for path in paths.values()):
        logging.info("%s: not every seed has scores, there is nothing to sum up", folder)
        return
    scores = {seed: read_scores(KINDS[_task_of(path)], path) for seed, path in paths.items()}
    measured = {seed: measures_of(entry) for seed, entry in scores.items()}
    names = list(dict.fromkeys(name for measures in measured.values() for name in measures))
    values = {name: [measures.get(name) for measures in measured.values()] for name in names}
    header = ["measure", "mean ± deviation", *(f"seed {seed}" for seed in seeds)]
    rows = [header, *([name, _mean_text(found), *map(number, found)] for name, found in values.items())]
    first = scores[seeds[0]].provenance
    notes = [
        *layout.not_a_reproduction([first.profile]),
        layout.origin_line(first.data, first),
        NOTE,
    ]
    summary = {
        "seeds": list(seeds),
        "command": command,
        "measures": dict(map(_entry, names, values.values())),
    }
    hearts = [entry for entry in scores.values() if isinstance(entry, HeartScores)]
    if hearts:
        comparison = compare_over_seeds([entry.variants for entry in hearts])
        summary["comparison"] = {name: to_mapping(entry) for name, entry in comparison.items()}
        notes += [*heart.labels_lines(hearts[0]), *heart.difference_lines(comparison)]
    atomic_write_text(folder / "seeds.json", json.dumps(summary, indent=1) + "\n")
    title = f"# {first.data}: {len(seeds)} seeds"
    origins = [Origin(f"seed {seed}", entry.provenance) for seed, entry in scores.items()]
    atomic_write_text(folder / "seeds.md", layout.as_markdown(title, rows, notes, origins))
    print(layout.as_text(rows, notes))


def measures_of(scores: ExperimentScores) -> dict[str, float | None]:
    """Gives the measures by which runs of one experiment are compared, means over its videos or patients."""
    if isinstance(scores, CellsScores):
        return {"SEG": scores.SEG, "DET": scores.DET, "TRA": scores.TRA, "OP": scores.OP}
    if isinstance(scores, LeavesScores):
        plants = scores.images.values()
        return {
            "SBD": _mean(plant.SBD for plant in plants),
            "|DiC|": _mean(abs(plant.DiC) for plant in plants),
        }
    assert isinstance(scores, HeartScores)
    tested = {
        f"{variant}{state}": patients
        for variant, entry in scores.variants.items()
        for state, patients in (("", entry.patients), (" unwarmed", entry.unwarmed))
        if patients
    }
    return {
        f"IoU of {name}, {network}": _mean(getattr(iou, name) for iou in patients.values())
        for network, patients in tested.items()
        for name in ("myocardium", "cavity")
    }


def _task_of(path: Path) -> str:
    return str(read_record(path, "experiment")["experiment"])


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def _entry(name: str, values: Sequence[float | None]) -> tuple[str, dict[str, object]]:
    known = [value for value in values if value is not None]
    deviation = statistics.stdev(known) if len(known) > 1 else None
    return name, {"mean": _mean(known), "deviation": deviation, "values": list(values)}


def _mean_text(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    spread = f" ± {statistics.stdev(known):.3f}" if len(known) > 1 else ""
    return f"{number(_mean(known))}{spread}"

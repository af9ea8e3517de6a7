"""Settings, experiments and scores that tests of the study build on."""

import json
from pathlib import Path
from typing import Any

from absl import flags

from cosembed import specs
from cosembed.study.experiment import Experiment
from cosembed.study.flags import define_flags
from cosembed.study.scores import CellsScores, read_scores
from cosembed.study.settings import Settings
from cosembed.study.tables.reported import read_reported
from cosembed.study.tasks.cells import CellsTask
from experiments import REPORTED

# The videos must be there: nothing is simulated.
SIMULATED = Experiment(name="simulated", dataset="simulated", task=CellsTask())

PAPER = read_reported(REPORTED)


def smoke_spec(**training: Any) -> specs.CellsSpec:
    """The smallest spec of simulated cells, with values of `training` of its own."""
    values = {"network.levels": 2} | {f"training.{name}": value for name, value in training.items()}
    return specs.resolve("simulated", "paper", "smoke", values)


PROVENANCE: dict[str, Any] = {"recipe": "paper", "profile": "cpu", "split": "three folds"}

HEART_METRICS: dict[str, Any] = {
    **PROVENANCE,
    "experiment": "heart",
    "data": "ACDC-cine",
    "command": "python -m experiments.lv --profile=cpu",
    "deviations": [["network.levels", 7, 5]],
    "variants": {
        "recurrent": {
            "patients": {
                "a": {"myocardium": 0.5, "cavity": 0.9},
                "b": {"myocardium": 0.6, "cavity": None},
                "c": {"myocardium": 0.7, "cavity": 0.7},
            },
            "unwarmed": {"a": {"myocardium": 0.2, "cavity": 0.4}},
        },
        "non-recurrent": {"patients": {"a": {"myocardium": 0.4, "cavity": 0.8}}},
    },
    "comparison": {
        "myocardium": {
            "difference": 0.012,
            "p": 0.41,
            "patients": 11,
            "test": "Wilcoxon signed-rank test, two-sided",
        },
        "cavity": {
            "difference": -0.03,
            "p": 0.004,
            "patients": 11,
            "test": "Wilcoxon signed-rank test, two-sided",
        },
    },
}

LEAVES_METRICS: dict[str, Any] = {
    **PROVENANCE,
    "experiment": "leaves",
    "data": "simulated-leaves",
    "command": "python -m experiments.simulated_leaves",
    "deviations": [["network.filters", 64, 16]],
    "images": {
        "plant001": {"SBD": 0.7, "DiC": -1, "FBD": 0.9, "baseline": {"SBD": 0.5, "DiC": 3, "FBD": 0.6}},
        "plant002": {"SBD": 0.8, "DiC": 2, "FBD": 0.9, "baseline": {"SBD": 0.5, "DiC": 3, "FBD": 0.6}},
        "plant003": {"SBD": 0.9, "DiC": 0, "FBD": 0.9, "baseline": {"SBD": 0.5, "DiC": 3, "FBD": 0.6}},
    },
}

CELLS_METRICS: dict[str, Any] = {
    **PROVENANCE,
    "experiment": "cells",
    "data": "DIC-C2DH-HeLa",
    "split": "both ways",
    "command": "python -m experiments.ctc_dic_hela",
    "deviations": [],
    "protocol": "crossval",
    "folds": [],
    "SEG": 0.5,
    "DET": 0.7,
    "TRA": 0.6,
    "OP": 0.55,
}


def parsed_flags(*arguments: str) -> flags.FlagValues:
    """The flags of an experiment, as its program parses them."""
    values = flags.FlagValues()
    define_flags(values)
    values(["program", *arguments])
    return values


def make_settings(data_dir: Path, folder: Path, **changes: object) -> Settings:
    """All folds of the cross-validation, from data that are there; nothing can be downloaded."""
    fields: dict[str, Any] = {
        "data_dir": data_dir,
        "folder": folder,
        "protocol": "crossval",
        "train_frames": None,
        "test_frames": None,
        "fold": None,
        "base_url": "http://127.0.0.1:9",
        "require_gpu": False,
        "command": "test",
    }
    return Settings(**{**fields, **changes})


def write_metrics(folder: Path, content: object) -> Path:
    """A metrics.json as an experiment leaves it, or as someone has damaged it."""
    path = folder / "metrics.json"
    path.write_text(json.dumps(content))
    return path


def cells_scores(folder: Path, **changes: object) -> CellsScores:
    """Scores of cells, read from a file in `folder` whose keys are changed as asked."""
    return read_scores(CellsScores, write_metrics(folder, {**CELLS_METRICS, **changes}))


def cells_fold(**measures: float | None) -> dict[str, Any]:
    """The scores of one fold, and of a baseline without any, as metrics.json holds them."""
    scored = {"frames": 2, "seg_frames": 2, "evaluator": "by hand"}
    return {
        "fold": "test_01",
        "train": "02 [0:2]",
        "test": "01 [0:2]",
        **scored,
        **measures,
        "baseline": scored,
    }

"""Parts that the reports of all experiments share. Knows the files of a run, not what its task is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed.reporting import figures
from cosembed.reporting.report import Picture, Section
from cosembed.specs import TrainedSpec
from cosembed.training.devices import describe_device
from cosembed.training.run_folder import Record
from experiments.folds import NameFold
from experiments.runner import Settings

SMALLEST_WIDTH = 280


def run_facts(spec: TrainedSpec, settings: Settings, fold: str, split: str) -> list[tuple[str, str]]:
    """What was run: command, spec, seed, device, versions of the named fold's run."""
    versions = json.loads((settings.folder / fold / "versions.json").read_text())
    packages = ", ".join(f"{name} {version}" for name, version in versions["versions"].items())
    return [
        ("Command", settings.command),
        ("Recipe, profile", f"{spec.recipe}, {spec.profile}"),
        ("Split", split),
        ("Seed", str(spec.training.seed)),
        ("Device", describe_device()),
        ("Versions", packages),
        ("Git commit", versions["git_commit"]),
    ]


def fold_identity(fold: NameFold, settings: Settings) -> dict[str, str]:
    """What must be the same when a fold's folder is used again, beside the spec."""
    return {"train": ", ".join(fold.train)} | ({"deterministic": "yes"} if settings.deterministic else {})


def training_section(title: str, history: Sequence[Record]) -> Section:
    """Loss and learning rate of a training run."""
    columns = [np.array([getattr(record, name) for record in history]) for name in ("step", "task_loss", "learning_rate")]
    caption = f"Loss of the task (without the L2 term) and learning rate of {len(history)} iterations."
    return Section(title, "", (), [Picture(caption, figures.training_curves(*columns))])


def deviations_section(deviations: Iterable[Sequence[Any]]) -> Section:
    """Where a profile or flags changed the paper's values."""
    rows = [["value", "paper's profile", "this run"], *([str(cell) for cell in row] for row in deviations)]
    return Section("Where this run differs from the paper's size", "", rows)


def picture_row(panels: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Panels of one size side by side with a white gap, enlarged by a whole factor if they are small."""
    factor = max(1, -(-SMALLEST_WIDTH // panels[0].shape[1]))
    gap = np.full((panels[0].shape[0] * factor, 8, 3), 255, np.uint8)
    row: list[Any] = []
    for panel in panels:
        row += [panel.repeat(factor, axis=0).repeat(factor, axis=1), gap]
    return np.concatenate(row[:-1], axis=1)


def grey_rgb(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey [H, W] as RGB."""
    return np.repeat(grey[..., None], 3, axis=-1)


def resized(picture: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Nearest-neighbour copy of a square picture at the size of the original frame."""
    rows, columns = (np.arange(side) * picture.shape[0] // side for side in shape)
    return picture[rows][:, columns]

"""Keeps the folder of one training run: what it was made from and how its training went.

This module knows no network and no data.

spec.yaml       the resolved spec, enough to build the network and to repeat the run
versions.json   package versions, device, git commit, what the run was made from
history.csv     one row per iteration: step, loss, task_loss, learning_rate, seconds, waiting
checkpoints/    tf.train.CheckpointManager
tensorboard/    scalars and pictures
"""

from __future__ import annotations

import csv
import importlib.metadata
import io
import json
import math
import platform
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from cosembed import __version__, specs
from cosembed.errors import DataError, OutputError, SpecError
from cosembed.files.reading import read_json, read_text, reason
from cosembed.files.writing import atomic_write_text
from cosembed.specs.dataclass_mapping import flatten, to_mapping
from cosembed.specs.newer import refuse_newer

PACKAGES = (
    "tensorflow",
    "numpy",
    "scipy",
    "SimpleITK",
    "hdbscan",
    "py-ctcmetrics",
    "tifffile",
    "imagecodecs",
)
UNKNOWN = "unknown"
# What a data set is called and where it comes from: other words there do not make another run.
DESCRIPTIVE = {"dataset.licence", "dataset.paper_name", "dataset.archive"}


@dataclass(frozen=True)
class Record:
    """Holds what is known of one training iteration.

    Attributes:
        step: Its number, counted from 1.
        loss: The task's loss with the L2 term.
        task_loss: The task's loss.
        learning_rate: The step's learning rate.
        seconds: How long it took, with the time that its data were waited for.
        waiting: The share of `seconds` that its data were waited for, 0 to 1; None, written as an empty
            field, where it was not measured.
    """

    step: int
    loss: float
    task_loss: float
    learning_rate: float
    seconds: float
    waiting: float | None = None


class RunFolder:
    """Gives the paths of one run, and reads and writes its small files."""

    def __init__(self, path: Path) -> None:
        """Does not touch the disk; `open` does."""
        self.path = path
        self.spec_file = path / "spec.yaml"
        self.versions_file = path / "versions.json"
        self.history_file = path / "history.csv"
        self.checkpoints = path / "checkpoints"
        self.tensorboard = path / "tensorboard"

    def open(self, spec: specs.TrainedSpec, identity: Mapping[str, str], device: str = UNKNOWN) -> None:
        """Starts or continues the run.

        Args:
            spec: What the run is made from.
            identity: Further facts that must be the same when a run is continued, such as the training
                frames.
            device: The device that trains, for the report.

        Raises:
            OutputError: The folder holds a run of another spec or something that is no run.
        """
        if self.spec_file.exists():
            self._refuse_another_run(specs.load(self.spec_file), spec, identity)
            return
        # Hidden partial files, and versions.json without spec.yaml, were left by a start that was killed.
        if self.path.exists() and any(
            entry.name[0] != "." and entry != self.versions_file for entry in self.path.iterdir()
        ):
            raise OutputError(
                f"{self.path}: holds files that are not a run of cosembed; choose another folder"
            )
        facts = environment() | {"device": device, "identity": dict(identity)}
        atomic_write_text(self.versions_file, json.dumps(facts, indent=1) + "\n")
        atomic_write_text(self.spec_file, specs.dump(spec))

    def _refuse_another_run(
        self, before: specs.TrainedSpec, spec: specs.TrainedSpec, identity: Mapping[str, str]
    ) -> None:
        old, new = flatten(to_mapping(before)), flatten(to_mapping(spec))
        recorded = self._recorded_identity()
        changed = sorted(
            key for key in (old.keys() | new.keys()) - DESCRIPTIVE if old.get(key) != new.get(key)
        )
        changed += sorted(
            key for key in recorded.keys() | identity.keys() if recorded.get(key) != identity.get(key)
        )
        if changed:
            raise OutputError(
                f"{self.path}: holds a run with other values of {', '.join(changed)}; choose another "
                "--out_dir or remove it"
            )

    def _recorded_identity(self) -> dict[str, str]:
        file = self.versions_file
        try:
            return dict(read_json(file)["identity"])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise DataError(
                f"{file}: does not say what the run was made from ({reason(error)}); remove the folder"
            ) from error

    def read_spec(self, kind: type[specs.TaskSpec]) -> specs.TaskSpec:
        """Reads the spec of the run, which must be of one task.

        Raises:
            CheckpointError: A newer version of the package wrote it.
            SpecError: It is damaged, or of another task.
        """
        try:
            return specs.load_as(kind, self.spec_file)
        except SpecError:
            refuse_newer(self.spec_file, self.package_version())
            raise

    def package_version(self) -> str:
        """Reads which version of the package made the run; `unknown` if that is lost."""
        try:
            return str(read_json(self.versions_file)["versions"]["cosembed"])
        except (OSError, ValueError, TypeError, KeyError):
            return UNKNOWN

    def read_history(self) -> list[Record]:
        """Reads all recorded iterations; there are none before training."""
        if not self.history_file.exists():
            return []
        try:
            rows = csv.DictReader(io.StringIO(read_text(self.history_file), newline=""))
            return [_record(row) for row in rows]
        except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
            raise DataError(
                f"{self.history_file}: not a training history ({reason(error)}); remove the run folder"
            ) from error

    def write_history(self, records: Iterable[Record]) -> None:
        """Writes all recorded iterations anew: a killed run leaves no half of a line."""
        names = [field.name for field in fields(Record)]
        lines = [",".join(names)] + [
            ",".join("" if (value := getattr(record, name)) is None else repr(value) for name in names)
            for record in records
        ]
        atomic_write_text(self.history_file, "\n".join(lines) + "\n")


def _record(row: Mapping[str, str]) -> Record:
    """Reads a row; histories of earlier versions have no `waiting`."""
    waiting = float(row["waiting"]) if row.get("waiting") else None
    numbers = {field.name: float(row[field.name]) for field in fields(Record)[1:-1]}
    record = Record(step=int(row["step"]), **numbers, waiting=waiting)
    if record.step < 1 or not all(map(math.isfinite, [*numbers.values(), waiting or 0.0])):
        raise ValueError(f"step {record.step} is not a training step")
    return record


def environment() -> dict[str, Any]:
    """Collects versions and machine, as written into every run and report."""
    versions = {"cosembed": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        versions[package] = importlib.metadata.version(package)
    return {
        "versions": versions,
        "machine": f"{platform.system()} {platform.machine()}",
        "git_commit": git_commit(),
    }


def describe_versions(versions: Mapping[str, str]) -> str:
    """Lists package versions in one line."""
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def git_commit() -> str:
    """Names the commit of the checkout this package runs from; `unknown` outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=10).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN

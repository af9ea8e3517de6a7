"""Puts a spec together from files, recipe, profile and flags; reads and writes resolved specs.

Later values replace earlier ones: `data_specs/_defaults.yaml` (what the paper states), the data set's own
file, the recipe, the profile, the form of a network to start from, scaling from 256 network pixels to the
size that these give (`scaling`), and overrides (`--set key=value`). Files hold values at 256 network pixels;
a resolved spec holds final values.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from cosembed.errors import SpecError
from cosembed.files.reading import MAX_PAGES_BYTES, read_text, reason
from cosembed.specs.dataclass_mapping import flatten, from_mapping, merge, to_mapping
from cosembed.specs.overriding import TaskSpec, override
from cosembed.specs.scaling import scale
from cosembed.specs.tasks import TASKS, CellsSpec, TrainedSpec
from cosembed.specs.yaml_text import parse_yaml

# Tasks were called so in the runs of earlier versions, which can still be read.
EARLIER_TASK_NAMES = {"tracking": "cells", "semantic": "heart"}
RECIPES = ("paper", "released", "mia2019")
PROFILE_KEYS = frozenset(
    {
        "network.image_size",
        "network.levels",
        "network.filters",
        "network.outputs",
        "training.clip_length",
        "training.iterations",
        "training.learning_rate",
        "training.gradient_clip",
        "instances.maximum",
        "inference.scale",
        "inference.size",
        "inference.tile",
        "inference.overlap",
    }
)


def dataset_names(task: str | None = None) -> list[str]:
    """Lists the data sets that have a file in `data_specs`.

    Args:
        task: `cells`, `heart` or `leaves`; None for those of all tasks.
    """
    names = (
        entry.name[:-5]
        for entry in _folder().iterdir()
        if entry.name.endswith(".yaml") and entry.name[0] != "_"
    )
    return sorted(name for name in names if task is None or _task(_read(f"{name}.yaml")) == task)


def resolve(
    dataset: str, recipe: str = "paper", profile: str = "paper", overrides: Mapping[str, Any] | None = None
) -> CellsSpec:
    """Puts the spec of an experiment on cells together.

    Args:
        dataset: A name of `dataset_names("cells")`.
        recipe: `paper`, `released` or `mia2019`.
        profile: A name in `data_specs/_profiles.yaml`.
        overrides: Dotted keys and final values, as for `override`.

    Raises:
        SpecError: A data set, recipe, profile or key is unknown, or a value out of range.
    """
    return resolve_as(CellsSpec, dataset, recipe, profile, overrides)


def resolve_as(
    kind: type[TaskSpec],
    dataset: str,
    recipe: str = "paper",
    profile: str = "paper",
    overrides: Mapping[str, Any] | None = None,
) -> TaskSpec:
    """Puts the spec of an experiment of a given task together; otherwise as `resolve`.

    Args:
        kind: The task's class of specs.
        dataset: A name of `dataset_names` of that task.
        recipe: As for `resolve`.
        profile: As for `resolve`.
        overrides: As for `resolve`.
    """
    names = [name for task, known in TASKS.items() if known is kind for name in dataset_names(task)]
    if dataset not in names:
        raise SpecError(f"--dataset: unknown data set '{dataset}'; known: {', '.join(names)}")
    spec = resolve_any(dataset, recipe, profile, overrides)
    assert isinstance(spec, kind)
    return spec


def resolve_any(
    dataset: str, recipe: str = "paper", profile: str = "paper", overrides: Mapping[str, Any] | None = None
) -> TrainedSpec:
    """Puts the spec of an experiment of whatever task together; otherwise as `resolve`."""
    if dataset not in dataset_names():
        raise SpecError(f"--dataset: unknown data set '{dataset}'; known: {', '.join(dataset_names())}")
    own = _read(f"{dataset}.yaml")
    return _put_together(TASKS[_task(own)], own, f"data_specs/{dataset}.yaml", recipe, profile, overrides)


def resolve_file(
    path: Path,
    recipe: str = "paper",
    profile: str = "paper",
    overrides: Mapping[str, Any] | None = None,
    start: CellsSpec | None = None,
) -> CellsSpec:
    """Puts the spec of a person's own cells together, from a file like those of `data_specs`.

    Args:
        path: The file.
        recipe: As for `resolve`.
        profile: As for `resolve`.
        overrides: As for `resolve`.
        start: The spec of a network whose form the new one is to have, except where the file or the overrides
            say otherwise: its values of `network`, and of `inference` if they say nothing of that.

    Raises:
        SpecError: As for `resolve`, or the file cannot be read.
    """
    own = _parse_file(path)
    for name in ("recipes", "profiles"):
        if name in own:
            raise SpecError(
                f"{path}: unknown key '{name}'; write the values themselves, or give them with --set"
            )
    form = _form_of(start, own, overrides or {}) if start else {}
    return _put_together(CellsSpec, own, str(path), recipe, profile, overrides, form)


def _form_of(start: CellsSpec, own: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Picks the sections of the network to start from that neither a file nor overrides decide."""
    said = {*flatten(own), *overrides}
    # How many channels there are is up to the frames.
    network = {
        key: value
        for key, value in to_mapping(start.network).items()
        if key != "channels" and f"network.{key}" not in said
    }
    # Scale, tile and overlap belong together.
    pieces = {} if any(key.split(".")[0] == "inference" for key in said) else to_mapping(start.inference)
    return {"network": network, "inference": pieces}


def _put_together(
    kind: type[TaskSpec],
    own: dict[str, Any],
    source: str,
    recipe: str,
    profile: str,
    overrides: Mapping[str, Any] | None,
    form: Mapping[str, Any] = MappingProxyType({}),
) -> TaskSpec:
    if recipe not in RECIPES:
        raise SpecError(f"--recipe: unknown recipe '{recipe}'; choose one of {', '.join(RECIPES)}")
    if recipe == "mia2019" and kind is not CellsSpec:
        raise SpecError("--recipe=mia2019: the follow-up's recipe is for cells; choose paper or released")
    recipes, profiles = own.pop("recipes", {}), own.pop("profiles", {})
    mapping = merge(_sections_of(kind, _read("_defaults.yaml")), own)
    mapping = merge(
        mapping, merge(_sections_of(kind, _read("_recipes.yaml").get(recipe, {})), recipes.get(recipe, {}))
    )
    made_by = {"recipe": recipe, "profile": profile}
    # Scaling takes the values as they are, so they are checked before.
    from_mapping(kind, merge(mapping, made_by), source)
    at_files_size = mapping
    mapping = merge(merge(mapping, _sections_of(kind, _profile(profile, source, profiles))), form)
    overrides = overrides or {}
    # The size of the network's pixels decides the values that are lengths and areas, so that it comes first.
    pieces = {key: value for key, value in overrides.items() if key.split(".")[0] == "inference"}
    if pieces:
        mapping = to_mapping(override(from_mapping(kind, merge(mapping, made_by), source), pieces))
    return override(from_mapping(kind, merge(scale(mapping, at_files_size), made_by), source), overrides)


def load(path: Path) -> TrainedSpec:
    """Reads a resolved spec of whatever task (`spec.yaml` of a run folder)."""
    mapping = _parse_file(path)
    task = _task(mapping)
    if task not in TASKS:
        raise SpecError(f"{path}: 'task' is {task[:40]!r}; choose one of {', '.join(TASKS)}")
    return from_mapping(TASKS[task], mapping | {"task": task}, str(path))


def load_as(kind: type[TaskSpec], path: Path) -> TaskSpec:
    """Reads a resolved spec of one task.

    Args:
        kind: The task's class of specs.
        path: `spec.yaml` of a run folder.

    Raises:
        SpecError: The file is damaged, or holds the spec of another task.
    """
    spec = load(path)
    if not isinstance(spec, kind):
        raise SpecError(f"{path}: is a spec of another task; give a run that was trained for this one")
    return spec


def dump(spec: TrainedSpec) -> str:
    """Writes a resolved spec as YAML text, which `load` reads back equal."""
    return yaml.safe_dump(to_mapping(spec), sort_keys=False, width=120)


def deviations_from_paper(spec: TrainedSpec) -> list[tuple[str, Any, Any]]:
    """Lists where a spec differs from the same data set and recipe at the profile `paper`.

    Returns:
        Rows of (key, the paper's value, ours). There are none for a data set that is not in `data_specs`,
        since there is nothing it could differ from.
    """
    if spec.dataset.name not in dataset_names():
        return []
    ours, theirs = (
        flatten(to_mapping(s)) for s in (spec, resolve_any(spec.dataset.name, spec.recipe, "paper"))
    )
    return [
        (key, theirs.get(key), value)
        for key, value in ours.items()
        if key != "profile" and theirs.get(key) != value
    ]


def _task(mapping: Mapping[str, Any]) -> str:
    # The oldest runs do not name their task: there was only one.
    task = str(mapping.get("task", "cells"))
    return EARLIER_TASK_NAMES.get(task, task)


def _sections_of(kind: type[TrainedSpec], mapping: Mapping[str, Any]) -> dict[str, Any]:
    """Picks the sections that a task has; common files hold those of all tasks."""
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: section for name, section in mapping.items() if name in names}


def _profile(profile: str, source: str, own: Mapping[str, Any]) -> dict[str, Any]:
    common = _read("_profiles.yaml")
    if profile not in common and profile not in own:
        raise SpecError(
            f"--profile: unknown profile '{profile}'; choose one of {', '.join(sorted({*common, *own}))}"
        )
    mapping = merge(common.get(profile, {}), own.get(profile, {}))
    for key in flatten(mapping):
        if key not in PROFILE_KEYS:
            raise SpecError(
                f"{source}: profile '{profile}' sets '{key}'; it may only set {sorted(PROFILE_KEYS)}"
            )
    return mapping


def _folder() -> Path:
    """The files of the package's own data sets: inside it where it is installed, beside it in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "data_specs"
    return installed if installed.is_dir() else package.parent / "data_specs"


def _read(name: str) -> dict[str, Any]:
    # Callers take the mapping apart, so each gets its own.
    return copy.deepcopy(_packaged(name))


@functools.cache
def _packaged(name: str) -> dict[str, Any]:
    return _parse((_folder() / name).read_text(encoding="utf-8"), f"data_specs/{name}")


def _parse_file(path: Path) -> dict[str, Any]:
    try:
        text = read_text(path, MAX_PAGES_BYTES)
    except (OSError, ValueError) as error:
        raise SpecError(f"{path}: cannot be read ({reason(error)}); restore the file") from error
    return _parse(text, str(path))


def _parse(text: str, source: str) -> dict[str, Any]:
    try:
        mapping = parse_yaml(text)
    except ValueError as error:
        raise SpecError(f"{source}: cannot be read as YAML ({reason(error)}); restore the file") from error
    if not isinstance(mapping, dict):
        raise SpecError(f"{source}: must be a mapping of keys to values; restore the file")
    return mapping

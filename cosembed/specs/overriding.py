"""Lays single values over a whole spec, from code or from the texts of `--set key=value`. Reads no files."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from cosembed.errors import SpecError
from cosembed.files.reading import reason
from cosembed.specs.dataclass_mapping import flatten, from_mapping, to_mapping
from cosembed.specs.tasks import TrainedSpec
from cosembed.specs.yaml_text import parse_yaml

TaskSpec = TypeVar("TaskSpec", bound=TrainedSpec)
# The one section whose keys are names of the user's own: videos, with their completely segmented frames.
_FREE_KEYS = ["dataset", "complete_frames"]
_SUGGESTED = 3


def parse_assignments(texts: Iterable[str]) -> dict[str, Any]:
    """Reads the values of the flag `--set`.

    Args:
        texts: Each `key=value` with a dotted key and a YAML value, for example `training.iterations=2000`.

    Returns:
        Key -> value, for `override`; of a key that is given twice, the last value.

    Raises:
        SpecError: A text has no `=`, or its value is not YAML.
    """
    values: dict[str, Any] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        shown = " ".join(text.split())[:80]
        if not separator:
            raise SpecError(f"--set {shown}: write key=value, for example training.iterations=2000")
        try:
            values[key.strip()] = parse_yaml(value)
        except ValueError as error:
            raise SpecError(
                f"--set {shown}: the value is not YAML ({reason(error)}); write a number, a word or a [list]"
            ) from error
    return values


def override(spec: TaskSpec, values: Mapping[str, Any]) -> TaskSpec:
    """Returns a spec with some values replaced.

    Args:
        spec: A resolved spec; it is not changed.
        values: Dotted key -> final value, for example `{"training.iterations": 2000}`.

    Raises:
        SpecError: A key is unknown, or a value of the wrong type or out of range.
    """
    mapping = to_mapping(spec)
    for key, value in values.items():
        *sections, name = key.split(".")
        section = _find_section(mapping, sections)
        if section is None or (name not in section and sections != _FREE_KEYS):
            nearest = difflib.get_close_matches(key, flatten(to_mapping(spec)), _SUGGESTED, cutoff=0)
            named = f"{', '.join(nearest[:-1])} and {nearest[-1]}"
            raise SpecError(f"--set: unknown key '{key[:60]}'; the nearest keys are {named}")
        section[name] = value
    return from_mapping(type(spec), mapping, "--set")


def _find_section(mapping: dict[str, Any], path: list[str]) -> dict[str, Any] | None:
    section: Any = mapping
    for name in path:
        section = section.get(name) if isinstance(section, dict) else None
    return section if isinstance(section, dict) else None

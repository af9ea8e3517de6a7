"""Writes the values of a tuned baseline to a JSON file and reads them back."""

from __future__ import annotations

import json
from pathlib import Path

from cosembed.baselines.tuning import TunedBaseline
from cosembed.errors import DataError, SpecError
from cosembed.files.reading import read_json, reason
from cosembed.files.writing import atomic_write_text
from cosembed.specs.dataclass_mapping import from_mapping, to_mapping


def write_tuned(path: Path, tuned: TunedBaseline) -> None:
    """Writes the values and how they scored."""
    atomic_write_text(path, json.dumps(to_mapping(tuned), indent=1) + "\n")


def read_tuned(path: Path) -> TunedBaseline:
    """Reads what `write_tuned` wrote.

    Raises:
        DataError: The file is absent or damaged.
    """
    try:
        return from_mapping(TunedBaseline, read_json(path), "it")
    except (OSError, ValueError, SpecError) as error:
        raise DataError(
            f"{path}: holds no values of a classical baseline ({reason(error)}); remove it and tune again"
        ) from error

"""Says in one sentence when the installed TensorFlow is not the one this package is made for. Imports nothing heavy."""

from __future__ import annotations

import importlib.metadata

from cosembed.errors import InputError

TENSORFLOW = "2.15"


def check_tensorflow() -> None:
    """Raises `InputError` unless TensorFlow 2.15 is installed; called before TensorFlow is first imported."""
    try:
        found = importlib.metadata.version("tensorflow")
    except importlib.metadata.PackageNotFoundError:
        found = "none"
    if not found.startswith(f"{TENSORFLOW}."):
        raise InputError(
            f"TensorFlow {found} is installed, cosembed needs {TENSORFLOW}: "
            "pip install --constraint constraints.txt tensorflow, on Python 3.11"
        )

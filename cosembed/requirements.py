"""Says in one sentence when the installed TensorFlow is not one this package is made for. Imports nothing heavy."""

from __future__ import annotations

import importlib.metadata

from cosembed.errors import InputError

# The two lines of TensorFlow: classic (Keras 2) and current (Keras 3).
TENSORFLOW = ("2.15", "2.21")


def check_tensorflow() -> None:
    """Raises `InputError` unless TensorFlow is of one of both lines; called before TensorFlow is first imported."""
    try:
        found = importlib.metadata.version("tensorflow")
    except importlib.metadata.PackageNotFoundError:
        found = "none"
    if not found.startswith(tuple(f"{line}." for line in TENSORFLOW)):
        raise InputError(
            f"TensorFlow {found} is installed, cosembed needs {' or '.join(TENSORFLOW)}: "
            "pip install 'tensorflow==2.21.*', or run make setup in a checkout"
        )

"""Imports TensorFlow and optional packages, or says in one sentence why they cannot be used.

Imports nothing heavy by itself.
"""

from __future__ import annotations

import importlib.metadata
import logging as python_logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import ModuleType

from absl import logging

from cosembed.errors import InputError

# The two lines of TensorFlow: classic (Keras 2) and current (Keras 3).
TENSORFLOW = ("2.15", "2.21")
LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
ERRORS_AS_EXCEPTIONS_ONLY = "3"


def check_tensorflow() -> None:
    """Imports TensorFlow for the first time, without its start-up messages.

    The messages say nothing to a user; TensorFlow's errors still arrive as exceptions. Whoever wants to read
    them sets TF_CPP_MIN_LOG_LEVEL=0.

    Raises:
        InputError: TensorFlow is absent, of another version than 2.15 and 2.21, or installed incompletely.
    """
    try:
        found = importlib.metadata.version("tensorflow")
    except importlib.metadata.PackageNotFoundError:
        found = "none"
    if not found.startswith(tuple(f"{line}." for line in TENSORFLOW)):
        raise InputError(
            f"TensorFlow {found} is installed, cosembed needs {' or '.join(TENSORFLOW)}: "
            "pip install 'tensorflow==2.21.*', or run make setup in a checkout"
        )
    os.environ.setdefault(LOG_LEVEL, ERRORS_AS_EXCEPTIONS_ONLY)
    try:
        with _without_standard_error():
            import tensorflow
    except ImportError as error:
        raise InputError(
            f"TensorFlow {found} cannot be imported ({error}): install it again with "
            f"pip install --force-reinstall tensorflow=={found}, "
            "or remove .venv and run make setup in a checkout"
        ) from error
    _hide_messages_of(os.path.dirname(tensorflow.__file__))


@cache
def _hide_messages_of(folder: str) -> None:
    """Lets only warnings pass of the Python code in a folder, which writes to the same log as ours."""

    def is_ours_or_a_warning(record: python_logging.LogRecord) -> bool:
        return record.levelno >= python_logging.WARNING or not record.pathname.startswith(folder)

    logging.get_absl_logger().addFilter(is_ours_or_a_warning)


@contextmanager
def _without_standard_error() -> Iterator[None]:
    """Drops what is written to standard error, by libraries too.

    TensorFlow 2.21 writes before it reads its log level.
    """
    if os.environ[LOG_LEVEL] != ERRORS_AS_EXCEPTIONS_ONLY:
        yield
        return
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def import_optional(package: str, purpose: str, extra: str) -> ModuleType:
    """Imports a package that is not installed with cosembed.

    Args:
        package: Its name in Python.
        purpose: What needs it, in the plural: "Zarr stores".
        extra: The optional part of cosembed that brings it.

    Raises:
        InputError: It is not installed, or cannot be imported.
    """
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise InputError(
            f"{purpose} need the package {package.partition('.')[0]}, which is not installed ({error}): "
            f"pip install 'cosembed[{extra}]'"
        ) from error

"""Loads networks that the authors released for TensorFlow 1. The room knows no video and no tracking."""

from cosembed.released.architecture import NetworkArchitecture
from cosembed.released.checkpoint import is_released, load_released
from cosembed.released.imported import find_released, import_released, is_imported, load_imported, source_of
from cosembed.released.spec import released_spec

__all__ = [
    "NetworkArchitecture",
    "find_released",
    "import_released",
    "is_imported",
    "is_released",
    "load_imported",
    "load_released",
    "released_spec",
    "source_of",
]

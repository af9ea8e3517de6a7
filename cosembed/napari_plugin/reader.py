"""Says which folders the plugin opens. napari asks for every folder that it opens: nothing heavy is imported.

For a folder, napari lets the person choose between its own reader and this one. The table of a result stands
for its folder, because no other reader claims it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

RESULT_TABLE = "res_track.txt"


def get_reader(path: str | Sequence[str]) -> Callable[[str], list[Any]] | None:
    """Chooses what reads a folder, or the table in it; None for what is neither a result nor a GEFF."""
    if not isinstance(path, str):
        return None
    folder = _folder(path)
    if not folder.is_dir():
        return None
    if (folder / RESULT_TABLE).is_file() and any(folder.glob("mask*.tif")):
        return _read_result
    if folder.suffix.lower() == ".geff" or (folder / "nodes").is_dir():
        return _read_geff
    return None


def _folder(path: str) -> Path:
    given = Path(path)
    return given.parent if given.name == RESULT_TABLE else given


def _read_result(path: str) -> list[Any]:
    from cosembed.napari_plugin.layers import result_layers

    return result_layers(_folder(path))


def _read_geff(path: str) -> list[Any]:
    from cosembed.napari_plugin.layers import geff_layers

    return geff_layers(Path(path))

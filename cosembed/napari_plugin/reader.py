"""Says which folders the plugin opens. napari asks for all that it opens: nothing heavy is imported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any


def get_reader(path: str | Sequence[str]) -> Callable[[str], list[Any]] | None:
    """Chooses what reads a path; None for what is no result of this package and no GEFF."""
    if not isinstance(path, str):
        return None
    folder = Path(path)
    if not folder.is_dir():
        return None
    if (folder / "res_track.txt").is_file() and any(folder.glob("mask*.tif")):
        return _read_result
    if folder.suffix.lower() == ".geff" or (folder / "nodes").is_dir():
        return _read_geff
    return None


def _read_result(path: str) -> list[Any]:
    from cosembed.napari_plugin.layers import result_layers

    return result_layers(Path(path))


def _read_geff(path: str) -> list[Any]:
    from cosembed.napari_plugin.layers import geff_layers

    return geff_layers(Path(path))

"""What tests of both layouts share: the promises of a heart slice, and ways to damage a file of a study."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cosembed.datasets.heart.slices import HeartSlice


def check(item: HeartSlice) -> None:
    assert item.frames.ndim == 3 and len(item.frames) >= 1
    assert item.labels.dtype == np.uint8 and item.labels.shape == item.frames.shape
    assert item.labelled.dtype == bool and item.labelled.shape == item.frames.shape[:1]
    assert item.labels.max() <= 2
    assert not item.labels[~item.labelled].any()


def remove_file(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def write_file(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def halve_file(name: str) -> Callable[[Path], None]:
    def halve(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return halve

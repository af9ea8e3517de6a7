"""Finds and reads the label images of results and truth, which are named after their frames.

`mask007.tif` in a result, `TRA/man_track007.tif` and `SEG/man_seg007.tif` in the truth: the number is the
frame's, with three digits at least. This module knows no track table.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.images.frame_files import looks_like_image
from cosembed.images.reading import read_image
from cosembed.preprocessing.label_values import LARGEST_LABEL

# The kinds of truth, which are subfolders of a ground-truth folder, and how the names of their files begin.
TRUTH_PREFIXES = {"TRA": "man_track", "SEG": "man_seg"}


def mask_files(folder: Path, prefix: str) -> dict[int, Path]:
    """Lists the masks of a folder.

    Args:
        folder: It need not exist.
        prefix: How their names begin, such as `mask`.

    Returns:
        Frame number -> `<prefix>NNN.tif`, in order. Files of other names are left out; of two that have the
        same number, the last one in alphabetical order counts. `misnamed_files` finds both.
    """
    files = ((_number(path, prefix), path) for path in _tiffs(folder, prefix))
    return dict(sorted((number, path) for number, path in files if number is not None))


def misnamed_files(folder: Path, prefix: str) -> list[tuple[Path, str]]:
    """Lists the files that cannot be used as masks for their names, each with what is wrong with it.

    In a folder of truth these are all other images; in a result, which may hold more, those whose names begin
    as those of masks do.
    """
    found: list[tuple[Path, str]] = []
    seen: dict[int, Path] = {}
    for path in _images(folder, "" if prefix in TRUTH_PREFIXES.values() else prefix):
        number = _number(path, prefix) if path.suffix == ".tif" else None
        if number is None:
            found.append((path, f"is not named {prefix}NNN.tif after its frame (at least three digits)"))
        elif number in seen:
            found.append((path, f"has the same number as {seen[number].name}"))
        else:
            seen[number] = path
    return found


def read_labels(path: Path) -> NDArray[np.uint16]:
    """Reads a label image as uint16 [H, W].

    Raises:
        DataError: It is not an image of whole numbers between 0 and 65535.
    """
    labels = read_image(path)
    whole = labels.ndim == 2 and labels.dtype.kind in "ui"
    if not whole or labels.min() < 0 or labels.max() > LARGEST_LABEL:
        raise DataError(
            f"{path}: is not a label image (whole numbers from 0 to {LARGEST_LABEL}, one channel); convert it"
        )
    return labels.astype(np.uint16)


def _tiffs(folder: Path, prefix: str) -> list[Path]:
    return sorted(folder.glob(f"{prefix}*.tif")) if folder.is_dir() else []


def _images(folder: Path, prefix: str) -> list[Path]:
    files = folder.glob(f"{prefix}*") if folder.is_dir() else ()
    return sorted(path for path in files if path.name[0] != "." and looks_like_image(path))


def _number(path: Path, prefix: str) -> int | None:
    match = re.fullmatch(rf"{prefix}(\d{{3,9}})", path.stem, re.ASCII)
    return int(match[1]) if match else None

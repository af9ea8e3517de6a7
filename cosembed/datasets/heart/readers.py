"""Reads cine MR of either layout by the layout's name. Knows where files lie, not what is in them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from cosembed.datasets.heart.acdc import find_acdc, read_acdc
from cosembed.datasets.heart.slices import HeartSlice
from cosembed.datasets.heart.stacom import find_stacom, read_stacom

Layout = Literal["stacom", "acdc"]


def patient_names(root: Path, layout: Layout) -> list[str]:
    """Lists the names of all patients below a folder, sorted; reads no images.

    Raises:
        DataError: There is none.
    """
    return sorted(find_acdc(root) if layout == "acdc" else find_stacom(root))


def read_slices(
    root: Path, layout: Layout, slices: int, only: Collection[str] | None = None
) -> list[HeartSlice]:
    """Reads the central slices of the patients below a folder.

    Args:
        root: Any folder above the patients' files.
        layout: How they lie in it.
        slices: How many slices of each patient are read, at least 1.
        only: The names of the patients to read; None for all.

    Raises:
        DataError: No patient, or files that cannot be used.
    """
    read = read_acdc if layout == "acdc" else read_stacom
    return read(root, slices, only)

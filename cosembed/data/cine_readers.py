"""Cine MR of either layout, by name. Knows where files lie, not what is in them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Literal

from cosembed.data import acdc, stacom
from cosembed.data.cine import CineSlice

Layout = Literal["stacom", "acdc"]
_READERS = {"stacom": stacom, "acdc": acdc}


def patient_names(root: Path, layout: Layout) -> list[str]:
    """Names of all patients below a folder, sorted; reads no images.

    Raises:
        DataError: There is none.
    """
    return sorted(_READERS[layout].find_patients(root))


def read_slices(root: Path, layout: Layout, slices: int, only: Collection[str] | None = None) -> list[CineSlice]:
    """The central slices of the patients below a folder, or of those named in `only`.

    Raises:
        DataError: No patient, or files that cannot be used.
    """
    found = _READERS[layout].find_patients(root)
    wanted = sorted(found if only is None else found.keys() & set(only))
    return [cine for patient in wanted for cine in _READERS[layout].read_patient(patient, found[patient], slices)]

"""Cine MR of either layout by the layout's name."""

from pathlib import Path

import pytest

from cosembed.datasets.heart.readers import patient_names, read_slices
from cosembed.errors import DataError
from tests.helpers.cardiac_studies import write_acdc, write_stacom


@pytest.mark.parametrize("layout", ["acdc", "stacom"])
def test_the_layout_decides_the_reader(tmp_path: Path, layout: str) -> None:
    folder = tmp_path / "patient001"
    write_acdc(folder) if layout == "acdc" else write_stacom(folder)
    (name,) = patient_names(tmp_path, layout)
    assert {item.patient for item in read_slices(tmp_path, layout, 1)} == {name}
    assert read_slices(tmp_path, layout, 1, only=[]) == []


@pytest.mark.parametrize("layout", ["acdc", "stacom"])
def test_a_folder_that_is_absent_holds_no_patients(tmp_path: Path, layout: str) -> None:
    for read in (patient_names, lambda root, layout: read_slices(root, layout, 1)):
        with pytest.raises(DataError, match=r"absent: holds no patients"):
            read(tmp_path / "absent", layout)

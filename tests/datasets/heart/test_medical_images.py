"""Medical images: what cannot be read is named, and ITK is left as it was."""

from pathlib import Path

import pytest
import SimpleITK as sitk  # noqa: N813

from cosembed.datasets.heart import medical_images
from cosembed.datasets.heart.acdc import read_acdc
from cosembed.datasets.heart.stacom import read_stacom
from cosembed.errors import DataError
from tests.datasets.heart.damage import halve_file
from tests.helpers.cardiac_studies import (
    write_acdc,
    write_stacom,
)


def test_open_image_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.dcm: does not exist"):
        medical_images.open_image(tmp_path / "absent.dcm", "GDCMImageIO")


def test_reading_leaves_itks_warnings_as_they_were(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_acdc(tmp_path)
    folder = write_stacom(tmp_path)
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    read_acdc(tmp_path)
    read_stacom(tmp_path)
    halve_file("DET0000101_SA2_ph1.dcm")(folder)
    with pytest.raises(DataError):
        read_stacom(tmp_path)
    assert sitk.ProcessObject.GetGlobalWarningDisplay() == before
    assert capfd.readouterr().err == ""

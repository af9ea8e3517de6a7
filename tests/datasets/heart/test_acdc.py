"""ACDC patients: axes, classes, choice of slices, and studies that cannot be used."""

import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from cosembed.datasets.heart.acdc import read_acdc
from cosembed.datasets.heart.slices import patients
from cosembed.errors import DataError
from tests.datasets.heart.damage import check, halve_file, remove_file, write_file
from tests.helpers.cardiac_studies import (
    HEIGHT,
    WIDTH,
    numbered_video,
    ring,
    write_acdc,
    write_nifti,
)


def test_axes_and_classes(tmp_path: Path) -> None:
    write_acdc(tmp_path / "training" / "patient001")
    found = read_acdc(tmp_path)
    assert [(item.patient, item.index) for item in found] == [
        ("patient001", 1),
        ("patient001", 2),
        ("patient001", 3),
    ]
    for item in found:
        check(item)
        np.testing.assert_array_equal(item.frames, numbered_video(4, 5)[:, item.index])
        np.testing.assert_array_equal(item.labelled, [True, False, True, False])
        for frame in (0, 2):
            np.testing.assert_array_equal(item.labels[frame], ring())


def test_axes_as_itk_addresses_them(tmp_path: Path) -> None:
    """ITK's own order of indices is x, y, slice, time."""
    write_acdc(tmp_path)
    video = sitk.ReadImage(str(tmp_path / "patient001_4d.nii.gz"))
    video[5, 2, 3, 1] = -7
    sitk.WriteImage(video, str(tmp_path / "patient001_4d.nii.gz"))
    last = read_acdc(tmp_path)[-1]
    assert last.index == 3
    assert np.argwhere(last.frames == -7).tolist() == [[1, 2, 5]]


@pytest.mark.parametrize(
    ("with_heart", "count", "expected"),
    [
        ((1, 2, 3, 4), 3, [1, 2, 3]),
        ((2, 3, 4), 1, [3]),
        ((0, 4), 3, [0, 4]),
        ((0, 1, 2, 3, 4), 5, [0, 1, 2, 3, 4]),
    ],
)
def test_counts_slices_with_left_ventricle(
    tmp_path: Path, with_heart: tuple[int, ...], count: int, expected: list[int]
) -> None:
    write_acdc(tmp_path, with_heart=with_heart)
    assert [item.index for item in read_acdc(tmp_path, count)] == expected


def test_slice_without_left_ventricle_at_es_is_not_used(tmp_path: Path) -> None:
    write_acdc(tmp_path)
    path = tmp_path / "patient001_frame03_gt.nii.gz"
    truth = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    truth[4][truth[4] > 1] = 0
    write_nifti(path, truth)
    assert [item.index for item in read_acdc(tmp_path, 4)] == [0, 1, 2, 3]


def test_every_frame_that_has_labels_is_labelled(tmp_path: Path) -> None:
    write_acdc(tmp_path, frames=5, labelled=(1, 3, 4))
    path = tmp_path / "patient001_frame04_gt.nii.gz"
    truth = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    truth[2] = 0
    truth[2, 0, 0] = 3
    write_nifti(path, truth)
    # A file manager's leftover is no label, nor is a picture of another frame.
    (tmp_path / "._patient001_frame05_gt.nii.gz").write_text("a file manager's leftover")
    write_nifti(tmp_path / "patient001_frame02.nii.gz", np.zeros((5, HEIGHT, WIDTH), np.int16))
    found = read_acdc(tmp_path, 5)
    # A slice without the left ventricle between ED and ES is used all the same.
    assert [item.index for item in found] == [0, 1, 2, 3, 4]
    single = np.zeros((HEIGHT, WIDTH), np.uint8)
    single[0, 0] = 2
    for item in found:
        check(item)
        np.testing.assert_array_equal(item.labelled, [True, False, True, True, False])
        np.testing.assert_array_equal(item.labels[3], single if item.index == 2 else ring())


def test_names_with_signs_of_patterns_are_read_as_they_are(tmp_path: Path) -> None:
    write_acdc(tmp_path / "odd", "patient[1]", labelled=(1, 2, 3, 4))
    assert all(item.labelled.all() for item in read_acdc(tmp_path))


def test_patients_at_any_depth(tmp_path: Path) -> None:
    write_acdc(tmp_path / "testing" / "patient101", "patient101")
    write_acdc(tmp_path / "training" / "patient002", "patient002")
    (tmp_path / "training" / "patient002" / "._patient002_4d.nii.gz").write_text("a file manager's leftover")
    write_nifti(
        tmp_path / "training" / "patient002" / "patient002_frame01.nii.gz", np.zeros((2, 3, 4), np.int16)
    )
    found = read_acdc(tmp_path, 1)
    assert patients(found) == ["patient002", "patient101"]
    assert patients(found + found) == patients(found)


def test_video_of_one_frame(tmp_path: Path) -> None:
    write_acdc(tmp_path, frames=1, labelled=(1,))
    (tmp_path / "Info.cfg").write_text("ED: 1\nES: 1\n")
    assert [item.frames.shape for item in read_acdc(tmp_path)] == [(1, HEIGHT, WIDTH)] * 3


def test_fractions_come_as_float32(tmp_path: Path) -> None:
    write_acdc(tmp_path)
    video = numbered_video(4, 5) + 0.5
    video[0, 1, 2, 3] = np.nan
    write_nifti(tmp_path / "patient001_4d.nii.gz", video)
    frames = read_acdc(tmp_path)[0].frames
    assert frames.dtype == np.float32
    np.testing.assert_array_equal(frames, np.nan_to_num(video[:, 1]))


def _halve_unpacked(folder: Path) -> None:
    path = folder / "patient001_4d.nii.gz"
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content[: len(content) // 2]))


def _nifti(name: str, voxels: NDArray) -> Callable[[Path], None]:
    return lambda folder: write_nifti(folder / name, voxels)


def _header(at: int, values: NDArray) -> Callable[[Path], None]:
    """Other values in the header of the video."""

    def change(folder: Path) -> None:
        path = folder / "patient001_4d.nii.gz"
        content = bytearray(gzip.decompress(path.read_bytes()))
        content[at : at + values.nbytes] = values.tobytes()
        path.write_bytes(gzip.compress(bytes(content)))

    return change


VIDEO, ED, ES = "patient001_4d.nii.gz", "patient001_frame01_gt.nii.gz", "patient001_frame03_gt.nii.gz"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (remove_file(VIDEO), r"holds no patients; put folders such as patient001"),
        (remove_file("Info.cfg"), r"Info\.cfg: does not exist; put"),
        (write_file("Info.cfg", b"ED: 1\n"), r"Info\.cfg: has no line 'ES: NUMBER'; add it"),
        (write_file("Info.cfg", b"ED: first\nES: 3\n"), r"Info\.cfg: ED is 'first'; give a frame number"),
        (
            write_file("Info.cfg", b"ED: 1\nES: 5\n"),
            r"Info\.cfg: ES is frame 5, but patient001_4d\.nii\.gz has frames 1 to 4",
        ),
        (write_file("Info.cfg", b"ED: 0\nES: 3\n"), r"Info\.cfg: ED is frame 0, but"),
        (remove_file(ES), r"frame03_gt\.nii\.gz: does not exist; add the labels"),
        (
            _nifti(ED, np.zeros((5, 9, 16), np.uint8)),
            r"frame01_gt\.nii\.gz: has 16 x 9 x 5 voxels, a frame .* 16 x 12 x 5; make",
        ),
        (
            _nifti(ED, np.full((5, 12, 16), 4, np.uint8)),
            r"frame01_gt\.nii\.gz: holds the label 4; labels are 0 to 3",
        ),
        (
            _nifti(ED, np.full((5, 12, 16), 0.5, np.float32)),
            r"frame01_gt\.nii\.gz: holds the label 0\.5; labels are",
        ),
        (
            _nifti(ED, np.zeros((5, 12, 16), np.uint8)),
            r"4d\.nii\.gz: no slice shows the left ventricle in the labels of both",
        ),
        (
            _nifti(ED, np.zeros((2, 5, 12, 16), np.uint8)),
            r"frame01_gt\.nii\.gz: has 4 dimensions; save it with 3",
        ),
        (
            _nifti("patient001_frame05_gt.nii.gz", np.zeros((5, 12, 16), np.uint8)),
            r"frame05_gt\.nii\.gz: is not named after a frame of patient001_4d\.nii\.gz, which has frames "
            "01 to 04; rename",
        ),
        (write_file("patient001_frame00_gt.nii.gz", b""), r"frame00_gt\.nii\.gz: is not named after a frame"),
        (write_file("patient001_frame2_gt.nii.gz", b""), r"frame2_gt\.nii\.gz: is not named after a frame"),
        (write_file("patient001_frame002_gt.nii.gz", b""), r"frame002_gt\.nii\.gz: is not named after a"),
        (write_file("patient001_framex_gt.nii.gz", b""), r"framex_gt\.nii\.gz: is not named after a frame"),
        (write_file("patient001_frame02_gt.nii.gz", b"x" * 90), r"frame02_gt\.nii\.gz: cannot be read"),
        (
            _nifti("patient001_frame02_gt.nii.gz", np.zeros((4, 12, 16), np.uint8)),
            r"frame02_gt\.nii\.gz: has 16 x 12 x 4 voxels, a frame of the video 16 x 12 x 5",
        ),
        (write_file(VIDEO, b"garbage" * 100), r"4d\.nii\.gz: cannot be read; the file is damaged"),
        (write_file(VIDEO, b""), r"4d\.nii\.gz: cannot be read; the file is damaged"),
        (halve_file(VIDEO), r"4d\.nii\.gz: cannot be unpacked; the file is damaged or truncated"),
        (halve_file(ES), r"frame03_gt\.nii\.gz: cannot be "),
        (_halve_unpacked, r"4d\.nii\.gz: lacks \d+ bytes of its voxels; the file is truncated"),
        (
            _header(42, np.full(4, 30000, "<i2")),
            r"4d\.nii\.gz: states a size of 30000 x 30000 x 30000 x 30000 values of 2 bytes; at most 512 MB",
        ),
        # NaN and infinity are read as no offset at all.
        (
            _header(108, np.array([0], "<f4")),
            r"4d\.nii\.gz: states that its voxels begin at byte 348, within the header",
        ),
        (_header(108, np.array([np.inf], "<f4")), r"4d\.nii\.gz: states that its voxels begin at byte 348"),
    ],
)
def test_that_cannot_be_used(tmp_path: Path, damage: Callable[[Path], None], sentence: str) -> None:
    folder = write_acdc(tmp_path / "patient001")
    damage(folder)
    with pytest.raises(DataError, match=sentence):
        read_acdc(tmp_path)


def test_colour_is_refused(tmp_path: Path) -> None:
    folder = write_acdc(tmp_path)
    colour = sitk.GetImageFromArray(np.zeros((5, HEIGHT, WIDTH, 3), np.uint8), isVector=True)
    sitk.WriteImage(colour, str(folder / ED))
    with pytest.raises(DataError, match=r"has 3 values per voxel"):
        read_acdc(tmp_path)


def test_same_patient_twice(tmp_path: Path) -> None:
    first = write_acdc(tmp_path / "a")
    shutil.copytree(first, tmp_path / "b")
    with pytest.raises(DataError, match=r"is the same patient as .*; keep one"):
        read_acdc(tmp_path)


def test_two_patients_in_one_folder(tmp_path: Path) -> None:
    write_acdc(tmp_path)
    write_acdc(tmp_path, "patient002")
    with pytest.raises(DataError, match=r"patient002_4d\.nii\.gz: shares its folder, and so Info\.cfg"):
        read_acdc(tmp_path)


def test_real_acdc_patients(test_data: Path) -> None:
    root = test_data / "cardiac" / "ACDC-cine"
    if not root.is_dir():
        pytest.skip(
            "real cine studies are absent: put ACDC patients into cardiac/ACDC-cine of COSEMBED_TEST_DATA"
        )
    found = read_acdc(root)
    assert len(patients(found)) == 11
    assert len(found) == 33
    for item in found:
        check(item)
        info = (root / item.patient / "Info.cfg").read_text()
        numbers = sorted(int(number) - 1 for number in re.findall(r"^E[DS]: (\d+)", info, re.MULTILINE))
        assert np.flatnonzero(item.labelled).tolist() == numbers
        ed = int(re.findall(r"^ED: (\d+)", info, re.MULTILINE)[0]) - 1
        assert set(np.unique(item.labels[ed])) == {0, 1, 2}
        assert item.frames.dtype.kind in "iuf" and item.frames.min() < item.frames.max()

"""Cardiac cine studies: axes, classes, choice of slices, and studies that cannot be used."""

import gzip
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from absl import logging
from numpy.typing import NDArray

from cosembed.datasets.heart import cine
from cosembed.datasets.heart.acdc import read_acdc
from cosembed.datasets.heart.slices import HeartSlice, central_indices, patients
from cosembed.datasets.heart.stacom import read_stacom
from cosembed.errors import DataError
from tests.helpers.cardiac_studies import (
    HEIGHT,
    WIDTH,
    numbered_video,
    ring,
    write_acdc,
    write_dicom,
    write_nifti,
    write_png,
    write_stacom,
)


def check(item: HeartSlice) -> None:
    assert item.frames.ndim == 3 and len(item.frames) >= 1
    assert item.labels.dtype == np.uint8 and item.labels.shape == item.frames.shape
    assert item.labelled.dtype == bool and item.labelled.shape == item.frames.shape[:1]
    assert item.labels.max() <= 2
    assert not item.labels[~item.labelled].any()


@pytest.mark.parametrize(
    ("indices", "count", "expected"),
    [
        ([0, 1, 2, 3, 4], 3, [1, 2, 3]),
        ([0, 1, 2, 3, 4], 2, [1, 2]),
        ([2, 3, 5, 8], 3, [2, 3, 5]),
        ([2, 3, 5, 8], 2, [3, 5]),
        ([4, 6], 3, [4, 6]),
        ([4], 1, [4]),
    ],
)
def test_central_slices(indices: list[int], count: int, expected: list[int]) -> None:
    assert central_indices(indices, count) == expected


def test_acdc_axes_and_classes(tmp_path: Path) -> None:
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


def test_acdc_axes_as_itk_addresses_them(tmp_path: Path) -> None:
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
def test_acdc_counts_slices_with_left_ventricle(
    tmp_path: Path, with_heart: tuple[int, ...], count: int, expected: list[int]
) -> None:
    write_acdc(tmp_path, with_heart=with_heart)
    assert [item.index for item in read_acdc(tmp_path, count)] == expected


def test_acdc_slice_without_left_ventricle_at_es_is_not_used(tmp_path: Path) -> None:
    write_acdc(tmp_path)
    path = tmp_path / "patient001_frame03_gt.nii.gz"
    truth = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    truth[4][truth[4] > 1] = 0
    write_nifti(path, truth)
    assert [item.index for item in read_acdc(tmp_path, 4)] == [0, 1, 2, 3]


def test_acdc_patients_at_any_depth(tmp_path: Path) -> None:
    write_acdc(tmp_path / "testing" / "patient101", "patient101")
    write_acdc(tmp_path / "training" / "patient002", "patient002")
    (tmp_path / "training" / "patient002" / "._patient002_4d.nii.gz").write_text("a file manager's leftover")
    write_nifti(
        tmp_path / "training" / "patient002" / "patient002_frame01.nii.gz", np.zeros((2, 3, 4), np.int16)
    )
    found = read_acdc(tmp_path, 1)
    assert patients(found) == ["patient002", "patient101"]
    assert patients(found + found) == patients(found)


def test_acdc_video_of_one_frame(tmp_path: Path) -> None:
    write_acdc(tmp_path, frames=1)
    (tmp_path / "Info.cfg").write_text("ED: 1\nES: 1\n")
    assert [item.frames.shape for item in read_acdc(tmp_path)] == [(1, HEIGHT, WIDTH)] * 3


def test_acdc_fractions_come_as_float32(tmp_path: Path) -> None:
    write_acdc(tmp_path)
    video = numbered_video(4, 5) + 0.5
    video[0, 1, 2, 3] = np.nan
    write_nifti(tmp_path / "patient001_4d.nii.gz", video)
    frames = read_acdc(tmp_path)[0].frames
    assert frames.dtype == np.float32
    np.testing.assert_array_equal(frames, np.nan_to_num(video[:, 1]))


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def _halve(name: str) -> Callable[[Path], None]:
    def halve(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])

    return halve


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
        (_remove(VIDEO), r"holds no patients; put folders such as patient001"),
        (_remove("Info.cfg"), r"Info\.cfg: does not exist; put"),
        (_write("Info.cfg", b"ED: 1\n"), r"Info\.cfg: has no line 'ES: NUMBER'; add it"),
        (_write("Info.cfg", b"ED: first\nES: 3\n"), r"Info\.cfg: ED is 'first'; give a frame number"),
        (
            _write("Info.cfg", b"ED: 1\nES: 5\n"),
            r"Info\.cfg: ES is frame 5, but patient001_4d\.nii\.gz has frames 1 to 4",
        ),
        (_write("Info.cfg", b"ED: 0\nES: 3\n"), r"Info\.cfg: ED is frame 0, but"),
        (_remove(ES), r"frame03_gt\.nii\.gz: does not exist; add the labels"),
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
        (_write(VIDEO, b"garbage" * 100), r"4d\.nii\.gz: cannot be read; the file is damaged"),
        (_write(VIDEO, b""), r"4d\.nii\.gz: cannot be read; the file is damaged"),
        (_halve(VIDEO), r"4d\.nii\.gz: cannot be unpacked; the file is damaged or truncated"),
        (_halve(ES), r"frame03_gt\.nii\.gz: cannot be "),
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
def test_acdc_that_cannot_be_used(tmp_path: Path, damage: Callable[[Path], None], sentence: str) -> None:
    folder = write_acdc(tmp_path / "patient001")
    damage(folder)
    with pytest.raises(DataError, match=sentence):
        read_acdc(tmp_path)


def test_acdc_colour_is_refused(tmp_path: Path) -> None:
    folder = write_acdc(tmp_path)
    colour = sitk.GetImageFromArray(np.zeros((5, HEIGHT, WIDTH, 3), np.uint8), isVector=True)
    sitk.WriteImage(colour, str(folder / ED))
    with pytest.raises(DataError, match=r"has 3 values per voxel"):
        read_acdc(tmp_path)


def test_acdc_same_patient_twice(tmp_path: Path) -> None:
    first = write_acdc(tmp_path / "a")
    shutil.copytree(first, tmp_path / "b")
    with pytest.raises(DataError, match=r"is the same patient as .*; keep one"):
        read_acdc(tmp_path)


def test_acdc_two_patients_in_one_folder(tmp_path: Path) -> None:
    write_acdc(tmp_path)
    write_acdc(tmp_path, "patient002")
    with pytest.raises(DataError, match=r"patient002_4d\.nii\.gz: shares its folder, and so Info\.cfg"):
        read_acdc(tmp_path)


def test_stacom_round_trip(tmp_path: Path) -> None:
    folder = write_stacom(tmp_path, slices=(1, 2, 9, 10, 11), phases=12)
    write_dicom(folder / "DET0000101_LA1_ph0.dcm", np.zeros((5, 5), np.uint16))
    (folder / "._DET0000101_SA1_ph0.dcm").write_text("a file manager's leftover")
    found = read_stacom(tmp_path)
    assert [(item.patient, item.index) for item in found] == [
        ("DET0000101", 2),
        ("DET0000101", 9),
        ("DET0000101", 10),
    ]
    for item in found:
        check(item)
        assert item.labelled.all()
        assert item.frames[:, 1, 1].tolist() == [100 * item.index + phase for phase in range(12)]
        assert np.argwhere(item.frames == 0).tolist() == [[phase, 0, 0] for phase in range(12)]
        np.testing.assert_array_equal(item.labels, np.stack([ring()] * 12))


@pytest.mark.parametrize(
    "encode",
    [
        lambda classes: (classes == 1).astype(np.uint8),
        lambda classes: classes,
        lambda classes: np.array([0, 128, 255], np.uint8)[classes],
        lambda classes: np.repeat((classes == 1)[..., None] * np.uint8(255), 3, axis=-1),
        lambda classes: np.stack([(classes == 1) * np.uint8(255), np.full_like(classes, 255)], axis=-1),
        lambda classes: np.stack(
            [*[(classes == 1) * np.uint8(255)] * 3, np.full_like(classes, 255)], axis=-1
        ),
    ],
    ids=["0 1", "0 1 2", "0 128 255", "colour", "opacity", "colour and opacity"],
)
def test_stacom_kinds_of_masks(tmp_path: Path, encode: Callable[[NDArray], NDArray]) -> None:
    write_stacom(tmp_path, encode=encode)
    for item in read_stacom(tmp_path):
        np.testing.assert_array_equal(item.labels, np.stack([ring()] * 3))


def test_stacom_patients_and_masks_in_other_folders(tmp_path: Path) -> None:
    write_stacom(tmp_path / "training", "DET0000201")
    folder = write_stacom(tmp_path / "training" / "more", "DET0000101")
    (tmp_path / "masks").mkdir()
    for mask in folder.glob("*.png"):
        mask.rename(tmp_path / "masks" / mask.name)
    for image in folder.glob("*.dcm"):
        image.rename(image.with_suffix(".DCM"))
    found = read_stacom(tmp_path, 2)
    assert patients(found) == ["DET0000101", "DET0000201"]
    assert [item.index for item in found] == [1, 2, 1, 2]


def test_stacom_slices_beyond_the_ventricle_are_not_used(tmp_path: Path) -> None:
    folder = write_stacom(tmp_path, slices=(1, 2, 3, 4))
    for phase in range(3):
        (folder / f"DET0000101_SA1_ph{phase}.png").unlink()
    write_png(folder / "DET0000101_SA2_ph1.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    assert [item.index for item in read_stacom(tmp_path)] == [3, 4]


def test_stacom_warns_of_open_rings(tmp_path: Path) -> None:
    folder = write_stacom(tmp_path)
    opened = (ring() == 1) * np.uint8(255)
    opened[3:5, 6] = 0
    write_png(folder / "DET0000101_SA2_ph1.png", opened)
    with mock.patch.object(logging, "warning") as warning:
        found = read_stacom(tmp_path)
    assert warning.call_count == 1
    template, *values = warning.call_args.args
    assert "1 of 3 masks of the slice enclose no cavity: DET0000101_SA2_ph1.png" in template % tuple(values)
    assert [(item.labels == 2).any(axis=(1, 2)).tolist() for item in found] == [
        [True] * 3,
        [True, False, True],
        [True] * 3,
    ]


def _png(name: str, pixels: NDArray) -> Callable[[Path], None]:
    return lambda folder: write_png(folder / name, pixels)


def _dicom(name: str, pixels: NDArray) -> Callable[[Path], None]:
    return lambda folder: write_dicom(folder / name, pixels)


def _both(*damages: Callable[[Path], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        for damage in damages:
            damage(folder)

    return apply


def _remove_all(pattern: str) -> Callable[[Path], None]:
    def remove(folder: Path) -> None:
        for path in folder.glob(pattern):
            path.unlink()

    return remove


SA2 = "DET0000101_SA2_ph1"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (_remove_all("*.dcm"), r"holds no patients; put frames such as"),
        (
            _remove_all("*.png"),
            r"SA1_ph0\.dcm: has no mask DET0000101_SA1_ph0\.png, nor has any frame of DET0000101; add",
        ),
        (
            _remove(f"{SA2}.png"),
            r"SA2_ph1\.dcm: has no mask DET0000101_SA2_ph1\.png, unlike others of its slice",
        ),
        (
            _remove(f"{SA2}.dcm"),
            r"SA2_ph1\.png: has no frame DET0000101_SA2_ph1\.dcm; add it or remove the mask",
        ),
        (_remove_all(f"{SA2}.*"), r"SA2_ph2\.dcm: follows phase 0, but phase 1 is missing"),
        (
            _png(f"{SA2}.png", ring(14, 18)),
            r"SA2_ph1\.png: this patient's masks up to here hold the values 0 1 2 255",
        ),
        (
            _png(f"{SA2}.png", (ring(14, 18) == 1) * np.uint8(255)),
            r"SA2_ph1\.png: is 18 x 14 pixels, but its frame is 16 x 12",
        ),
        (
            _png(f"{SA2}.png", ring() * np.uint8(7)),
            r"SA2_ph1\.png: .* hold the values 0 7 14 255; masks hold 0 1",
        ),
        (
            _png(f"{SA2}.png", np.arange(36, dtype=np.uint8).reshape(3, 4, 3)),
            r"SA2_ph1\.png: is in colour; masks are grey",
        ),
        (_halve(f"{SA2}.png"), r"SA2_ph1\.png: cannot be read"),
        (_write(f"{SA2}.png", b"garbage" * 20), r"SA2_ph1\.png: cannot be read"),
        (_halve(f"{SA2}.dcm"), r"SA2_ph1\.dcm: cannot be read; the file is damaged"),
        (_write(f"{SA2}.dcm", b"garbage" * 100), r"SA2_ph1\.dcm: cannot be read; the file is damaged"),
        (
            _dicom(f"{SA2}.dcm", np.zeros((9, 16), np.uint16)),
            r"SA2_ph1\.dcm: is 16 x 9 pixels, but .*SA2_ph0\.dcm is 16 x 12",
        ),
        (
            _dicom(f"{SA2}.dcm", np.zeros((2, 12, 16), np.uint16)),
            r"SA2_ph1\.dcm: holds 2 images; save each frame",
        ),
        (
            _png("DET0000101_SA02_ph1.png", ring()),
            r"SA2_ph1\.png: is the same slice and phase as .*SA02_ph1\.png; keep one",
        ),
    ],
)
def test_stacom_that_cannot_be_used(tmp_path: Path, damage: Callable[[Path], None], sentence: str) -> None:
    folder = write_stacom(tmp_path)
    damage(folder)
    with pytest.raises(DataError, match=sentence):
        read_stacom(tmp_path)


def test_stacom_masks_without_any_cavity_are_refused(tmp_path: Path) -> None:
    """Filled masks are no rings: without this they would teach that there is no cavity."""
    write_stacom(tmp_path, encode=lambda classes: (classes > 0) * np.uint8(255))
    with pytest.raises(
        DataError, match=r"no slice of DET0000101 has myocardium in every mask and a cavity in one"
    ):
        read_stacom(tmp_path)


def test_readers_of_a_folder_that_is_absent(tmp_path: Path) -> None:
    for read in (read_acdc, read_stacom):
        with pytest.raises(DataError, match=r"absent: holds no patients"):
            read(tmp_path / "absent")


def test_open_image_names_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.dcm: does not exist"):
        cine.open_image(tmp_path / "absent.dcm", "GDCMImageIO")


def test_reading_leaves_itks_warnings_as_they_were(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_acdc(tmp_path)
    folder = write_stacom(tmp_path)
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    read_acdc(tmp_path)
    read_stacom(tmp_path)
    _halve(f"{SA2}.dcm")(folder)
    with pytest.raises(DataError):
        read_stacom(tmp_path)
    assert sitk.ProcessObject.GetGlobalWarningDisplay() == before
    assert capfd.readouterr().err == ""


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

"""STACOM studies: kinds of masks, choice of slices, and studies that cannot be used."""

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from absl import logging
from numpy.typing import NDArray

from cosembed.datasets.heart.slices import patients
from cosembed.datasets.heart.stacom import read_stacom
from cosembed.errors import DataError
from tests.datasets.heart.damage import check, halve_file, remove_file, write_file
from tests.helpers.cardiac_studies import (
    HEIGHT,
    WIDTH,
    ring,
    write_dicom,
    write_png,
    write_stacom,
)


def test_round_trip(tmp_path: Path) -> None:
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
def test_kinds_of_masks(tmp_path: Path, encode: Callable[[NDArray], NDArray]) -> None:
    write_stacom(tmp_path, encode=encode)
    for item in read_stacom(tmp_path):
        np.testing.assert_array_equal(item.labels, np.stack([ring()] * 3))


def test_patients_and_masks_in_other_folders(tmp_path: Path) -> None:
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


def test_slices_beyond_the_ventricle_are_not_used(tmp_path: Path) -> None:
    folder = write_stacom(tmp_path, slices=(1, 2, 3, 4))
    for phase in range(3):
        (folder / f"DET0000101_SA1_ph{phase}.png").unlink()
    write_png(folder / "DET0000101_SA2_ph1.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    assert [item.index for item in read_stacom(tmp_path)] == [3, 4]


def test_warns_of_open_rings(tmp_path: Path) -> None:
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
            remove_file(f"{SA2}.png"),
            r"SA2_ph1\.dcm: has no mask DET0000101_SA2_ph1\.png, unlike others of its slice",
        ),
        (
            remove_file(f"{SA2}.dcm"),
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
        (halve_file(f"{SA2}.png"), r"SA2_ph1\.png: cannot be read"),
        (write_file(f"{SA2}.png", b"garbage" * 20), r"SA2_ph1\.png: cannot be read"),
        (halve_file(f"{SA2}.dcm"), r"SA2_ph1\.dcm: cannot be read; the file is damaged"),
        (write_file(f"{SA2}.dcm", b"garbage" * 100), r"SA2_ph1\.dcm: cannot be read; the file is damaged"),
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
def test_that_cannot_be_used(tmp_path: Path, damage: Callable[[Path], None], sentence: str) -> None:
    folder = write_stacom(tmp_path)
    damage(folder)
    with pytest.raises(DataError, match=sentence):
        read_stacom(tmp_path)


def test_masks_without_any_cavity_are_refused(tmp_path: Path) -> None:
    """Filled masks are no rings: without this they would teach that there is no cavity."""
    write_stacom(tmp_path, encode=lambda classes: (classes > 0) * np.uint8(255))
    with pytest.raises(
        DataError, match=r"no slice of DET0000101 has myocardium in every mask and a cavity in one"
    ):
        read_stacom(tmp_path)

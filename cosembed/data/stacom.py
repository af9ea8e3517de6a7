"""Reads cine MR in the layout of the STACOM 2011 left ventricle challenge (LVSC). Knows no preprocessing and no network.

    <patient>/<patient>_SA<slice>_ph<phase>.dcm     one DICOM image per short-axis slice and phase; long-axis ones (LA) are left
    <patient>/<patient>_SA<slice>_ph<phase>.png     its mask: the myocardium, a ring around the cavity

Slices and phases are in the order of their numbers. A mask of one value holds the ring, and what it encloses is the cavity;
one of two values holds both, the smaller value being the myocardium.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from absl import logging
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.data.cine import CAVITY, MYOCARDIUM, CineSlice, central
from cosembed.errors import DataError

_NAME = re.compile(r"(?P<patient>.+)_SA(?P<slice>\d+)_ph(?P<phase>\d+)", re.IGNORECASE)
MAX_PIXELS = 2**26
Files = dict[int, dict[int, Path]]


def find_patients(root: Path) -> dict[str, Files]:
    """Patients below a folder: name -> slice -> phase -> DICOM file.

    Raises:
        DataError: There is none, or an image is there twice.
    """
    patients: dict[str, Files] = {}
    for path in sorted(root.rglob("*")) if root.is_dir() else []:
        match = _NAME.fullmatch(path.stem) if path.suffix.lower() == ".dcm" else None
        if match:
            phases = patients.setdefault(match["patient"], {}).setdefault(int(match["slice"]), {})
            if int(match["phase"]) in phases:
                raise DataError(f"{path}: the same slice and phase as {phases[int(match['phase'])]}; remove one of them")
            phases[int(match["phase"])] = path
    if not patients:
        raise DataError(f"{root}: no short-axis images (PATIENT_SA1_ph0.dcm); give the folder that holds the patients' folders")
    return patients


def read_patient(patient: str, files: Files, slices: int) -> list[CineSlice]:
    """The central slices of one patient, of those that have a mask.

    Args:
        patient: The patient's name.
        files: As `find_patients` gives them.
        slices: How many.

    Raises:
        DataError: Files that are missing or cannot be used, or a patient without masks.
    """
    masked = [number for number, phases in sorted(files.items()) if any(_mask_of(path) for path in phases.values())]
    if not masked:
        folder = next(iter(next(iter(files.values())).values())).parent
        raise DataError(f"{folder}: {patient} has no masks (PATIENT_SA1_ph0.png); add them or remove the patient")
    return [_read_slice(patient, number, files[number]) for number in central(masked, slices)]


def _mask_of(image: Path) -> Path | None:
    path = image.with_suffix(".png")
    return path if path.exists() else None


def _read_slice(patient: str, number: int, phases: dict[int, Path]) -> CineSlice:
    first, *rest = sorted(phases)
    if [first, *rest] != list(range(first, first + len(phases))):
        missing = next(phase for phase in range(first, max(phases)) if phase not in phases)
        raise DataError(f"{phases[first].parent}: phase {missing} of {patient}, slice {number} is missing; add it")
    frames = [_read_image(phases[phase]) for phase in sorted(phases)]
    for phase, frame in zip(sorted(phases), frames, strict=True):
        if frame.shape != frames[0].shape:
            raise DataError(
                f"{phases[phase]}: is {frame.shape}, the first phase {frames[0].shape} (y, x); give images of one size"
            )
    labels = np.zeros((len(frames), *frames[0].shape), np.uint8)
    labelled = np.zeros(len(frames), bool)
    for time, phase in enumerate(sorted(phases)):
        mask = _mask_of(phases[phase])
        if mask is not None:
            labels[time] = _classes(mask, frames[0].shape)
            labelled[time] = True
    return CineSlice(patient, number, np.stack(frames), labels, labelled)


def _classes(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    mask = _read_image(path)
    if mask.shape != shape:
        raise DataError(f"{path}: is {mask.shape}, its image {shape} (y, x); give a mask of the same grid")
    values = [value for value in np.unique(mask).tolist() if value != 0]
    if len(values) > 2:
        raise DataError(f"{path}: holds {len(values)} values beside 0; known are the myocardium, or myocardium and cavity")
    classes = np.zeros(shape, np.uint8)
    if len(values) == 2:
        classes[mask == values[0]], classes[mask == values[1]] = MYOCARDIUM, CAVITY
    elif values:
        ring = mask != 0
        classes[ndimage.binary_fill_holes(ring)] = CAVITY
        classes[ring] = MYOCARDIUM
        if not (classes == CAVITY).any():
            # Normal near the apex at the end of the contraction, so no error.
            logging.warning("%s: the myocardium encloses no cavity", path)
    return classes


def _read_image(path: Path) -> NDArray:
    """One grey image [y, x], DICOM or PNG."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        size = reader.GetSize()
        if (
            reader.GetNumberOfComponents() != 1
            or np.prod(size, dtype=float) > MAX_PIXELS
            or (len(size) > 2 and size[2:] != (1,))
        ):
            raise DataError(
                f"{path}: has the size {size} and {reader.GetNumberOfComponents()} channels; it must be one grey image"
            )
        image = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        reason = [line.strip() for line in str(error).splitlines() if line.strip()][-1]
        raise DataError(f"{path}: cannot be read ({reason}); copy it again") from error
    return image.reshape(image.shape[-2:])

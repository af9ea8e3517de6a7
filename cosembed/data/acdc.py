"""Reads cine MR in the layout of ACDC (Bernard et al. 2018). Knows no preprocessing and no network.

patientNNN_4d.nii.gz             intensities (x, y, slice, time)
patientNNN_frameMM_gt.nii.gz     labels (x, y, slice) of the two frames that Info.cfg names, ED and ES, counted from 1
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from cosembed.data.cine import BACKGROUND, CAVITY, MYOCARDIUM, CineSlice, central
from cosembed.errors import DataError

# ACDC's background, right ventricle, myocardium, left cavity: the right ventricle counts as background.
OURS = np.array([BACKGROUND, BACKGROUND, MYOCARDIUM, CAVITY], np.uint8)
LABELLED_FRAMES = ("ED", "ES")
MAX_VOXELS = 2**31


def find_patients(root: Path) -> dict[str, Path]:
    """Patients below a folder, with the file of their video.

    Raises:
        DataError: There is none, or a name is there twice.
    """
    videos = sorted(root.rglob("*_4d.nii*")) if root.is_dir() else []
    if not videos:
        raise DataError(f"{root}: no ACDC patient (patientNNN_4d.nii.gz); give the folder that holds the patients' folders")
    patients: dict[str, Path] = {}
    for video in videos:
        name = video.name.split("_4d.nii")[0]
        if name in patients:
            raise DataError(f"{video}: {name} is also at {patients[name]}; remove one of them")
        patients[name] = video
    return patients


def read_patient(patient: str, video: Path, slices: int) -> list[CineSlice]:
    """The central slices of one patient.

    Args:
        patient: The patient's name.
        video: As `find_patients` gives it.
        slices: How many of the slices that show the left ventricle in a labelled frame.

    Raises:
        DataError: Files that are missing or cannot be used, or labels without a left ventricle.
    """
    frames = _read_volume(video, dimensions=4)
    labels = np.zeros(frames.shape, np.uint8)
    labelled = np.zeros(len(frames), bool)
    for name, number in _labelled_frames(video.parent / "Info.cfg", len(frames)).items():
        found = sorted(video.parent.glob(f"{patient}_frame{number:02d}_gt.nii*"))
        if not found:
            raise DataError(f"{video.parent}: {patient}_frame{number:02d}_gt.nii.gz is missing, the labels of {name}; add it")
        labels[number - 1] = _read_labels(found[0], frames.shape[1:])
        labelled[number - 1] = True
    shown = np.flatnonzero(labels.any(axis=(0, 2, 3))).tolist()
    if not shown:
        raise DataError(f"{video}: its labels show no left ventricle; remove the patient or correct them")
    return [CineSlice(patient, z, frames[:, z], labels[:, z], labelled) for z in central(shown, slices)]


def _labelled_frames(info: Path, count: int) -> dict[str, int]:
    try:
        lines = [line.partition(":") for line in info.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{info}: cannot be read ({error}); it must name the frames ED and ES") from error
    values = {key.strip(): value.strip() for key, _, value in lines}
    numbers = {}
    for name in LABELLED_FRAMES:
        if not values.get(name, "").isdigit():
            raise DataError(f"{info}: has no line '{name}: frame number'; add it")
        numbers[name] = int(values[name])
        if not 1 <= numbers[name] <= count:
            raise DataError(f"{info}: {name} is frame {numbers[name]}, but the video has {count}; correct it")
    return numbers


def _read_labels(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    labels = _read_volume(path, dimensions=3)
    if labels.shape != shape:
        raise DataError(f"{path}: has the shape {labels.shape}, the video {shape} (slice, y, x); give labels of the same grid")
    unknown = np.setdiff1d(np.unique(labels), np.arange(len(OURS)))
    if len(unknown):
        raise DataError(
            f"{path}: holds the label {unknown[0]:g}; known are 0 to 3 (background, right ventricle, myocardium, cavity)"
        )
    return OURS[labels.astype(np.intp)]


def _read_volume(path: Path, dimensions: int) -> NDArray:
    """[time, slice, y, x] or [slice, y, x]."""
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        size = reader.GetSize()
        if len(size) != dimensions or reader.GetNumberOfComponents() != 1 or np.prod(size, dtype=float) > MAX_VOXELS:
            raise DataError(f"{path}: has the size {size}; it must be a scalar image of {dimensions} dimensions")
        return sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        reason = [line.strip() for line in str(error).splitlines() if line.strip()][-1]
        raise DataError(f"{path}: cannot be read as NIfTI ({reason}); copy it again") from error

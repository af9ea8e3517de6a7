"""Reads the patients of the ACDC challenge as heart slices. Knows no network.

    ROOT/.../Info.cfg                          lines `ED: 1` and `ES: 12`, frame numbers counted from 1
    ROOT/.../patient001_4d.nii.gz              video: x, y, slice, time
    ROOT/.../patient001_frame01_gt.nii.gz      labels at ED: 0 background, 1 right ventricle, 2 myocardium,
                                               3 blood pool
    ROOT/.../patient001_frame12_gt.nii.gz      labels at ES

ACDC itself labels these two frames; any other frame may have labels, too, as simulated hearts have in all of
them. Each patient has a folder, at any depth; files of other names in it do not matter. The right ventricle
counts as background.
"""

from __future__ import annotations

import gzip
import math
import re
import zlib
from collections.abc import Collection, Iterable
from glob import escape
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from cosembed.datasets.heart.medical_images import open_image, read_pixels
from cosembed.datasets.heart.slices import CAVITY, MYOCARDIUM, HeartSlice, central_indices
from cosembed.errors import DataError
from cosembed.files.reading import MAX_PAGES_BYTES, read_text, reason

_VIDEO = "_4d.nii.gz"
_TRUTH = "_gt.nii.gz"
_NUMBER = re.compile(r"[0-9]{2,9}")
_CLASSES = np.array([0, 0, MYOCARDIUM, CAVITY], np.uint8)
_CHUNK = 2**20
# A NIfTI-1 header with what tells of extensions; voxels said to begin earlier would be read from the header
# itself.
_HEADER_BYTES = 352


def read_acdc(root: Path, slices: int = 3, only: Collection[str] | None = None) -> list[HeartSlice]:
    """Reads every patient below a folder, or those named in `only`.

    Args:
        root: Any folder above the patients' folders, or one patient's folder.
        slices: How many central slices of each patient are read, at least 1; counted among those whose labels
            show the left ventricle both at ED and at ES. A patient with fewer gives all of them.
        only: The names of the patients to read; None for all.

    Returns:
        The slices by patient and position; labelled are the frames ED and ES, and those others that have a
        file of labels.

    Raises:
        DataError: No patients, or files that are missing, damaged, or contradict each other; names the file.
    """
    videos = find_acdc(root)
    wanted = sorted(videos if only is None else videos.keys() & set(only))
    return [item for patient in wanted for item in _read_patient(patient, videos[patient], slices)]


def find_acdc(root: Path) -> dict[str, Path]:
    """Finds every patient below a folder, name -> file of the video; reads no images.

    Raises:
        DataError: No patients, one that is there twice, or two in one folder.
    """
    videos: dict[str, Path] = {}
    for path in sorted(root.rglob(f"[!.]*{_VIDEO}")):
        patient = path.name.removesuffix(_VIDEO)
        if patient in videos:
            raise DataError(f"{path}: is the same patient as {videos[patient]}; keep one of them")
        if path.parent in {other.parent for other in videos.values()}:
            raise DataError(
                f"{path}: shares its folder, and so Info.cfg, with another patient; separate them"
            )
        videos[patient] = path
    if not videos:
        raise DataError(
            f"{root}: holds no patients; put folders such as patient001 with patient001{_VIDEO} there"
        )
    return videos


def _read_patient(patient: str, path: Path, count: int) -> list[HeartSlice]:
    info = path.with_name("Info.cfg")
    phases = _read_info(info)
    video = _read_nifti(path, 4)
    for key, number in phases.items():
        if not 1 <= number <= len(video):
            raise DataError(
                f"{info}: {key} is frame {number}, but {path.name} has frames 1 to {len(video)}; correct it"
            )
    truth = {
        number - 1: _read_truth(file, video.shape[1:])
        for number, file in _truth_files(patient, path, phases.values(), len(video)).items()
    }
    ends = [truth[number - 1] for number in phases.values()]
    usable = [index for index in range(video.shape[1]) if all(labels[index].any() for labels in ends)]
    if not usable:
        raise DataError(
            f"{path}: no slice shows the left ventricle in the labels of both ED and ES; "
            "leave the patient out"
        )
    labelled = np.isin(np.arange(len(video)), list(truth))
    found = []
    for index in central_indices(usable, count):
        # A copy, lest the slice keep the whole video in memory.
        frames_of_slice = video[:, index].copy()
        labels = np.zeros(frames_of_slice.shape, np.uint8)
        for frame, volume in truth.items():
            labels[frame] = volume[index]
        found.append(HeartSlice(patient, index, frames_of_slice, labels, labelled.copy()))
    return found


def _read_info(path: Path) -> dict[str, int]:
    """Reads the frame numbers of ED and ES, counted from 1."""
    if not path.is_file():
        raise DataError(f"{path}: does not exist; put the patient's Info.cfg there, with the lines ED and ES")
    try:
        text = read_text(path, MAX_PAGES_BYTES)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: is not a text ({reason(error)}); restore the patient's Info.cfg") from error
    lines = (line.partition(":") for line in text.splitlines())
    values = {key.strip(): value.strip() for key, _, value in lines}
    for key in ("ED", "ES"):
        if key not in values:
            raise DataError(f"{path}: has no line '{key}: NUMBER'; add it")
        if not (values[key].isascii() and values[key].isdecimal() and len(values[key]) < 10):
            raise DataError(f"{path}: {key} is '{values[key][:60]}'; give a frame number, counted from 1")
    return {key: int(values[key]) for key in ("ED", "ES")}


def _truth_files(patient: str, video: Path, required: Iterable[int], frames: int) -> dict[int, Path]:
    """Finds the files of labels beside a video, by frame number.

    Args:
        patient: The patient's name.
        video: The video's file.
        required: The numbers of frames that must be labelled: theirs are named whether or not they exist.
        frames: How many frames the video has.
    """
    start = f"{patient}_frame"
    files = {number: video.with_name(f"{start}{number:02d}{_TRUTH}") for number in required}
    for path in sorted(video.parent.glob(f"{escape(start)}*{_TRUTH}")):
        text = path.name.removeprefix(start).removesuffix(_TRUTH)
        number = int(text) if _NUMBER.fullmatch(text) else 0
        if f"{number:02d}" != text or not 1 <= number <= frames:
            raise DataError(
                f"{path}: is not named after a frame of {video.name}, which has frames 01 to {frames:02d}; "
                "rename it, or remove it"
            )
        files[number] = path
    return files


def _read_truth(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Reads labels as uint8 [slice, y, x] in our classes."""
    if not path.is_file():
        raise DataError(f"{path}: does not exist; add the labels, or leave the patient out")
    labels = _read_nifti(path, 3)
    if labels.shape != shape:
        raise DataError(
            f"{path}: has {_size(labels.shape)} voxels, a frame of the video {_size(shape)}; make them equal"
        )
    unknown = np.setdiff1d(labels, np.arange(len(_CLASSES)))
    if unknown.size:
        raise DataError(
            f"{path}: holds the label {unknown[0]:g}; labels are 0 to {len(_CLASSES) - 1}, correct it"
        )
    return _CLASSES[labels.astype(np.uint8)]


def _read_nifti(path: Path, dimensions: int) -> NDArray:
    """Reads the voxels, [time, slice, y, x] for 4 dimensions, [slice, y, x] for 3."""
    reader = open_image(path, "NiftiImageIO")
    if reader.GetDimension() > dimensions:
        raise DataError(f"{path}: has {reader.GetDimension()} dimensions; save it with {dimensions}")
    _check_whole(path, reader)
    pixels = read_pixels(reader)
    # ITK drops the last axes of length 1: a video of one frame comes as a volume.
    return pixels.reshape((1,) * (dimensions - pixels.ndim) + pixels.shape)


def _check_whole(path: Path, reader: sitk.ImageFileReader) -> None:
    """Raises `DataError` for a truncated file, whose missing voxels ITK would silently replace by zeros."""
    voxels = math.prod(reader.GetSize()) * int(reader.GetMetaData("bitpix")) // 8
    begin = int(float(reader.GetMetaData("vox_offset")))
    if begin < _HEADER_BYTES:
        raise DataError(
            f"{path}: states that its voxels begin at byte {begin}, within the header; save it again"
        )
    missing = voxels + begin
    try:
        with gzip.open(path) as stream:
            while missing > 0 and (chunk := stream.read(_CHUNK)):
                missing -= len(chunk)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: cannot be unpacked; the file is damaged or truncated, replace it"
        ) from error
    if missing > 0:
        raise DataError(f"{path}: lacks {missing} bytes of its voxels; the file is truncated, replace it")


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape[::-1]))

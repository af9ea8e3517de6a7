"""Writes small cardiac studies in the layouts of ACDC and STACOM 2011, with SimpleITK."""

from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

HEIGHT, WIDTH = 12, 16


def ring(height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.uint8]:
    """A myocardium of 5 x 6 pixels (1) around a cavity of 3 x 4 (2)."""
    classes = np.zeros((height, width), np.uint8)
    classes[3:8, 4:10] = 1
    classes[4:7, 5:9] = 2
    return classes


def numbered_video(frames: int, slices: int) -> NDArray[np.int16]:
    """[time, slice, y, x]; every voxel tells its own place."""
    time, index, y, x = np.indices((frames, slices, HEIGHT, WIDTH))
    return (time * 5000 + index * 1000 + y * 20 + x).astype(np.int16)


def write_nifti(path: Path, voxels: NDArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(voxels, isVector=False), str(path))


def write_acdc(
    folder: Path,
    patient: str = "patient001",
    frames: int = 4,
    with_heart: tuple[int, ...] = (0, 1, 2, 3, 4),
    slices: int = 5,
    labelled: tuple[int, ...] = (1, 3),
) -> Path:
    """ED is frame 1, ES frame 3; a right ventricle is in every slice, the left one in those named."""
    write_nifti(folder / f"{patient}_4d.nii.gz", numbered_video(frames, slices))
    truth = np.zeros((slices, HEIGHT, WIDTH), np.uint8)
    truth[:, 10, :3] = 1
    for index in with_heart:
        truth[index] += np.array([0, 2, 3], np.uint8)[ring()]
    for number in labelled:
        write_nifti(folder / f"{patient}_frame{number:02d}_gt.nii.gz", truth)
    (folder / "Info.cfg").write_text("ED: 1\nES: 3\nGroup: DCM\nHeight: 160.0\n")
    return folder


def write_dicom(path: Path, pixels: NDArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(pixels, isVector=False)
    tags = {"0008|0060": "MR", "0010|0020": "DET", "0020|000d": "1.2.3", "0020|000e": "1.2.3.4"}
    for tag, value in tags.items():
        image.SetMetaData(tag, value)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetFileName(str(path))
    writer.Execute(image)


def write_png(path: Path, pixels: NDArray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels)))


def write_stacom(
    root: Path,
    patient: str = "DET0000101",
    slices: tuple[int, ...] = (1, 2, 3),
    phases: int = 3,
    encode: Callable[[NDArray], NDArray] = lambda classes: (classes == 1) * np.uint8(255),
) -> Path:
    """A pixel of slice s and phase p has the value 100 s + p, but for the top left one, which is 0."""
    folder = root / patient
    for index in slices:
        for phase in range(phases):
            pixels = np.full((HEIGHT, WIDTH), 100 * index + phase, np.uint16)
            pixels[0, 0] = 0
            write_dicom(folder / f"{patient}_SA{index}_ph{phase}.dcm", pixels)
            write_png(folder / f"{patient}_SA{index}_ph{phase}.png", encode(ring()))
    return folder

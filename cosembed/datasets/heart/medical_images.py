"""Reads medical images, NIfTI and DICOM, and checks what ITK would pass over. Knows no data set's layout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from cosembed.errors import DataError
from cosembed.files.reading import check_extent


def open_image(path: Path, kind: str) -> sitk.ImageFileReader:
    """Opens a medical image: the reader holds its header, and no pixels yet.

    Args:
        path: The file.
        kind: ITK's name of the format, such as `NiftiImageIO` or `GDCMImageIO` (DICOM).

    Raises:
        DataError: It is missing, of another kind, damaged, in colour, or of an absurd size.
    """
    if not path.is_file():
        raise DataError(f"{path}: does not exist; check the path")
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    reader.SetImageIO(kind)
    with _errors_of(path):
        reader.ReadImageInformation()
    if reader.GetNumberOfComponents() != 1:
        raise DataError(f"{path}: has {reader.GetNumberOfComponents()} values per voxel; save it with one")
    with _errors_of(path):
        voxel = sitk.GetArrayViewFromImage(sitk.Image([1, 1], reader.GetPixelID()))
    check_extent(str(path), reader.GetSize(), voxel.itemsize)
    return reader


def read_pixels(reader: sitk.ImageFileReader) -> NDArray:
    """Reads the voxels of an opened image, [time, slice, y, x] or the last of these axes.

    Returns:
        Whole numbers in their native type; others as float32, where ITK has put 0 for NaN and infinity.

    Raises:
        DataError: The file is damaged.
    """
    with _errors_of(Path(reader.GetFileName())):
        pixels = sitk.GetArrayFromImage(reader.Execute())
    return pixels.astype(np.float32, copy=False) if pixels.dtype.kind == "f" else pixels


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    """Turns ITK's errors into one sentence; silences its warnings, about headers that do no harm."""
    shown = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    except RuntimeError as error:
        raise DataError(
            f"{path}: cannot be read; the file is damaged, truncated or of another kind, replace it"
        ) from error
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(shown)

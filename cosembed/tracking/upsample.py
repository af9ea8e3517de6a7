"""Upsamples labels from the network's grid to the original image (step 13 of `cosembed.tracking`).

This is the inverse of the test transform. Knows label images only, neither tracks nor files.
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from cosembed.preprocessing.geometry import Grid
from cosembed.preprocessing.label_smoothing import smooth_labels
from cosembed.specs import UpsamplingSpec


def upsample_labels(
    labels: NDArray[np.uint16], grid: Grid, image_shape: tuple[int, int], spec: UpsamplingSpec
) -> NDArray[np.uint16]:
    """Upsamples the labels of one frame to the size of the original image.

    Args:
        labels: uint16 [N, N], on the network's grid.
        grid: Where the network's pixels lie in the original image.
        image_shape: Height and width of the original image.
        spec: The method, and the sigma of its Gaussian in original pixels.

    Returns:
        uint16 [H, W]; 0 where the network saw nothing, because of a crop or the test zoom.
    """
    if spec.method == "label_gaussian":
        return _label_gaussian(labels, grid, image_shape)
    rows, row_inside = _nearest(image_shape[0], grid.scale_y, grid.offset_y, labels.shape[0])
    columns, column_inside = _nearest(image_shape[1], grid.scale_x, grid.offset_x, labels.shape[1])
    image = labels[rows][:, columns] * (row_inside[:, None] & column_inside[None])
    return smooth_labels(image, spec.sigma)


def _nearest(
    side: int, scale: float, offset: float, count: int
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Finds for every original row or column the nearest of the network, and whether the network saw it."""
    position = (np.arange(side) - offset) / scale
    inside = (position >= -0.5) & (position < count - 0.5)
    return np.clip(np.floor(position + 0.5).astype(np.intp), 0, count - 1), inside


def _label_gaussian(
    labels: NDArray[np.uint16], grid: Grid, image_shape: tuple[int, int]
) -> NDArray[np.uint16]:
    source = sitk.GetImageFromArray(labels)
    to_network = sitk.AffineTransform(2)
    to_network.SetMatrix([1 / grid.scale_x, 0, 0, 1 / grid.scale_y])
    to_network.SetTranslation([-grid.offset_x / grid.scale_x, -grid.offset_y / grid.scale_y])
    height, width = image_shape
    return sitk.GetArrayFromImage(sitk.Resample(source, (width, height), to_network, sitk.sitkLabelGaussian))

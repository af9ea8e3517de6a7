"""Applies one drawn spatial transform to the frames, labels and loss mask of a clip, with SimpleITK. Draws nothing.

The whole transform is composed into one displacement field over the network's grid; every frame is resampled with it.
Mirror padding is done by folding the field's sampling points back into the image, which gives the pixels of an image
padded by half its size on each side without making it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from cosembed.augment.parameters import SpatialParameters
from cosembed.data.preprocessing import OUTSIDE, Padding
from cosembed.errors import SpecError
from cosembed.specs import AugmentationSpec

SPLINE_ORDER = 3


@dataclass(frozen=True)
class Sampling:
    """Where the network's pixels are sampled in the image.

    Attributes:
        field: Displacements over the network grid, (x, y) in image pixels, that lead to points inside the image.
        inside: bool [N, N]; the pixel lies in the image itself.
        covered: bool [N, N]; it lies in the image or its mirror padding.
        outside: The intensity where neither reaches.
    """

    field: sitk.Image
    inside: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    outside: float


def check_elastic(spec: AugmentationSpec) -> None:
    """Raises `SpecError` if the elastic grid is too small for its spline."""
    if 0 < spec.elastic_grid <= SPLINE_ORDER:
        raise SpecError(
            f"augmentation.elastic_grid is {spec.elastic_grid}; its spline needs {SPLINE_ORDER + 1} or more, or 0 for none"
        )


def make_sampling(
    image_shape: tuple[int, int], image_size: int, parameters: SpatialParameters, padding: Padding
) -> Sampling:
    """Composes the transform of a clip. The image is scaled to fit the network's square, aspect ratio kept.

    From a network pixel to an image pixel: elastic movement, flip, zoom and rotation about the centre, translation, scale.

    Args:
        image_shape: Height and width of the (cropped) image.
        image_size: Side N of the network's input.
        parameters: What was drawn, in network pixels.
        padding: What lies outside the image.
    """
    height, width = image_shape
    identity = np.stack(
        np.meshgrid(np.arange(image_size), np.arange(image_size), indexing="xy"), axis=-1
    ).astype(np.float64)
    field = sitk.TransformToDisplacementField(
        _compose(image_shape, image_size, parameters), sitk.sitkVectorFloat64, (image_size, image_size)
    )
    points = identity + sitk.GetArrayViewFromImage(field)
    sides = np.array([width, height])
    inside = ((points >= -0.5) & (points < sides - 0.5)).all(axis=-1)
    half = sides // 2
    covered = (
        ((points >= -0.5 - half) & (points < sides + half - 0.5)).all(axis=-1)
        if padding == "mirror"
        else inside
    )
    # Edge pixels are repeated by the mirror: the period is twice the side, the fold lies half a pixel outside.
    folded = (points + 0.5) % (2 * sides)
    folded = np.where(folded < sides, folded, 2 * sides - folded) - 0.5
    folded = np.clip(folded, 0, sides - 1)
    return Sampling(
        sitk.GetImageFromArray(folded - identity, isVector=True), inside, covered, OUTSIDE[padding]
    )


def resample_image(image: NDArray[np.float32], sampling: Sampling) -> NDArray[np.float32]:
    """Linear interpolation: float32 [h, w, C] -> [N, N, C]; `outside` where neither the image nor its mirror reaches."""
    side = sampling.covered.shape[0]
    # A scalar image is copied into ITK several times faster than a vector image of one component.
    grey = image.shape[-1] == 1
    source = sitk.GetImageFromArray(image[..., 0] if grey else image, isVector=not grey)
    result = _warp(source, sampling, sitk.sitkLinear).reshape(side, side, image.shape[-1])
    result[~sampling.covered] = sampling.outside
    return result


def resample_labels(labels: NDArray, sampling: Sampling) -> NDArray:
    """Nearest neighbour: integers [h, w] -> [N, N]; 0 outside the image, which is never mirrored."""
    first = labels[0, 0]
    if (labels == first).all():
        return np.where(sampling.inside, first, 0).astype(labels.dtype)
    result = _warp(sitk.GetImageFromArray(labels), sampling, sitk.sitkNearestNeighbor)
    result[~sampling.inside] = 0
    return result


def shift_frame(frame: NDArray, shift: NDArray[np.int64], *, mirror: bool) -> NDArray:
    """Moves a frame [N, N, ...] by whole pixels (y, x); new pixels mirror the frame or are 0 (released code: drift, jiggle)."""
    if not shift.any():
        return frame
    pad = [(abs(int(amount)), abs(int(amount))) for amount in shift] + [(0, 0)] * (frame.ndim - 2)
    padded = np.pad(frame, pad, mode="symmetric" if mirror else "constant")
    rows, columns = (slice(abs(int(amount)) - int(amount), None) for amount in shift)
    return padded[rows, columns][: frame.shape[0], : frame.shape[1]]


def _warp(source: sitk.Image, sampling: Sampling, interpolator: int) -> NDArray:
    # Warp reads the field at its own grid points, where Resample would interpolate it: the same values, sooner.
    return sitk.GetArrayFromImage(sitk.Warp(source, sampling.field, interpolator, sampling.field.GetSize()))


def affine_about_centre(
    image_shape: tuple[int, int], image_size: int, parameters: SpatialParameters
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The transform without its elastic part: network pixel p is at c + matrix (p - c) + translation in the image.

    Args:
        image_shape: Height and width of the (cropped) image.
        image_size: Side N of the network's input; its centre c is (N - 1) / 2.
        parameters: What was drawn.

    Returns:
        Matrix [2, 2] and translation [2], both (x, y).
    """
    height, width = image_shape
    scale = max(height, width) / image_size
    flip = np.diag([-1.0 if flipped else 1.0 for flipped in reversed(parameters.flip)])
    zoom = np.diag([1.0 / factor for factor in reversed(parameters.zoom)])
    cosine, sine = np.cos(parameters.rotation), np.sin(parameters.rotation)
    rotation = np.array([[cosine, -sine], [sine, cosine]])
    centre_shift = np.array([width - 1, height - 1]) / 2 - (image_size - 1) / 2
    return scale * rotation @ zoom @ flip, centre_shift - scale * np.array(parameters.translation[::-1])


def elastic_spline(image_size: int, grid: int) -> sitk.BSplineTransform:
    """The elastic movement of the network's square with `grid` x `grid` control points, none of them moved yet."""
    domain = sitk.Image(image_size, image_size, sitk.sitkUInt8)
    return sitk.BSplineTransformInitializer(domain, [grid - SPLINE_ORDER] * 2, SPLINE_ORDER)


def _compose(image_shape: tuple[int, int], image_size: int, parameters: SpatialParameters) -> sitk.Transform:
    matrix, translation = affine_about_centre(image_shape, image_size, parameters)
    affine = sitk.AffineTransform(2)
    affine.SetCenter([(image_size - 1) / 2] * 2)
    affine.SetMatrix(matrix.ravel().tolist())
    affine.SetTranslation(translation.tolist())
    grid = parameters.elastic.shape[0]
    if grid <= SPLINE_ORDER or not parameters.elastic.any():
        return affine
    spline = elastic_spline(image_size, grid)
    spline.SetParameters(
        np.concatenate([parameters.elastic[..., 1].ravel(), parameters.elastic[..., 0].ravel()]).tolist()
    )
    # The transform added last is applied first.
    composite = sitk.CompositeTransform(2)
    composite.AddTransform(affine)
    composite.AddTransform(spline)
    return composite

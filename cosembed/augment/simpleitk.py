"""Augments clips with SimpleITK, frame by frame on the processor. Applies what was drawn and draws nothing.

The whole spatial transform of a clip is composed into one displacement field over the network's grid, with
which every frame is resampled. Mirror padding is done by folding the field's sampling points back into the
image, which gives the pixels of an image padded by half its size on each side without making that image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from cosembed.augment.elastic import elastic_spline, spatial_of_frames
from cosembed.augment.interface import AugmentedClip, RawClip
from cosembed.augment.parameters import SPLINE_ORDER, IntensityParameters, SpatialParameters
from cosembed.augment.placement import Placement, Window, place_clip, training_window
from cosembed.preprocessing.frames import OUTSIDE, Padding
from cosembed.preprocessing.label_smoothing import smooth_labels
from cosembed.specs import TrainedSpec


class SimpleITKAugmenter:
    """Augments clips on the processor; the default `Augmenter`.

    Args:
        spec: The source of the image's size, the scale of windows, padding and label smoothing.
    """

    def __init__(self, spec: TrainedSpec) -> None:
        self._spec = spec
        self._image_size = spec.network.image_size
        self._preprocessing = spec.preprocessing

    def __call__(self, clips: Sequence[RawClip]) -> list[AugmentedClip]:
        """Returns the augmented clips in the order of the raw ones."""
        return [self._augment(clip) for clip in clips]

    def _augment(self, clip: RawClip) -> AugmentedClip:
        height, width, _ = clip.frames[0].shape
        shape, padding = (height, width), self._preprocessing.padding
        window, shifts = training_window(shape, self._spec), clip.spatial.shifts
        samplings = [
            make_sampling(shape, self._image_size, spatial, padding, window)
            for spatial in spatial_of_frames(clip.spatial, len(shifts))
        ]
        if len(samplings) == 1:
            samplings *= len(shifts)
        image = [
            shift_frame(resample_image(frame, sampling), shift, mirror=True)
            for frame, sampling, shift in zip(clip.frames, samplings, shifts, strict=True)
        ]
        sigma = self._preprocessing.label_smoothing
        labels = [
            shift_frame(smooth_labels(resample_labels(frame, sampling), sigma), shift, mirror=False)
            for frame, sampling, shift in zip(clip.labels, samplings, shifts, strict=True)
        ]
        loss_masks = [
            shift_frame(resample_labels(clip.loss_mask, sampling), shift, mirror=False)
            for sampling, shift in zip(samplings, shifts, strict=True)
        ]
        return AugmentedClip(
            image=change_intensity(np.stack(image), clip.intensity),
            labels=np.stack(labels),
            loss_masks=np.stack(loss_masks),
        )


@dataclass(frozen=True)
class Sampling:
    """Says where in the image the network's pixels are sampled.

    Attributes:
        box: The rows and columns of the image that are needed, (y, x).
        field: Displacements over the network grid, (x, y) in image pixels, that lead to points inside the
            box, counted from its first pixel.
        nearest: [N, N]; the box's pixel nearest to that point, counted row by row.
        inside: bool [N, N]; True where the pixel lies in the image itself.
        covered: bool [N, N]; True where it lies in the image or in its mirror padding.
        outside: The intensity of pixels that neither reaches.
    """

    box: tuple[slice, slice]
    field: sitk.Image
    nearest: NDArray[np.intp]
    inside: NDArray[np.bool_]
    covered: NDArray[np.bool_]
    outside: float


def make_sampling(
    image_shape: tuple[int, int],
    image_size: int,
    parameters: SpatialParameters,
    padding: Padding,
    window: Window | None = None,
) -> Sampling:
    """Composes the transform that leads from the network's pixels to places in the image.

    The transform applies, in this order, the elastic movement, flip, zoom and rotation about the centre, the
    translation, and the scale.

    Args:
        image_shape: Height and width of the (cropped) image.
        image_size: Side N of the network's input.
        parameters: The transform of a frame, in network pixels.
        padding: What is assumed to lie outside the image.
        window: What the network sees of the image; None: the image is scaled to fit the network's square, and
            its aspect ratio is kept.

    Returns:
        Where each of the N x N network pixels is sampled.
    """
    height, width = image_shape
    identity = np.stack(
        np.meshgrid(np.arange(image_size), np.arange(image_size), indexing="xy"), axis=-1
    ).astype(np.float64)
    placement = place_clip(image_shape, image_size, parameters, window)
    field = sitk.TransformToDisplacementField(
        _compose(placement, image_size, parameters.elastic), sitk.sitkVectorFloat64, (image_size, image_size)
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
    # Edge pixels are repeated by the mirror: the period is twice the side, the fold lies half a pixel
    # outside.
    folded = (points + 0.5) % (2 * sides)
    folded = np.where(folded < sides, folded, 2 * sides - folded) - 0.5
    folded = np.clip(folded, 0, sides - 1)
    rows, columns = placement.rows, placement.columns
    displacements = folded - [columns.start, rows.start] - identity
    column, row = np.moveaxis(np.floor(identity + displacements + 0.5).astype(np.intp), -1, 0)
    field = sitk.GetImageFromArray(displacements, isVector=True)
    nearest = row * (columns.stop - columns.start) + column
    return Sampling((rows, columns), field, nearest, inside, covered, OUTSIDE[padding])


def resample_image(image: NDArray[np.float32], sampling: Sampling) -> NDArray[np.float32]:
    """Resamples an image with linear interpolation.

    Args:
        image: float32 [h, w, C].
        sampling: Where to sample it.

    Returns:
        float32 [N, N, C]; `sampling.outside` where neither the image nor its mirror padding reaches.
    """
    side = sampling.covered.shape[0]
    # A scalar image is copied into ITK several times faster than a vector image of one component.
    grey = image.shape[-1] == 1
    image = image[sampling.box]
    source = sitk.GetImageFromArray(image[..., 0] if grey else image, isVector=not grey)
    # Warp reads the field at its own grid points, where Resample would interpolate it: the same values,
    # sooner.
    warped = sitk.Warp(source, sampling.field, sitk.sitkLinear, sampling.field.GetSize())
    result = sitk.GetArrayFromImage(warped).reshape(side, side, image.shape[-1])
    result[~sampling.covered] = sampling.outside
    return result


def resample_labels(labels: NDArray, sampling: Sampling) -> NDArray:
    """Resamples labels from their nearest pixels.

    Args:
        labels: Integers or booleans [h, w].
        sampling: Where to sample them.

    Returns:
        [N, N] of the same dtype; 0 outside the image, because labels are never mirrored.
    """
    # What ITK's interpolator of nearest neighbours gives, which searches them anew for every frame.
    result = labels[sampling.box].reshape(-1).take(sampling.nearest)
    result[~sampling.inside] = 0
    return result


def shift_frame(frame: NDArray, shift: NDArray[np.int64], *, mirror: bool) -> NDArray:
    """Moves a frame by whole pixels, as drift and jiggle do (released code).

    Args:
        frame: [N, N, ...].
        shift: (y, x), in network pixels.
        mirror: Whether the pixels that come into view mirror the frame; otherwise they are 0.
    """
    if not shift.any():
        return frame
    pad = [(abs(int(amount)), abs(int(amount))) for amount in shift] + [(0, 0)] * (frame.ndim - 2)
    padded = np.pad(frame, pad, mode="symmetric" if mirror else "constant")
    rows, columns = (slice(abs(int(amount)) - int(amount), None) for amount in shift)
    return padded[rows, columns][: frame.shape[0], : frame.shape[1]]


def change_intensity(clip: NDArray[np.float32], parameters: IntensityParameters) -> NDArray[np.float32]:
    """Changes the intensities of a clip by gamma, by the clip's shift and scale, and by every frame's own.

    Args:
        clip: float32 [T, N, N, C].
        parameters: The drawn changes, for T frames.

    Returns:
        float32 [T, N, N, C]; values are not clamped (released code).
    """
    if parameters.gamma != 1.0:
        low, high = clip.min(), clip.max()
        span = max(float(high - low), 1e-6)
        clip = ((clip - low) / span) ** np.float32(parameters.gamma) * span + low
    clip = (clip + parameters.shift) * parameters.scale
    frame_shift = parameters.frame_shift[:, None, None, None]
    frame_scale = parameters.frame_scale[:, None, None, None]
    return ((clip + frame_shift) * frame_scale).astype(np.float32)


def _compose(placement: Placement, image_size: int, elastic: NDArray[np.float64]) -> sitk.Transform:
    affine = sitk.AffineTransform(2)
    affine.SetCenter([(image_size - 1) / 2] * 2)
    affine.SetMatrix(placement.matrix.ravel().tolist())
    affine.SetTranslation(placement.translation.tolist())
    grid = elastic.shape[0]
    if grid <= SPLINE_ORDER or not elastic.any():
        return affine
    spline = elastic_spline(image_size, grid)
    spline.SetParameters(np.concatenate([elastic[..., 1].ravel(), elastic[..., 0].ravel()]).tolist())
    # The transform added last is applied first.
    composite = sitk.CompositeTransform(2)
    composite.AddTransform(affine)
    composite.AddTransform(spline)
    return composite

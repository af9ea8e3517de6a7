"""Evaluates the elastic movement of clips: cubic B-splines over the network's square and a clip's frames.

A spline in space and time is the product of one along each axis, so that the movement of one frame is a
spline in space alone, whose control points are sums over those along time. Knows what was drawn, no pixels.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from cosembed.augment.parameters import SPLINE_ORDER, SpatialParameters


def spatial_of_frames(spatial: SpatialParameters, frames: int) -> list[SpatialParameters]:
    """Resolves what was drawn for a clip into the transforms of its frames.

    Args:
        spatial: What was drawn for the clip.
        frames: The number of frames T.

    Returns:
        One transform that holds for all frames if the movement does not change during the clip; else T, each
        with the control points [grid, grid, 2] of its frame.
    """
    if spatial.elastic.ndim == 3:
        return [spatial]
    weights = spline_weights(spline_places(frames, len(spatial.elastic)), len(spatial.elastic))
    return [replace(spatial, elastic=elastic) for elastic in np.tensordot(weights, spatial.elastic, axes=1)]


def elastic_spline(image_size: int, grid: int) -> sitk.BSplineTransform:
    """Makes the spline of `grid` x `grid` control points over the network's square, none moved yet."""
    domain = sitk.Image(image_size, image_size, sitk.sitkUInt8)
    return sitk.BSplineTransformInitializer(domain, [grid - SPLINE_ORDER] * 2, SPLINE_ORDER)


def spline_places(count: int, grid: int) -> NDArray[np.float64]:
    """Says where the pixels of an axis lie between ITK's control points, which are at 0, 1, ..., grid - 1.

    Args:
        count: The number of pixels, or of frames.
        grid: The number of control points.

    Returns:
        float64 [count].
    """
    # ITK's knots begin and end a little outside the outermost pixels, and its first coefficient lies one
    # knot before them.
    domain = elastic_spline(count, grid)
    begin, length = domain.GetTransformDomainOrigin()[0], domain.GetTransformDomainPhysicalDimensions()[0]
    return (np.arange(count) - begin) * (grid - SPLINE_ORDER) / length + 1


def spline_weights(places: NDArray[np.float64], grid: int) -> NDArray[np.float64]:
    """Weighs the coefficients of a uniform cubic B-spline.

    Args:
        places: float64 [N], where the spline is evaluated.
        grid: The number of coefficients, one at every integer from 0 on.

    Returns:
        float64 [N, grid]; its product with the coefficients are the spline's values.
    """
    distance = np.abs(places[:, None] - np.arange(grid))
    near, far = 2 / 3 - distance**2 + distance**3 / 2, (2 - distance) ** 3 / 6
    return np.select([distance < 1, distance < 2], [near, far])

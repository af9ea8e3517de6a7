"""Draws every random number of a clip's augmentation. Knows no image; the augmenters apply what is drawn.

All draws are uniform (paper appendix 6). Translation, elastic movement, drift and jiggle are in network
pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosembed.errors import SpecError
from cosembed.specs import AugmentationSpec

# The splines of elastic movement are of third order (paper appendix 6).
SPLINE_ORDER = 3
Pair = tuple[float, float]


@dataclass(frozen=True)
class SpatialParameters:
    """Describes one spatial transform of all frames of a clip. Pairs and last axes are in the order (y, x).

    Attributes:
        translation: Movement of the whole image, in network pixels.
        flip: Whether each axis is reversed.
        rotation: Angle in radians, about the centre.
        zoom: Factor along each axis; above 1 enlarges.
        elastic: float64 [grid, grid, 2]: movement of the spline's control points, in network pixels; empty if
            it is off. If the movement changes during the clip: [times, grid, grid, 2].
        shifts: int64 [T, 2]: drift plus jiggle of every frame, cut to whole network pixels.
        position: Where a window lies in the room that it has in the image along each axis, from -1 to 1; 0 is
            the middle. It has no meaning where the whole image is seen.
    """

    translation: Pair
    flip: tuple[bool, bool]
    rotation: float
    zoom: Pair
    elastic: NDArray[np.float64]
    shifts: NDArray[np.int64]
    position: Pair = (0.0, 0.0)


@dataclass(frozen=True)
class IntensityParameters:
    """Describes the changes of a clip's intensities, in the order in which they are applied.

    Attributes:
        gamma: Exponent on the clip rescaled to 0..1 by its own least and largest value; 1 is off.
        shift: What is added to all frames.
        scale: What all frames are then multiplied by.
        frame_shift: float64 [T]: what is added to each frame.
        frame_scale: float64 [T]: what each frame is then multiplied by.
    """

    gamma: float
    shift: float
    scale: float
    frame_shift: NDArray[np.float64]
    frame_scale: NDArray[np.float64]


def check_elastic(spec: AugmentationSpec) -> None:
    """Checks that the elastic grid has enough control points for its spline, in space and in time.

    Raises:
        SpecError: It has fewer than `SPLINE_ORDER` + 1 along an axis, but more than none.
    """
    for name in ("elastic_grid", "elastic_times"):
        points = getattr(spec, name)
        if 0 < points <= SPLINE_ORDER:
            raise SpecError(
                f"augmentation.{name} is {points}; its spline needs {SPLINE_ORDER + 1} or more, or 0 for none"
            )


def draw_spatial(generator: np.random.Generator, spec: AugmentationSpec, frames: int) -> SpatialParameters:
    """Draws the spatial transform of a clip.

    Args:
        generator: The source of every draw; the order of the draws is fixed, so that a seed always gives the
            same clip.
        spec: The half-widths of the distributions.
        frames: Number of frames T.
    """

    def pair(half_width: float, centre: float = 0.0) -> Pair:
        first, second = generator.uniform(centre - half_width, centre + half_width, 2)
        return float(first), float(second)

    flips = generator.random(2) < spec.flip
    drift = generator.uniform(-spec.drift, spec.drift, 2)
    # The drift grows linearly with the frame's number over the clip's length (released code).
    path = np.arange(frames)[:, None] / frames * drift + generator.uniform(
        -spec.jiggle, spec.jiggle, (frames, 2)
    )
    grid = spec.elastic_grid
    control_points = (spec.elastic_times, grid, grid, 2) if spec.elastic_times else (grid, grid, 2)
    translation = pair(spec.translation)
    rotation = float(np.deg2rad(generator.uniform(-spec.rotation, spec.rotation)))
    zoom = pair(spec.zoom, 1.0)
    elastic = generator.uniform(-spec.elastic_amplitude, spec.elastic_amplitude, control_points)
    # The follow-up's draws come last, so that a clip's other changes do not depend on them.
    position = pair(1.0)
    common_zoom = float(generator.uniform(1 - spec.common_zoom, 1 + spec.common_zoom))
    zoom = zoom[0] * common_zoom, zoom[1] * common_zoom
    return SpatialParameters(
        translation=translation,
        flip=(bool(flips[0]), bool(flips[1])),
        rotation=rotation,
        zoom=(1 / zoom[0], 1 / zoom[1]) if spec.zoom_widens else zoom,
        elastic=elastic,
        shifts=np.trunc(path).astype(np.int64),
        position=position,
    )


def draw_intensity(
    generator: np.random.Generator, spec: AugmentationSpec, frames: int
) -> IntensityParameters:
    """Draws the changes of a clip's intensities.

    Args:
        generator: The source of every draw, in a fixed order.
        spec: The half-widths of the distributions.
        frames: Number of frames T.
    """
    return IntensityParameters(
        gamma=float(generator.uniform(1 - spec.gamma, 1 + spec.gamma)),
        shift=float(generator.uniform(-spec.shift, spec.shift)),
        scale=float(generator.uniform(1 - spec.scale, 1 + spec.scale)),
        frame_shift=generator.uniform(-spec.frame_shift, spec.frame_shift, frames),
        frame_scale=generator.uniform(1 - spec.frame_scale, 1 + spec.frame_scale, frames),
    )

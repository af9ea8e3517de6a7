"""Draws every random number of a clip's augmentation. Knows no images: what is drawn is applied elsewhere.

All draws are uniform (paper appendix 6). Translation, elastic movement, drift and jiggle are in network pixels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosembed.specs import AugmentationSpec

Pair = tuple[float, float]


@dataclass(frozen=True)
class SpatialParameters:
    """One spatial transform for all frames of a clip; pairs and last axes are (y, x).

    Attributes:
        translation: Network pixels.
        flip: Per axis.
        rotation: Radians.
        zoom: Factor per axis; above 1 enlarges.
        elastic: Movement of the spline's control points, float [grid, grid, 2] in network pixels; empty if off.
        shifts: Whole network pixels per frame, int [T, 2]: drift plus jiggle, cut to integers.
    """

    translation: Pair
    flip: tuple[bool, bool]
    rotation: float
    zoom: Pair
    elastic: NDArray[np.float64]
    shifts: NDArray[np.int64]


@dataclass(frozen=True)
class IntensityParameters:
    """Intensity changes of a clip; `frame_*` have one entry per frame."""

    gamma: float
    shift: float
    scale: float
    frame_shift: NDArray[np.float64]
    frame_scale: NDArray[np.float64]


def draw_spatial(generator: np.random.Generator, spec: AugmentationSpec, frames: int) -> SpatialParameters:
    """Draws the spatial parameters of a clip of `frames` frames."""

    def pair(half_width: float, centre: float = 0.0) -> Pair:
        first, second = generator.uniform(centre - half_width, centre + half_width, 2)
        return float(first), float(second)

    flips = generator.random(2) < spec.flip
    drift = generator.uniform(-spec.drift, spec.drift, 2)
    # Grows linearly with the frame's number over the clip's length (released code).
    path = np.arange(frames)[:, None] / frames * drift + generator.uniform(
        -spec.jiggle, spec.jiggle, (frames, 2)
    )
    grid = spec.elastic_grid
    return SpatialParameters(
        translation=pair(spec.translation),
        flip=(bool(flips[0]), bool(flips[1])),
        rotation=float(np.deg2rad(generator.uniform(-spec.rotation, spec.rotation))),
        zoom=pair(spec.zoom, 1.0),
        elastic=generator.uniform(-spec.elastic_amplitude, spec.elastic_amplitude, (grid, grid, 2)),
        shifts=np.trunc(path).astype(np.int64),
    )


def draw_intensity(
    generator: np.random.Generator, spec: AugmentationSpec, frames: int
) -> IntensityParameters:
    """Draws the intensity parameters of a clip of `frames` frames."""
    return IntensityParameters(
        gamma=float(generator.uniform(1 - spec.gamma, 1 + spec.gamma)),
        shift=float(generator.uniform(-spec.shift, spec.shift)),
        scale=float(generator.uniform(1 - spec.scale, 1 + spec.scale)),
        frame_shift=generator.uniform(-spec.frame_shift, spec.frame_shift, frames),
        frame_scale=generator.uniform(1 - spec.frame_scale, 1 + spec.frame_scale, frames),
    )

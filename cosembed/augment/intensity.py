"""Applies drawn intensity parameters to a clip: gamma, then the clip's shift and scale, then every frame's own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cosembed.augment.parameters import IntensityParameters


def change_intensity(clip: NDArray[np.float32], parameters: IntensityParameters) -> NDArray[np.float32]:
    """A clip float32 [T, N, N, C] with its intensities changed; values are not clamped."""
    if parameters.gamma != 1.0:
        low, high = clip.min(), clip.max()
        span = max(float(high - low), 1e-6)
        clip = ((clip - low) / span) ** np.float32(parameters.gamma) * span + low
    clip = (clip + parameters.shift) * parameters.scale
    frame_shift = parameters.frame_shift[:, None, None, None]
    frame_scale = parameters.frame_scale[:, None, None, None]
    return ((clip + frame_shift) * frame_scale).astype(np.float32)

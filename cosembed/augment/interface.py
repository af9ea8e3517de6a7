"""Says what every augmenter is given and gives back, and how augmenters are called. Knows none of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cosembed.augment.parameters import IntensityParameters, SpatialParameters

DEFAULT_AUGMENTER = "simpleitk"
AUGMENTERS = (DEFAULT_AUGMENTER, "graph")


class RawClip(NamedTuple):
    """Holds a clip before augmentation, and what was drawn for it.

    Attributes:
        frames: The T preprocessed frames, float32 [h, w, C] each.
        labels: Unsigned integers of at most 16 bits, [T, h, w]; 0 is background.
        loss_mask: bool [h, w]; True where the truth is reliable, in every frame.
        spatial: The transform of all frames.
        intensity: The changes of the frames' intensities.
    """

    frames: Sequence[NDArray[np.float32]]
    labels: NDArray
    loss_mask: NDArray[np.bool_]
    spatial: SpatialParameters
    intensity: IntensityParameters


class AugmentedClip(NamedTuple):
    """Holds a clip on the network's square of N x N pixels.

    Attributes:
        image: float32 [T, N, N, C].
        labels: [T, N, N], of the dtype they came in; 0 outside the image.
        loss_masks: bool [T, N, N]; False outside the image.
    """

    image: NDArray[np.float32]
    labels: NDArray
    loss_masks: NDArray[np.bool_]


class Augmenter(Protocol):
    """Applies to every clip of a batch what was drawn for it."""

    def __call__(self, clips: Sequence[RawClip]) -> list[AugmentedClip]:
        """Returns the augmented clips in the order of the raw ones."""

"""What an augmenter is given and gives back, and the default one: SimpleITK, frame by frame on the processor.

An augmenter applies what was drawn; it draws nothing and knows neither instances nor files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cosembed.augment.intensity import change_intensity
from cosembed.augment.parameters import IntensityParameters, SpatialParameters
from cosembed.augment.spatial import make_sampling, resample_image, resample_labels, shift_frame
from cosembed.data.smoothing import smooth_labels
from cosembed.errors import InputError
from cosembed.specs import TrainedSpec

DEFAULT = "simpleitk"
AUGMENTERS = (DEFAULT, "graph")


class RawClip(NamedTuple):
    """A clip before augmentation.

    Attributes:
        frames: T preprocessed frames, float32 [h, w, C] each.
        labels: Unsigned integers of at most 16 bits, [T, h, w].
        loss_mask: bool [h, w]; where the truth is reliable.
        spatial: What was drawn.
        intensity: What was drawn.
    """

    frames: Sequence[NDArray[np.float32]]
    labels: NDArray
    loss_mask: NDArray[np.bool_]
    spatial: SpatialParameters
    intensity: IntensityParameters


class AugmentedClip(NamedTuple):
    """A clip on the network's square.

    Attributes:
        image: float32 [T, N, N, C].
        labels: [T, N, N], of the type they came in; 0 outside the image.
        loss_masks: bool [T, N, N]; False outside the image.
    """

    image: NDArray[np.float32]
    labels: NDArray
    loss_masks: NDArray[np.bool_]


class Augmenter(Protocol):
    """Augments the clips of a batch, each by what was drawn for it."""

    def __call__(self, clips: Sequence[RawClip]) -> list[AugmentedClip]:
        """One augmented clip per clip."""


def make_augmenter(name: str, spec: TrainedSpec) -> Augmenter:
    """An augmenter by its name.

    Args:
        name: One of `AUGMENTERS`.
        spec: Gives the image's size and channels, padding, label smoothing, and which changes are on at all.

    Raises:
        InputError: An unknown name, or one whose library is not installed.
    """
    if name == DEFAULT:
        return lambda clips: [_augment(clip, spec) for clip in clips]
    if name == "graph":
        # Imported only here: what it needs is needed by nothing else.
        from cosembed.augment.graph import GraphAugmenter

        return GraphAugmenter(spec)
    raise InputError(f"--augment={name}: choose one of {', '.join(AUGMENTERS)}")


def _augment(clip: RawClip, spec: TrainedSpec) -> AugmentedClip:
    height, width, _ = clip.frames[0].shape
    sampling = make_sampling(
        (height, width), spec.network.image_size, clip.spatial, spec.preprocessing.padding
    )
    shifts = clip.spatial.shifts
    image = [
        shift_frame(resample_image(frame, sampling), shift, mirror=True)
        for frame, shift in zip(clip.frames, shifts, strict=True)
    ]
    labels = [
        shift_frame(
            smooth_labels(resample_labels(frame, sampling), spec.preprocessing.label_smoothing),
            shift,
            mirror=False,
        )
        for frame, shift in zip(clip.labels, shifts, strict=True)
    ]
    loss_mask = resample_labels(clip.loss_mask.astype(np.uint8), sampling).astype(bool)
    return AugmentedClip(
        image=change_intensity(np.stack(image), clip.intensity),
        labels=np.stack(labels),
        loss_masks=np.stack([shift_frame(loss_mask, shift, mirror=False) for shift in shifts]),
    )

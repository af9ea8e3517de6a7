"""Makes training clips of the heart: everything about batch i is a function of (seed, i).

Knows no files, no network.

A clip is built around a labelled frame and wraps around the end of the heartbeat, which repeats. Frames
without a label are shown to the network and marked as unlabelled for the loss.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cosembed.augment import DEFAULT_AUGMENTER, RawClip, make_augmenter
from cosembed.augment.parameters import draw_intensity, draw_spatial
from cosembed.batches.pipeline import BatchSignature, stack_arrays
from cosembed.datasets.heart.slices import HeartSlice
from cosembed.errors import DataError, SpecError
from cosembed.preprocessing.frames import preprocess_frame
from cosembed.preprocessing.label_values import UNLABELLED
from cosembed.specs import HeartSpec

SIGNATURE: BatchSignature = {"image": ("float32", 5), "classes": ("uint8", 4)}


def labels_per_step(labelled: Iterable[NDArray[np.bool_]], spec: HeartSpec) -> float:
    """Computes how many labelled frames a batch of `HeartClipSource` holds on average.

    A frame counts as often as it is shown: more than once in a clip that is longer than the heartbeat.

    Args:
        labelled: Which frames of each training slice are labelled, bool [T]; at least one of all is.
        spec: Gives clip length and batch size.
    """
    training = spec.training
    # So many of the clip's possible places around a labelled frame show the frame that is so far from it.
    distance = np.arange(1 - training.clip_length, training.clip_length)
    places = training.clip_length - np.abs(distance)
    shown, drawn = 0, 0
    for known in labelled:
        around = (np.flatnonzero(known)[:, None] + distance) % len(known)
        shown += int((known[around] * places).sum())
        drawn += len(around)
    return training.batch_size * shown / (drawn * training.clip_length)


class HeartClipSource:
    """Makes augmented clips of heart slices.

    Every frame is preprocessed when the source is made and kept in memory as float32.

    Args:
        slices: The slices of the training patients.
        spec: Gives clip length, batch size, preprocessing and augmentation. A clip longer than the heartbeat
            goes round again.
        seed: With the number of a step, decides everything that is drawn for it.
        augment: One of `cosembed.augment.AUGMENTERS`. What is drawn does not depend on it.

    Raises:
        DataError: No frame has a label.
        InputError: The augmenter is unknown, or its library is not installed.
        SpecError: The elastic grid is too small for its spline, or the network has more than one input
            channel.
    """

    def __init__(
        self,
        slices: Sequence[HeartSlice],
        spec: HeartSpec,
        seed: int,
        augment: str = DEFAULT_AUGMENTER,
    ) -> None:
        self.seed = seed
        self.signature = SIGNATURE
        self._spec = spec
        self._slices = slices
        self._labelled = [
            (number, int(t)) for number, item in enumerate(slices) for t in np.flatnonzero(item.labelled)
        ]
        if not self._labelled:
            raise DataError(
                f"{', '.join(map(str, slices)) or 'no slices'}: "
                "no labelled frame to train on; check the labels"
            )
        if spec.network.channels != 1:
            raise SpecError(f"network.channels is {spec.network.channels}; cine MR has one")
        self._augment = make_augmenter(augment, spec)
        self._frames = [
            np.stack(
                [
                    preprocess_frame(frame, spec.preprocessing, crop=spec.preprocessing.crop)
                    for frame in item.frames
                ]
            )
            for item in slices
        ]
        # Raw frames are not needed any more, neither here nor in the processes that make batches.
        self._slices = [replace(item, frames=item.frames[:0]) for item in slices]

    def batch(self, index: int) -> dict[str, NDArray]:
        """Makes the batch of step `index`, counted from 0.

        Returns:
            `image`, float32 [B, T, N, N, 1], and `classes`, uint8 [B, T, N, N], `UNLABELLED` in frames
            without labels.
        """
        training = self._spec.training
        streams = np.random.SeedSequence((self.seed, index)).spawn(training.batch_size)
        raw, labelled = zip(*(self._draw(stream) for stream in streams), strict=True)
        augmented = self._augment(raw)
        classes = [
            np.where(known[:, None, None], clip.labels, np.uint8(UNLABELLED))
            for clip, known in zip(augmented, labelled, strict=True)
        ]
        return {"image": stack_arrays([clip.image for clip in augmented]), "classes": stack_arrays(classes)}

    def _draw(self, stream: np.random.SeedSequence) -> tuple[RawClip, NDArray[np.bool_]]:
        """Draws a clip; says which of its frames have labels, bool [T]."""
        # Each purpose has its own stream of random numbers, so that a new draw in one does not shift the
        # others.
        choice, spatial, intensity = (np.random.default_rng(child) for child in stream.spawn(3))
        spec, length = self._spec, self._spec.training.clip_length
        number, frame = self._labelled[choice.integers(len(self._labelled))]
        item, frames = self._slices[number], self._frames[number]
        times = (frame - int(choice.integers(length)) + np.arange(length)) % len(frames)
        crop = slice(spec.preprocessing.crop, -spec.preprocessing.crop or None)
        raw = RawClip(
            frames=list(frames[times]),
            labels=item.labels[times, crop, crop],
            loss_mask=np.ones(frames.shape[1:3], bool),
            spatial=draw_spatial(spatial, spec.augmentation, length),
            intensity=draw_intensity(intensity, spec.augmentation, length),
        )
        return raw, item.labelled[times]

"""Training clips: from sequences to the tensors of one step. Everything about clip i is a function of (seed, i).

`ClipSource` makes clips from numpy arrays; `batches.batch_dataset` wraps it into a tf.data pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence as IndexedSequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.augment import DEFAULT_AUGMENTER, AugmentedClip, RawClip, make_augmenter
from cosembed.augment.parameters import draw_intensity, draw_spatial
from cosembed.batches.instances import background_mask, instance_masks
from cosembed.batches.pipeline import BatchSignature, stack_arrays
from cosembed.datasets.annotated_video import AnnotatedVideo
from cosembed.errors import DataError
from cosembed.preprocessing.frames import preprocess_frame
from cosembed.specs import CellsSpec, LeavesSpec

# Of a batch: dtype and rank; [B, T, N, N], with a last axis of channels or instances except for labels.
SIGNATURE: BatchSignature = {
    "image": ("float32", 5),
    "labels": ("uint16", 4),
    "instances": ("uint8", 5),
    "background": ("uint8", 5),
}


@dataclass(frozen=True)
class Clip:
    """One training sample.

    Attributes:
        image: float32 [T, N, N, C].
        labels: uint16 [T, N, N]; 0 outside the image.
        instances: uint8 [T, N, N, I]; 1 own, 2 neighbours' pixels.
        background: uint8 [T, N, N, 1]; 1 background, 2 foreground, 0 no loss.
    """

    image: NDArray[np.float32]
    labels: NDArray[np.uint16]
    instances: NDArray[np.uint8]
    background: NDArray[np.uint8]


class _Usable(NamedTuple):
    """A frame that a clip may be built around, and the half-open segment the clip has to stay inside."""

    sequence: int
    first: int
    last: int
    frame: int


class ClipSource:
    """Makes augmented clips of sequences. Every usable frame is preprocessed at once and kept in memory as float32.

    Args:
        sequences: Videos with truth.
        spec: Clip length, preprocessing, augmentation and instances.
        seed: Of every clip.
        augment: One of `cosembed.augment.AUGMENTERS`. What is drawn does not depend on it.

    Raises:
        DataError: There is no usable frame, no label in any of them, or a frame cannot be read or used.
        InputError: The augmenter is unknown, or its library is not installed.
        SpecError: The elastic grid is too small for its spline.
    """

    def __init__(
        self,
        sequences: IndexedSequence[AnnotatedVideo],
        spec: CellsSpec | LeavesSpec,
        seed: int,
        augment: str = DEFAULT_AUGMENTER,
    ) -> None:
        self.seed = seed
        self.signature = SIGNATURE
        self._sequences = sequences
        self._spec = spec
        self._usable = [
            _Usable(index, first, last, frame)
            for index, sequence in enumerate(sequences)
            for first, last in sequence.segments
            for frame in range(first, last)
        ]
        if not self._usable or not any(sequence.labels.any() for sequence in sequences):
            names = ", ".join(sequence.name for sequence in sequences)
            raise DataError(f"video {names}: no labelled frame to train on; check the _GT folder")
        self._augment = make_augmenter(augment, spec)
        # Now rather than when a clip first needs it: an error inside the tf.data pipeline would lose its class and message.
        self._frames = {(entry.sequence, entry.frame): self._prepare(entry) for entry in self._usable}

    def clips(self, index: int) -> list[Clip]:
        """The batch of step `index` (0-based): `training.batch_size` clips of one length."""
        batch = self._spec.training.batch_size
        streams = np.random.SeedSequence((self.seed, index)).spawn(batch)
        # Choice, spatial, intensity and instances have their own streams: a new draw in one does not shift the others.
        choices, spatials, intensities, instances = zip(
            *([np.random.default_rng(child) for child in stream.spawn(4)] for stream in streams), strict=True
        )
        chosen = [self._usable[choice.integers(len(self._usable))] for choice in choices]
        length = min(self._spec.training.clip_length, *(entry.last - entry.first for entry in chosen))
        parts = [
            (entry.sequence, _frames_around(entry, length, choice))
            for entry, choice in zip(chosen, choices, strict=True)
        ]
        raw = [self._draw(*part, *draws) for part, *draws in zip(parts, spatials, intensities, strict=True)]
        return [
            self._with_masks(augmented, *part, generator)
            for augmented, part, generator in zip(self._augment(raw), parts, instances, strict=True)
        ]

    def batch(self, index: int) -> dict[str, NDArray]:
        """The clips of step `index` stacked: see `SIGNATURE`."""
        clips = self.clips(index)
        return {name: stack_arrays([getattr(clip, name) for clip in clips]) for name in SIGNATURE}

    def _draw(
        self, number: int, chosen: range, spatial: np.random.Generator, intensity: np.random.Generator
    ) -> RawClip:
        spec, sequence, length = self._spec, self._sequences[number], len(chosen)
        return RawClip(
            frames=[self._frames[number, frame] for frame in chosen],
            labels=self._crop(sequence.labels[chosen.start : chosen.stop]),
            loss_mask=self._crop(sequence.loss_mask),
            spatial=draw_spatial(spatial, spec.augmentation, length),
            intensity=draw_intensity(intensity, spec.augmentation, length),
        )

    def _with_masks(
        self, clip: AugmentedClip, number: int, chosen: range, generator: np.random.Generator
    ) -> Clip:
        complete = self._sequences[number].complete[chosen.start : chosen.stop]
        return Clip(
            image=clip.image,
            labels=clip.labels,
            instances=instance_masks(clip.labels, self._spec.instances, generator),
            background=background_mask(clip.labels, clip.loss_masks, complete),
        )

    def _prepare(self, entry: _Usable) -> NDArray[np.float32]:
        sequence, channels = self._sequences[entry.sequence], self._spec.network.channels
        preprocessing = self._spec.preprocessing
        frame = preprocess_frame(sequence.frames[entry.frame], preprocessing, crop=preprocessing.crop)
        if frame.shape[-1] != channels:
            raise DataError(
                f"video {sequence.name}, frame {entry.frame}: has {frame.shape[-1]} channels, the network {channels}; "
                "set network.channels or convert the frames"
            )
        return frame

    def _crop(self, image: NDArray) -> NDArray:
        crop = self._spec.preprocessing.crop
        return np.ascontiguousarray(image[..., crop:-crop, crop:-crop]) if crop else image


def _frames_around(entry: _Usable, length: int, generator: np.random.Generator) -> range:
    """A random clip that contains the frame, shifted to stay inside its segment (released code)."""
    begin = int(entry.frame - generator.integers(length))
    begin = min(max(begin, entry.first), entry.last - length)
    return range(begin, begin + length)

"""Training clips: from sequences to the tensors of one step. Everything about clip i is a function of (seed, i).

`ClipSource` makes clips from numpy arrays; `batches.batch_dataset` wraps it into a tf.data pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence as IndexedSequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.augment.intensity import change_intensity
from cosembed.augment.parameters import draw_intensity, draw_spatial
from cosembed.augment.spatial import Sampling, check_elastic, make_sampling, resample_image, resample_labels, shift_frame
from cosembed.data.batches import Elements
from cosembed.data.instances import background_mask, instance_masks
from cosembed.data.preprocessing import preprocess_frame
from cosembed.data.sequence import Sequence
from cosembed.data.smoothing import smooth_labels
from cosembed.errors import DataError
from cosembed.specs import ExperimentSpec, LeafSpec

# Of a batch: dtype and rank; [B, T, N, N], with a last axis of channels or instances except for labels.
ELEMENTS: Elements = {"image": ("float32", 5), "labels": ("uint16", 4), "instances": ("uint8", 5), "background": ("uint8", 5)}


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

    Raises:
        DataError: There is no usable frame, no label in any of them, or a frame cannot be read or used.
        SpecError: The elastic grid is too small for its spline.
    """

    def __init__(self, sequences: IndexedSequence[Sequence], spec: ExperimentSpec | LeafSpec, seed: int) -> None:
        self.seed = seed
        self.elements = ELEMENTS
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
        check_elastic(spec.augmentation)
        # Now rather than when a clip first needs it: an error inside the tf.data pipeline would lose its class and message.
        self._frames = {(entry.sequence, entry.frame): self._prepare(entry) for entry in self._usable}

    def clips(self, index: int) -> list[Clip]:
        """The batch of step `index` (0-based): `training.batch_size` clips of one length."""
        batch = self._spec.training.batch_size
        streams = np.random.SeedSequence((self.seed, index)).spawn(batch)
        # Choice, spatial, intensity and instances have their own streams: a new draw in one does not shift the others.
        generators = [[np.random.default_rng(child) for child in stream.spawn(4)] for stream in streams]
        chosen = [self._usable[choice.integers(len(self._usable))] for choice, *_ in generators]
        length = min(self._spec.training.clip_length, *(entry.last - entry.first for entry in chosen))
        return [
            self._make(entry.sequence, _frames_around(entry, length, choice), others)
            for entry, (choice, *others) in zip(chosen, generators, strict=True)
        ]

    def batch(self, index: int) -> dict[str, NDArray]:
        """The clips of step `index` stacked: see `ELEMENTS`."""
        clips = self.clips(index)
        return {name: np.stack([getattr(clip, name) for clip in clips]) for name in ELEMENTS}

    def _make(self, number: int, chosen: range, generators: list[np.random.Generator]) -> Clip:
        spec, sequence, length = self._spec, self._sequences[number], len(chosen)
        spatial = draw_spatial(generators[0], spec.augmentation, length)
        intensity = draw_intensity(generators[1], spec.augmentation, length)
        frames = [self._frames[number, frame] for frame in chosen]
        height, width, _ = frames[0].shape
        sampling = make_sampling((height, width), spec.network.image_size, spatial, spec.preprocessing.padding)
        image = np.stack(
            [
                shift_frame(resample_image(frame, sampling), shift, mirror=True)
                for frame, shift in zip(frames, spatial.shifts, strict=True)
            ]
        )
        labels = np.stack(
            [
                shift_frame(self._labels(sequence.labels[frame], sampling), shift, mirror=False)
                for frame, shift in zip(chosen, spatial.shifts, strict=True)
            ]
        )
        loss_mask = resample_labels(self._crop(sequence.loss_mask).astype(np.uint8), sampling).astype(bool)
        loss_masks = np.stack([shift_frame(loss_mask, shift, mirror=False) for shift in spatial.shifts])
        complete = sequence.complete[chosen.start : chosen.stop]
        return Clip(
            image=change_intensity(image, intensity),
            labels=labels,
            instances=instance_masks(labels, spec.instances, generators[2]),
            background=background_mask(labels, loss_masks, complete),
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

    def _labels(self, labels: NDArray[np.uint16], sampling: Sampling) -> NDArray[np.uint16]:
        resampled = resample_labels(self._crop(labels), sampling)
        return smooth_labels(resampled, self._spec.preprocessing.label_smoothing)

    def _crop(self, image: NDArray) -> NDArray:
        crop = self._spec.preprocessing.crop
        return np.ascontiguousarray(image[crop:-crop, crop:-crop]) if crop else image


def _frames_around(entry: _Usable, length: int, generator: np.random.Generator) -> range:
    """A random clip that contains the frame, shifted to stay inside its segment (released code)."""
    begin = int(entry.frame - generator.integers(length))
    begin = min(max(begin, entry.first), entry.last - length)
    return range(begin, begin + length)

"""Training clips: from sequences to the tensors of one step. Everything about clip i is a function of (seed, i).

`ClipSource` makes a clip from numpy arrays; `clip_dataset` wraps it into a tf.data pipeline that can start at any index.
"""

from __future__ import annotations

from collections.abc import Sequence as IndexedSequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cosembed.augment.intensity import change_intensity
from cosembed.augment.parameters import draw_intensity, draw_spatial
from cosembed.augment.spatial import make_sampling, resample_image, resample_labels, shift_frame
from cosembed.data.instances import background_mask, instance_masks
from cosembed.data.preprocessing import preprocess_frame
from cosembed.data.sequence import Sequence
from cosembed.data.smoothing import smooth_labels
from cosembed.errors import DataError
from cosembed.specs import ExperimentSpec

if TYPE_CHECKING:
    import tensorflow as tf

PREFETCHED = 4


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


@dataclass(frozen=True)
class _Choice:
    sequence: int
    begin: int
    length: int


class ClipSource:
    """Makes augmented clips of sequences; preprocessed frames are kept in memory.

    Args:
        sequences: Videos with truth.
        spec: Clip length, preprocessing, augmentation and instances.
        seed: Of every clip.

    Raises:
        DataError: There is no usable frame, or no label in any of them.
    """

    def __init__(self, sequences: IndexedSequence[Sequence], spec: ExperimentSpec, seed: int) -> None:
        self.seed = seed
        self._sequences = sequences
        self._spec = spec
        self._frames: dict[tuple[int, int], NDArray[np.float32]] = {}
        # One entry per usable frame: (sequence, segment begin, segment end, frame).
        self._usable = [
            (index, begin, end, frame)
            for index, sequence in enumerate(sequences)
            for begin, end in sequence.segments
            for frame in range(begin, end)
        ]
        if not self._usable or not any(sequence.labels.any() for sequence in sequences):
            names = ", ".join(sequence.name for sequence in sequences)
            raise DataError(f"video {names}: no labelled frame to train on; check the _GT folder")

    def clips(self, index: int) -> list[Clip]:
        """The batch of step `index` (0-based): `training.batch_size` clips of one length."""
        batch = self._spec.training.batch_size
        streams = np.random.SeedSequence((self.seed, index)).spawn(batch)
        # Choice, spatial, intensity and instances have their own streams: a new draw in one does not shift the others.
        generators = [[np.random.default_rng(child) for child in stream.spawn(4)] for stream in streams]
        choices = [self._choose(element[0]) for element in generators]
        length = min(choice.length for choice in choices)
        return [self._make(choice, length, element[1:]) for choice, element in zip(choices, generators, strict=True)]

    def _choose(self, generator: np.random.Generator) -> _Choice:
        """A random frame, then a random clip that contains it, shifted to stay inside its segment (released code)."""
        sequence, first, last, frame = self._usable[generator.integers(len(self._usable))]
        length = min(self._spec.training.clip_length, last - first)
        begin = int(frame - generator.integers(length))
        return _Choice(sequence, min(max(begin, first), last - length), length)

    def _make(self, choice: _Choice, length: int, generators: list[np.random.Generator]) -> Clip:
        spec, sequence = self._spec, self._sequences[choice.sequence]
        chosen = range(choice.begin, choice.begin + length)
        spatial = draw_spatial(generators[0], spec.augmentation, length)
        intensity = draw_intensity(generators[1], spec.augmentation, length)
        frames = [self._frame(choice.sequence, frame) for frame in chosen]
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
        complete = sequence.complete[choice.begin : choice.begin + length]
        return Clip(
            image=change_intensity(image, intensity),
            labels=labels,
            instances=instance_masks(labels, spec.instances, generators[2]),
            background=background_mask(labels, loss_masks, complete),
        )

    def _frame(self, sequence: int, frame: int) -> NDArray[np.float32]:
        if (sequence, frame) not in self._frames:
            self._frames[sequence, frame] = preprocess_frame(self._sequences[sequence].frames[frame], self._spec.preprocessing)
        return self._frames[sequence, frame]

    def _labels(self, labels: NDArray[np.uint16], sampling: Any) -> NDArray[np.uint16]:
        resampled = resample_labels(self._crop(labels), sampling)
        return smooth_labels(resampled, self._spec.preprocessing.label_smoothing)

    def _crop(self, image: NDArray) -> NDArray:
        crop = self._spec.preprocessing.crop
        return np.ascontiguousarray(image[crop:-crop, crop:-crop]) if crop else image


def clip_dataset(source: ClipSource, start: int, stop: int) -> tf.data.Dataset:
    """The batches of steps `start` to `stop` (excluded), in order; it may start anywhere and gives the same batches.

    Elements: image float32 [B, T, N, N, C], labels uint16 [B, T, N, N], instances uint8 [B, T, N, N, I], background
    uint8 [B, T, N, N, 1].
    """
    import tensorflow as tf

    names = {"image": tf.float32, "labels": tf.uint16, "instances": tf.uint8, "background": tf.uint8}

    def make(index: NDArray[np.int64]) -> list[NDArray]:
        clips = source.clips(int(index))
        return [np.stack([getattr(clip, name) for clip in clips]) for name in names]

    def load(index: tf.Tensor) -> dict[str, tf.Tensor]:
        tensors = tf.numpy_function(make, [index], list(names.values()), stateful=False)
        for tensor, name in zip(tensors, names, strict=True):
            tensor.set_shape([None] * (4 if name == "labels" else 5))
        return dict(zip(names, tensors, strict=True))

    return tf.data.Dataset.range(start, stop).map(load, num_parallel_calls=1, deterministic=True).prefetch(PREFETCHED)

"""Makes training clips of cells and leaves: from annotated videos to the arrays of one step.

Everything about batch i is a function of (seed, i). `ClipSource` makes batches of numpy arrays, which
`pipeline.batch_dataset` wraps into a tf.data pipeline. This module knows no files and no network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.augment import DEFAULT_AUGMENTER, AugmentedClip, RawClip, make_augmenter
from cosembed.augment.parameters import draw_intensity, draw_spatial
from cosembed.batches.mask_codes import MaskCodes, encode_masks, pack_table, table_rows
from cosembed.batches.pipeline import BatchSignature, stack_arrays
from cosembed.datasets.annotated_video import AnnotatedVideo
from cosembed.errors import DataError
from cosembed.files.wording import counted
from cosembed.preprocessing.frames import preprocess_frame
from cosembed.specs import CellsSpec, LeavesSpec

# image [B, T, N, N, C]; codes [B, T, N, N], numbers of rows of the two tables: labels [B, R] and the packed
# masks [B, R, W].
SIGNATURE: BatchSignature = {
    "image": ("float32", 5),
    "codes": ("uint16", 4),
    "code_labels": ("uint16", 2),
    "code_masks": ("int32", 3),
}


@dataclass(frozen=True)
class Clip:
    """Holds one training sample.

    Attributes:
        image: float32 [T, N, N, C].
        coded: Its labels and masks.
    """

    image: NDArray[np.float32]
    coded: MaskCodes

    @property
    def labels(self) -> NDArray[np.uint16]:
        """Looks up the labels: uint16 [T, N, N]; 0 outside the image."""
        return self.coded.labels[self.coded.codes]

    @property
    def instances(self) -> NDArray[np.uint8]:
        """Looks up `OWN` and `NEIGHBOUR` pixels of each instance, 0 elsewhere: uint8 [T, N, N, I]."""
        return self.coded.masks[self.coded.codes, :-1]

    @property
    def background(self) -> NDArray[np.uint8]:
        """Looks up background (`OWN`), foreground (`NEIGHBOUR`), 0 without loss: uint8 [T, N, N, 1]."""
        return self.coded.masks[self.coded.codes, -1:]


class _Usable(NamedTuple):
    """Names a frame that a clip may be built around, and the half-open segment it has to stay inside."""

    video: int
    first: int
    last: int
    frame: int


class ClipSource:
    """Makes augmented clips of annotated videos.

    Every usable frame is preprocessed when the source is made and kept in memory as float32.

    Args:
        videos: The videos to train on, with their truth.
        spec: Gives clip length, batch size, preprocessing, augmentation and instances.
        seed: With the number of a step, decides everything that is drawn for it.
        augment: One of `cosembed.augment.AUGMENTERS`. What is drawn does not depend on it.

    Raises:
        DataError: There is no usable frame, no label in any of them, or a frame cannot be read or used.
        InputError: The augmenter is unknown, or its library is not installed.
        SpecError: The elastic grid is too small for its spline.
    """

    def __init__(
        self,
        videos: Sequence[AnnotatedVideo],
        spec: CellsSpec | LeavesSpec,
        seed: int,
        augment: str = DEFAULT_AUGMENTER,
    ) -> None:
        self.seed = seed
        self.signature = SIGNATURE
        self._videos = videos
        self._spec = spec
        self._usable = [
            _Usable(index, first, last, frame)
            for index, video in enumerate(videos)
            for first, last in video.segments
            for frame in range(first, last)
        ]
        # Frames are drawn from a list that has some of them several times.
        self._drawn = [
            entry
            for entry in self._usable
            for _ in range(spec.training.segmented_weight if _has_masks(videos[entry.video], entry) else 1)
        ]
        if not self._usable or not any(video.labels.any() for video in videos):
            names = ", ".join(video.name for video in videos)
            raise DataError(f"video {names}: no labelled frame to train on; check the _GT folder")
        self._augment = make_augmenter(augment, spec)
        # Frames are read now: an error inside the tf.data pipeline would lose its class and message.
        self._frames = {(entry.video, entry.frame): self._prepare(entry) for entry in self._usable}
        # Raw frames are not needed any more, neither here nor in the processes that make batches.
        self._videos = [replace(video, frames=()) for video in videos]

    def clips(self, index: int) -> list[Clip]:
        """Makes the `training.batch_size` clips of step `index`, counted from 0; all have one length."""
        batch = self._spec.training.batch_size
        streams = np.random.SeedSequence((self.seed, index)).spawn(batch)
        # Each purpose has its own stream of random numbers, so that a new draw in one does not shift the
        # others.
        choices, spatials, intensities, instances = zip(
            *([np.random.default_rng(child) for child in stream.spawn(4)] for stream in streams), strict=True
        )
        chosen = [self._drawn[choice.integers(len(self._drawn))] for choice in choices]
        length = min(self._spec.training.clip_length, *(entry.last - entry.first for entry in chosen))
        parts = [
            (entry.video, _frames_around(entry, length, self._spec.training.frames_before, choice))
            for entry, choice in zip(chosen, choices, strict=True)
        ]
        raw = [self._draw(*part, *draws) for part, *draws in zip(parts, spatials, intensities, strict=True)]
        return [
            self._with_masks(augmented, *part, generator)
            for augmented, part, generator in zip(self._augment(raw), parts, instances, strict=True)
        ]

    def batch(self, index: int) -> dict[str, NDArray]:
        """Makes the batch of step `index`: its clips stacked, with the arrays that `SIGNATURE` names."""
        clips = self.clips(index)
        rows = table_rows(max(len(clip.coded.labels) for clip in clips))
        labels = np.zeros((len(clips), rows), np.uint16)
        for row, clip in zip(labels, clips, strict=True):
            row[: len(clip.coded.labels)] = clip.coded.labels
        return {
            "image": stack_arrays([clip.image for clip in clips]),
            "codes": stack_arrays([clip.coded.codes for clip in clips]),
            "code_labels": labels,
            "code_masks": stack_arrays([pack_table(clip.coded.masks, rows) for clip in clips]),
        }

    def _draw(
        self, number: int, chosen: range, spatial: np.random.Generator, intensity: np.random.Generator
    ) -> RawClip:
        spec, video, length = self._spec, self._videos[number], len(chosen)
        return RawClip(
            frames=[self._frames[number, frame] for frame in chosen],
            labels=self._crop(video.labels[chosen.start : chosen.stop]),
            loss_mask=self._crop(video.loss_mask),
            spatial=draw_spatial(spatial, spec.augmentation, length),
            intensity=draw_intensity(intensity, spec.augmentation, length),
        )

    def _with_masks(
        self, clip: AugmentedClip, number: int, chosen: range, generator: np.random.Generator
    ) -> Clip:
        complete = self._videos[number].complete[chosen.start : chosen.stop]
        coded = encode_masks(clip.labels, clip.loss_masks, complete, self._spec.instances, generator)
        return Clip(clip.image, coded)

    def _prepare(self, entry: _Usable) -> NDArray[np.float32]:
        video, channels = self._videos[entry.video], self._spec.network.channels
        preprocessing = self._spec.preprocessing
        frame = preprocess_frame(video.frames[entry.frame], preprocessing, crop=preprocessing.crop)
        if frame.shape[-1] != channels:
            raise DataError(
                f"video {video.name}, frame {entry.frame}: has {counted(frame.shape[-1], 'channel')}, "
                f"the network {channels}; set network.channels or convert the frames"
            )
        return frame

    def _crop(self, image: NDArray) -> NDArray:
        crop = self._spec.preprocessing.crop
        return np.ascontiguousarray(image[..., crop:-crop, crop:-crop]) if crop else image


def _has_masks(video: AnnotatedVideo, entry: _Usable) -> bool:
    return video.segmented is not None and bool(video.segmented[entry.frame])


def _frames_around(entry: _Usable, length: int, before: int, generator: np.random.Generator) -> range:
    """Draws a clip that contains the frame, shifted to stay inside its segment (as in the released code).

    At least `before` frames of the clip precede the frame, but where it is shifted or shorter.
    """
    begin = int(entry.frame - generator.integers(min(before, length - 1), length))
    begin = min(max(begin, entry.first), entry.last - length)
    return range(begin, begin + length)

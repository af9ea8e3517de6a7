"""Augments clips by one TensorFlow graph, for machines with few cores and a fast GPU.

It does what `simpleitk` does frame by frame, from the same drawn parameters and with the same result up to
rounding. Like it, it applies what was drawn and draws nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cosembed.augment.elastic import spatial_of_frames, spline_places, spline_weights
from cosembed.augment.interface import AugmentedClip, RawClip
from cosembed.augment.parameters import SPLINE_ORDER
from cosembed.augment.placement import place_clip, training_window
from cosembed.preprocessing.frames import OUTSIDE
from cosembed.preprocessing.label_smoothing import TRUNCATE
from cosembed.specs import TrainedSpec


class _Places(NamedTuple):
    """Says where in the image the network's pixels are sampled, as `simpleitk.Sampling` does.

    Attributes:
        points: float64 [N, N, 2], (x, y) inside the part of the image that was sent, from its first pixel on.
        inside: bool [N, N]; True where the pixel lies in the image itself.
        covered: bool [N, N]; True where it lies in the image or in its mirror padding.
    """

    points: tf.Tensor
    inside: tf.Tensor
    covered: tf.Tensor


class GraphAugmenter:
    """Augments clips on TensorFlow's default device, which is a GPU where there is one; an `Augmenter`.

    Args:
        spec: The source of image size, channels, padding, label smoothing, and of which changes are on at
            all.
    """

    def __init__(self, spec: TrainedSpec) -> None:
        self._spec = spec
        grid = spec.augmentation.elastic_grid
        self._moving = spec.augmentation.elastic_times > 0
        signature = {
            "frames": tf.TensorSpec([None, None, None, spec.network.channels], tf.float32),
            "labels": tf.TensorSpec([None, None, None], tf.uint16),
            "loss_mask": tf.TensorSpec([None, None], tf.bool),
            "elastic": tf.TensorSpec([None, grid, grid, 2], tf.float64),
            "sides": tf.TensorSpec([2], tf.float64),
            "corner": tf.TensorSpec([2], tf.float64),
            "matrix": tf.TensorSpec([2, 2], tf.float64),
            "translation": tf.TensorSpec([2], tf.float64),
            "shifts": tf.TensorSpec([None, 2], tf.int64),
            "gamma": tf.TensorSpec([], tf.float32),
            "offset": tf.TensorSpec([None], tf.float32),
            "gain": tf.TensorSpec([None], tf.float32),
        }
        self._graph = tf.function(self._augment, input_signature=[signature], autograph=False)

    def __call__(self, clips: Sequence[RawClip]) -> list[AugmentedClip]:
        """Returns the augmented clips in the order of the raw ones."""
        # All are sent to the device before the first is fetched, so that what they may wait for is waited for
        # once.
        results = [self._graph(self._inputs(clip)) for clip in clips]
        return [
            AugmentedClip(image.numpy(), labels.numpy().astype(clip.labels.dtype), loss_masks.numpy())
            for (image, labels, loss_masks), clip in zip(results, clips, strict=True)
        ]

    def _inputs(self, clip: RawClip) -> dict[str, np.ndarray | np.floating]:
        height, width, _ = clip.frames[0].shape
        window = training_window((height, width), self._spec)
        matrix, translation, rows, columns = place_clip(
            (height, width), self._spec.network.image_size, clip.spatial, window
        )
        intensity = clip.intensity
        return {
            "frames": np.stack([frame[rows, columns] for frame in clip.frames]),
            "labels": clip.labels[:, rows, columns].astype(np.uint16),
            "loss_mask": clip.loss_mask[rows, columns],
            "sides": np.array([width, height], float),
            "corner": np.array([columns.start, rows.start], float),
            "elastic": np.stack([part.elastic for part in spatial_of_frames(clip.spatial, len(clip.frames))]),
            "matrix": matrix,
            "translation": translation,
            "shifts": clip.spatial.shifts,
            "gamma": np.float32(intensity.gamma),
            "offset": (
                (intensity.shift * intensity.scale + intensity.frame_shift) * intensity.frame_scale
            ).astype(np.float32),
            "gain": (intensity.scale * intensity.frame_scale).astype(np.float32),
        }

    def _augment(self, clip: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        image, truth = self._sample_moving(clip) if self._moving else self._sample(clip, clip["elastic"][0])
        augmentation = self._spec.augmentation
        if augmentation.drift or augmentation.jiggle:
            image, truth = (
                _shift(image, clip["shifts"], mirror=True),
                _shift(truth, clip["shifts"], mirror=False),
            )
        if augmentation.gamma:
            low, high = tf.reduce_min(image), tf.reduce_max(image)
            span = tf.maximum(high - low, 1e-6)
            image = ((image - low) / span) ** clip["gamma"] * span + low
        image = image * clip["gain"][:, None, None, None] + clip["offset"][:, None, None, None]
        return image, tf.cast(truth[..., 0], tf.uint16), truth[..., 1] > 0

    def _sample_moving(self, clip: dict[str, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        """Resamples a clip whose frames are each sampled at points of their own, as `_sample` does others."""

        def sample(parts: tuple[tf.Tensor, tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
            frame, labels, elastic = parts
            image, truth = self._sample(clip | {"frames": frame[None], "labels": labels[None]}, elastic)
            return image[0], truth[0]

        parts = clip["frames"], clip["labels"], clip["elastic"]
        return tf.map_fn(sample, parts, fn_output_signature=(tf.float32, tf.float32))

    def _sample(self, clip: dict[str, tf.Tensor], elastic: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Resamples all frames, labels and the loss mask at the same points."""
        places = self._places(clip, elastic)
        return self._sample_image(clip["frames"], places), self._sample_truth(clip, places)

    def _places(self, clip: dict[str, tf.Tensor], elastic: tf.Tensor) -> _Places:
        """Composes the transform of frames as `simpleitk.make_sampling` does."""
        points = self._points(elastic, clip["matrix"], clip["translation"])
        sides = clip["sides"]
        half = sides // 2
        inside = _within(points, -0.5, sides - 0.5)
        mirrored = self._spec.preprocessing.padding == "mirror"
        covered = _within(points, -0.5 - half, sides + half - 0.5) if mirrored else inside
        folded = tf.math.floormod(points + 0.5, 2 * sides)
        folded = tf.minimum(folded, 2 * sides - folded) - 0.5
        return _Places(tf.clip_by_value(folded, 0, sides - 1) - clip["corner"], inside, covered)

    def _sample_image(self, frames: tf.Tensor, places: _Places) -> tf.Tensor:
        """Resamples all frames with linear interpolation: float32 [T, h, w, C] -> [T, N, N, C]."""
        side = self._spec.network.image_size
        # All frames are sampled at the same points, as if they were channels of one image.
        frames = tf.transpose(frames, [1, 2, 0, 3])
        frames = tf.reshape(frames, tf.concat([tf.shape(frames)[:2], [-1]], axis=0))
        image = sample_linearly(frames, places.points)
        image = tf.reshape(image, [side, side, -1, self._spec.network.channels])
        image = tf.where(places.covered[..., None, None], image, OUTSIDE[self._spec.preprocessing.padding])
        return tf.transpose(image, [2, 0, 1, 3])

    def _sample_truth(self, clip: dict[str, tf.Tensor], places: _Places) -> tf.Tensor:
        """Resamples labels and loss mask from the nearest pixels, as two channels float32 [T, N, N, 2].

        Floats hold 16-bit labels exactly, and every device can gather and filter them.
        """
        count, width = tf.shape(clip["labels"])[0], tf.shape(clip["labels"])[2]
        column, row = tf.unstack(tf.cast(tf.floor(places.points + 0.5), tf.int32), axis=-1)
        nearest = row * width + column
        labels = tf.gather(tf.cast(tf.reshape(clip["labels"], [count, -1]), tf.float32), nearest, axis=1)
        labels = tf.where(places.inside, labels, 0.0)
        if self._spec.preprocessing.label_smoothing:
            labels = tf.map_fn(self._smooth, labels)
        loss_mask = tf.gather(tf.cast(tf.reshape(clip["loss_mask"], [-1]), tf.float32), nearest)
        loss_mask = tf.where(places.inside, loss_mask, 0.0)
        return tf.stack([labels, tf.broadcast_to(loss_mask, tf.shape(labels))], axis=-1)

    def _points(self, elastic: tf.Tensor, matrix: tf.Tensor, translation: tf.Tensor) -> tf.Tensor:
        """Computes where the transform leads the network's pixels: float64 [N, N, 2], (x, y)."""
        axis = tf.range(self._spec.network.image_size, dtype=tf.float64)
        points = tf.stack(tf.meshgrid(axis, axis, indexing="xy"), axis=-1)
        if self._spec.augmentation.elastic_grid > SPLINE_ORDER:
            points += self._movement(elastic)
        centre = (self._spec.network.image_size - 1) / 2
        return centre + tf.linalg.matvec(matrix, points - centre) + translation

    def _movement(self, elastic: tf.Tensor) -> tf.Tensor:
        """Evaluates the B-spline of moved control points at the network's pixels.

        Args:
            elastic: float64 [g, g, 2], (y, x) in network pixels.

        Returns:
            float64 [N, N, 2], (x, y) in network pixels.
        """
        grid = elastic.shape[0]
        down = tf.reshape(self._spline(tf.reshape(elastic, [grid, -1])), [-1, grid, 2])
        across = self._spline(tf.reshape(tf.transpose(down, [1, 0, 2]), [grid, -1]))
        return tf.transpose(tf.reshape(across, [self._spec.network.image_size, -1, 2]), [1, 0, 2])[..., ::-1]

    def _spline(self, coefficients: tf.Tensor) -> tf.Tensor:
        """Evaluates the cubic B-splines of coefficients [g, k] at the pixels of one axis: [N, k]."""
        return cubic_spline(coefficients, spline_places(self._spec.network.image_size, coefficients.shape[0]))

    def _smooth(self, labels: tf.Tensor) -> tf.Tensor:
        """Smooths labels float32 [N, N] as `smooth_labels` does: the largest filtered mask wins."""
        sigma = self._spec.preprocessing.label_smoothing
        present = tf.sort(tf.unique(tf.concat([[0.0], tf.reshape(labels, [-1])], axis=0)).y)
        masks = gaussian_filter(
            tf.cast(labels == present[:, None, None], tf.float32), sigma, int(TRUNCATE * sigma + 0.5)
        )
        # Of equal masks the first wins: the background, then the lower label.
        return tf.gather(present, tf.argmax(masks, axis=0))


def sample_linearly(images: tf.Tensor, points: tf.Tensor) -> tf.Tensor:
    """Interpolates linearly between the four pixels around every point.

    Args:
        images: float [h, w, K].
        points: float [..., 2], (x, y) in pixels, inside the image.

    Returns:
        [..., K], of the images' dtype.
    """
    height, width, channels = tf.unstack(tf.shape(images))
    pixels = tf.reshape(images, [-1, channels])
    lower = tf.floor(points)
    weight_x, weight_y = tf.unstack(tf.cast(points - lower, images.dtype)[..., None, :], axis=-1)
    left, top = tf.unstack(tf.cast(lower, tf.int32), axis=-1)
    # Beyond the last pixel the weight is zero.
    right, bottom = tf.minimum(left + 1, width - 1), tf.minimum(top + 1, height - 1)

    def row(y: tf.Tensor) -> tf.Tensor:
        first, second = tf.gather(pixels, y * width + left), tf.gather(pixels, y * width + right)
        return first + weight_x * (second - first)

    upper = row(top)
    return upper + weight_y * (row(bottom) - upper)


def cubic_spline(coefficients: tf.Tensor, places: NDArray[np.float64]) -> tf.Tensor:
    """Evaluates uniform cubic B-splines.

    Args:
        coefficients: float64 [g, k], those of k splines, one at every integer from 0 on.
        places: float64 [N], where to evaluate them.

    Returns:
        float64 [N, k].
    """
    return tf.matmul(tf.constant(spline_weights(places, coefficients.shape[0])), coefficients)


def gaussian_filter(images: tf.Tensor, sigma: float, radius: int) -> tf.Tensor:
    """Filters images with a Gaussian along both axes; their edge pixels are repeated around them.

    Args:
        images: float32 [K, H, W], each filtered by itself.
        sigma: Standard deviation, in pixels.
        radius: Distance from its centre at which the filter is cut, in pixels.

    Returns:
        float32 [K, H, W].
    """
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    weights = (weights / weights.sum()).astype(np.float32)
    filtered = images[..., None]
    for axis, shape in ((1, [-1, 1, 1, 1]), (2, [1, -1, 1, 1])):
        side = tf.shape(images)[axis]
        repeated = tf.clip_by_value(tf.range(-radius, side + radius), 0, side - 1)
        filtered = tf.nn.conv2d(tf.gather(filtered, repeated, axis=axis), weights.reshape(shape), 1, "VALID")
    return filtered[..., 0]


def _within(points: tf.Tensor, low: tf.Tensor | float, high: tf.Tensor) -> tf.Tensor:
    return tf.reduce_all((points >= low) & (points < high), axis=-1)


def _shift(clip: tf.Tensor, shifts: tf.Tensor, *, mirror: bool) -> tf.Tensor:
    """Moves frames [T, N, N, C] by whole pixels int64 [T, 2] (y, x), as `simpleitk.shift_frame` moves one."""
    side = tf.shape(clip, tf.int64)[1]
    for axis in (1, 2):
        source = tf.range(side) - shifts[:, axis - 1, None]
        folded = tf.math.floormod(source, 2 * side)
        clip = tf.gather(clip, tf.minimum(folded, 2 * side - 1 - folded), axis=axis, batch_dims=1)
        if not mirror:
            there = tf.expand_dims((source >= 0) & (source < side), 3 - axis)
            clip = tf.where(there[..., None], clip, 0.0)
    return clip

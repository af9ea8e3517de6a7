"""Builds one hourglass of contracting, parallel and expanding path (paper section 2.1, Fig. 2).

Knows no data, no loss and no training.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from cosembed.layers import ConvGRU2D, HeTruncatedNormal, run_together
from cosembed.layers.convolution import convolve
from cosembed.layers.pooling import fusible_max_pool


class Convolution(tf.keras.layers.Layer):
    """Convolves every frame with zero padding: [B, T, H, W, C] -> [B, T, H, W, filters].

    Args:
        filters: Number of output channels.
        activation: What Keras calls it; None for none.
        seed: The seed of the kernel's first values.
        kernel_size: Side k of the square kernel.
        **kwargs: What `tf.keras.layers.Layer` takes.
    """

    def __init__(
        self, filters: int, activation: str | None, seed: int, kernel_size: int = 3, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.activation = tf.keras.activations.get(activation)
        self._initializer = HeTruncatedNormal(seed)

    def build(self, input_shape: Any) -> None:
        """Creates the kernel [k, k, C, filters] and the bias [filters]."""
        shape = (self.kernel_size, self.kernel_size, int(tf.TensorShape(input_shape)[-1]), self.filters)
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=self._initializer)
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Convolves float [B, T, H, W, C]; the result has the same dtype."""
        images = merge_time(inputs)
        kernel, bias = tf.cast(self.kernel, inputs.dtype), tf.cast(self.bias, inputs.dtype)
        return split_time(self.activation(convolve(images, kernel, bias)), inputs)


class Hourglass(tf.keras.layers.Layer):
    """Computes embeddings of images at several resolutions: [B, T, H, W, C] -> [B, T, H, W, outputs].

    Level l works at height H / 2^l and width W / 2^l with `filters` channels; H and W must be divisible by
    2^(levels - 1). The parallel path is a ConvGRU at every level, or a convolution if the hourglass is not
    recurrent. What it gives and what comes up from the level below are added, as in the released graphs.

    Args:
        filters: Channels of every inner convolution and state.
        levels: Number of resolutions.
        outputs: Number of output channels, which have no activation.
        recurrent: Whether the parallel path has ConvGRU layers.
        seed: The first of the kernels' seeds; every kernel has its own.
        follow_up: Whether the hourglass is that of the follow-up of 2019: a 1x1 convolution with ReLU comes
            first, the output convolution is 1x1, and the gates' kernels start at random instead of at zero.
        for_xla: Whether XLA compiles what computes the hourglass, and operations are chosen that it fuses.
        **kwargs: What `tf.keras.layers.Layer` takes.
    """

    def __init__(
        self,
        filters: int,
        levels: int,
        outputs: int,
        recurrent: bool,
        seed: int,
        follow_up: bool = False,
        for_xla: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.levels, self.recurrent = filters, levels, recurrent
        self._follow_up = follow_up
        self._pool = fusible_max_pool if for_xla else _max_pool
        # Every kernel has its own seed: equal seeds would give equal kernels.
        seeds = iter(range(seed, seed + 3 * levels + 2))
        self.contracting = [self._convolution(next(seeds), f"contracting_{level}") for level in range(levels)]
        self.parallel = [self._parallel(next(seeds), f"parallel_{level}") for level in range(levels)]
        self.expanding = [self._convolution(next(seeds), f"expanding_{level}") for level in range(levels)]
        output_size = 1 if follow_up else 3
        # Embeddings are computed in float32, whatever the rest computes in.
        self.output_convolution = Convolution(
            outputs, None, next(seeds), output_size, name="output", dtype=self.variable_dtype
        )
        self.input_convolution = (
            Convolution(filters, "relu", next(seeds), 1, name="input", dtype=self.dtype_policy)
            if follow_up
            else None
        )

    def _convolution(self, seed: int, name: str) -> Convolution:
        return Convolution(self.filters, "relu", seed, name=name, dtype=self.dtype_policy)

    def _parallel(self, seed: int, name: str) -> tf.keras.layers.Layer:
        if not self.recurrent:
            return self._convolution(seed, name)
        reset, update = (
            (HeTruncatedNormal(seed, scale=1.0, stream=stream) if self._follow_up else "zeros")
            for stream in (1, 2)
        )
        return ConvGRU2D(
            self.filters,
            gate_initializer=reset,
            candidate_initializer=HeTruncatedNormal(seed),
            update_initializer=update,
            name=name,
            dtype=self.dtype_policy,
        )

    def build(self, input_shape: Any) -> None:
        """Builds the layers of every level, so that all weights exist and have a fixed order."""
        shape, inner = tf.TensorShape(input_shape), tf.TensorShape([None, None, None, None, self.filters])
        if self.input_convolution is not None:
            with tf.name_scope(self.input_convolution.name):
                self.input_convolution.build(shape)
            shape = inner
        for level in range(self.levels):
            with tf.name_scope(self.contracting[level].name):
                self.contracting[level].build(inner if level else shape)
            with tf.name_scope(self.parallel[level].name):
                self.parallel[level].build(inner)
        for level in reversed(range(self.levels)):
            with tf.name_scope(self.expanding[level].name):
                self.expanding[level].build(inner)
        with tf.name_scope(self.output_convolution.name):
            self.output_convolution.build(inner)
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Computes a whole clip [B, T, H, W, C]; states start at zero."""
        return self._pass(inputs, self._parallel_path)

    def _parallel_path(self, features: list[tf.Tensor]) -> list[tf.Tensor]:
        """Computes the parallel path of all levels [B, T, H / 2^l, W / 2^l, filters] of a clip."""
        if self.recurrent:
            # They are independent of each other, for each reads the contracting path alone.
            return run_together(self.parallel, features)
        return [layer(clip) for layer, clip in zip(self.parallel, features, strict=True)]

    def step(self, frame: tf.Tensor, states: list[tf.Tensor] | None) -> tuple[tf.Tensor, list[tf.Tensor]]:
        """Computes one frame.

        Args:
            frame: float [B, 1, H, W, C].
            states: The states of all levels, [B, H / 2^l, W / 2^l, filters] each; None for zeros.

        Returns:
            float [B, 1, H, W, outputs], and the new states, none if the hourglass is not recurrent.
        """
        after: list[tf.Tensor] = []

        def parallel(features: list[tf.Tensor]) -> list[tf.Tensor]:
            if not self.recurrent:
                return self._parallel_path(features)
            for level, layer in enumerate(self.parallel):
                now = features[level][:, 0]
                before = tf.zeros_like(now) if states is None else states[level]
                after.append(layer.step(now, before))
            return [state[:, None] for state in after]

        return self._pass(frame, parallel), after

    def _pass(self, inputs: tf.Tensor, parallel: Callable[[list[tf.Tensor]], list[tf.Tensor]]) -> tf.Tensor:
        features = inputs if self.input_convolution is None else self.input_convolution(inputs)
        contracted = []
        for level in range(self.levels):
            features = self.contracting[level](downsample(features, self._pool) if level else features)
            contracted.append(features)
        skips = parallel(contracted)
        features = self.expanding[-1](skips[-1])
        for level in reversed(range(self.levels - 1)):
            features = self.expanding[level](skips[level] + upsample(features))
        return self.output_convolution(features)


def merge_time(inputs: tf.Tensor) -> tf.Tensor:
    """Makes one batch of all frames: [B, T, H, W, C] -> [B * T, H, W, C]."""
    return tf.reshape(inputs, tf.concat([[-1], tf.shape(inputs)[2:]], axis=0))


def split_time(images: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    """Undoes `merge_time`: [B * T, H, W, C] -> [B, T, H, W, C], B and T those of `like`."""
    return tf.reshape(images, tf.concat([tf.shape(like)[:2], tf.shape(images)[1:]], axis=0))


def downsample(features: tf.Tensor, pool: Callable[[tf.Tensor], tf.Tensor]) -> tf.Tensor:
    """Takes the maximum of every 2x2 pixels: [B, T, H, W, C] -> [B, T, H / 2, W / 2, C]."""
    return split_time(pool(merge_time(features)), features)


def _max_pool(images: tf.Tensor) -> tf.Tensor:
    return tf.nn.max_pool2d(images, 2, 2, "VALID")


def upsample(features: tf.Tensor) -> tf.Tensor:
    """Repeats every pixel twice along both axes: [B, T, H, W, C] -> [B, T, 2 H, 2 W, C]."""
    return split_time(_double(merge_time(features)), features)


@tf.custom_gradient
def _double(images: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], tf.Tensor]]:
    """Repeats every pixel of [N, H, W, C] twice along both axes.

    The gradient is the sum over 2x2 pixels, which average pooling computes in one operation.
    """
    shape, channels = tf.shape(images), images.shape[-1]
    wide = tf.broadcast_to(images[:, :, None, :, None], [shape[0], shape[1], 2, shape[2], 2, channels])
    doubled = tf.reshape(wide, [shape[0], 2 * shape[1], 2 * shape[2], channels])
    return doubled, lambda upstream: 4 * tf.nn.avg_pool2d(upstream, 2, 2, "VALID")

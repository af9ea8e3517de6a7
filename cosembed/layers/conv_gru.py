"""Implements the convolutional gated recurrent unit (Ballas et al. 2016) as a Keras layer.

    r  = sigmoid(conv([x, h]))             the reset gate
    u  = sigmoid(conv([x, h]))             the update gate
    y  = activation(conv([x, r * h]))      the candidate
    h' = u * h + (1 - u) * y               the new state, which is also the output

The input's half of the three convolutions does not depend on the state. It is computed for the whole clip at
once, and only the state's half runs in the time loop (`recurrence`). This module knows no data and no
training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from cosembed.layers.convolution import convolve
from cosembed.layers.initializers import HeTruncatedNormal
from cosembed.layers.recurrence import Clip, Kernels, advance, recurrence


def run_together(layers: Sequence[ConvGRU2D], inputs: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Runs several layers in one time loop, which gives what each of them gives alone.

    Layers of small images cannot fill a GPU one after another. In one loop their work of a frame lies side
    by side, and there is one loop to compile and to wait for.

    Args:
        layers: Built layers of the same activation.
        inputs: For each layer float [B, T, H, W, C], with equal B and T.

    Returns:
        For each layer the outputs of all frames, [B, T, H, W, F].
    """
    casts = [tf.cast(clip, layer.compute_dtype) for layer, clip in zip(layers, inputs, strict=True)]
    clips = [layer._clip(clip, None) for layer, clip in zip(layers, casts, strict=True)]
    states = recurrence(clips, layers[0].activation)
    return [layer._batch_major(whole, clip) for layer, whole, clip in zip(layers, states, casts, strict=True)]


@tf.keras.utils.register_keras_serializable("cosembed")
class ConvGRU2D(tf.keras.layers.Layer):
    """Runs a convolutional GRU over a sequence of images, with zero padding and stride 1.

    Args:
        filters: Number of state channels F.
        kernel_size: Odd side k of the square kernels.
        activation: The candidate's activation; the released networks use ReLU, not tanh.
        return_sequences: Whether all outputs are returned; otherwise only the last.
        return_state: Whether the state after the last frame is returned too.
        gate_initializer: How the kernels of both gates start; zeros, as in the released networks, put the
            gates at 0.5.
        candidate_initializer: How the kernel of the candidate starts; None for an unseeded
            `HeTruncatedNormal`.
        bias_initializer: How all three biases start.
        update_initializer: How the kernel of the update gate starts; None: as `gate_initializer` says.
        **kwargs: What `tf.keras.layers.Layer` takes.

    Call arguments:
        inputs: float [B, T, H, W, C].
        initial_state: float [B, H, W, F], or None for zeros.

    Output shape:
        [B, T, H, W, F], or [B, H, W, F] without `return_sequences`; with `return_state`, a pair of that and
        the state [B, H, W, F].

    Example:
        >>> ConvGRU2D(64)(tf.zeros([1, 10, 32, 32, 3])).shape
        TensorShape([1, 10, 32, 32, 64])

    Attributes:
        reset_kernel: [k, k, C + F, F], the reset gate's; the input's channels come first, then the state's.
        reset_bias: [F], the reset gate's.
        update_kernel: The update gate's, as `reset_kernel`.
        update_bias: The update gate's, as `reset_bias`.
        candidate_kernel: The candidate's, as `reset_kernel`.
        candidate_bias: The candidate's, as `reset_bias`.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int = 3,
        activation: Any = "relu",
        return_sequences: bool = True,
        return_state: bool = False,
        gate_initializer: Any = "zeros",
        candidate_initializer: Any = None,
        bias_initializer: Any = "zeros",
        update_initializer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not isinstance(filters, int) or filters < 1:
            raise ValueError(f"`filters` must be a positive integer. Received: {filters!r}")
        if not isinstance(kernel_size, int) or kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"`kernel_size` must be a positive odd integer. Received: {kernel_size!r}")
        self.filters = filters
        self.kernel_size = kernel_size
        self.activation = tf.keras.activations.get(activation)
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.gate_initializer = tf.keras.initializers.get(gate_initializer)
        self.update_initializer = tf.keras.initializers.get(update_initializer or gate_initializer)
        self.candidate_initializer = tf.keras.initializers.get(candidate_initializer or HeTruncatedNormal())
        self.bias_initializer = tf.keras.initializers.get(bias_initializer)

    def build(self, input_shape: Any) -> None:
        """Creates the six weights; the number of input channels must be known."""
        channels = tf.TensorShape(input_shape)[-1]
        if tf.TensorShape(input_shape).rank != 5 or channels is None:
            raise ValueError(f"Inputs must be [B, T, H, W, C] with C known. Received shape: {input_shape}")
        self._channels = int(channels)
        # Without this, TensorFlow takes some wrong channel counts for a grouped convolution.
        self.input_spec = tf.keras.layers.InputSpec(ndim=5, axes={-1: self._channels})
        shape = (self.kernel_size, self.kernel_size, self._channels + self.filters, self.filters)
        self.reset_kernel = self.add_weight(
            name="reset_kernel", shape=shape, initializer=self.gate_initializer
        )
        self.reset_bias = self._bias("reset")
        self.update_kernel = self.add_weight(
            name="update_kernel", shape=shape, initializer=self.update_initializer
        )
        self.update_bias = self._bias("update")
        self.candidate_kernel = self.add_weight(
            name="candidate_kernel", shape=shape, initializer=self.candidate_initializer
        )
        self.candidate_bias = self._bias("candidate")
        super().build(input_shape)

    def _bias(self, name: str) -> tf.Variable:
        return self.add_weight(name=f"{name}_bias", shape=(self.filters,), initializer=self.bias_initializer)

    def call(self, inputs: tf.Tensor, initial_state: tf.Tensor | None = None) -> Any:
        """Computes the outputs of a clip; arguments and results are those of the class."""
        inputs = tf.convert_to_tensor(inputs)
        (states,) = recurrence([self._clip(inputs, initial_state)], self.activation)
        state = states[-1]
        result = self._batch_major(states, inputs) if self.return_sequences else state
        state.set_shape([inputs.shape[0], *inputs.shape[2:4], self.filters])
        return (result, state) if self.return_state else result

    def step(self, inputs: tf.Tensor, state: tf.Tensor) -> tf.Tensor:
        """Computes one frame.

        Args:
            inputs: float [B, H, W, C].
            state: float [B, H, W, F], the state after the frame before.

        Returns:
            float [B, H, W, F], the new state, which is also the output.
        """
        inputs, state = tf.cast(inputs, self.compute_dtype), tf.cast(state, self.compute_dtype)
        if not self.built:
            self.build([None, None, None, None, inputs.shape[-1]])
        return advance(*self._input_halves(inputs), state, self._state_kernels(), self.activation).state

    def _batch_major(self, states: tf.Tensor, inputs: tf.Tensor) -> tf.Tensor:
        """Brings states [T, B, H, W, F] into the order of the inputs [B, T, H, W, C] that they came from."""
        outputs = tf.transpose(states, [1, 0, 2, 3, 4])
        outputs.set_shape([*inputs.shape[:-1], self.filters])
        return outputs

    def _clip(self, inputs: tf.Tensor, start: tf.Tensor | None) -> Clip:
        """Computes what does not depend on the state for a whole clip [B, T, H, W, C]."""
        shape = tf.shape(inputs)
        images = tf.reshape(inputs, tf.concat([[-1], shape[2:]], axis=0))

        def time_major(halves: tf.Tensor) -> tf.Tensor:
            frames = tf.reshape(halves, tf.concat([shape[:4], halves.shape[-1:]], axis=0))
            return tf.transpose(frames, [1, 0, 2, 3, 4])

        gates, candidates = (time_major(halves) for halves in self._input_halves(images))
        start = None if start is None else tf.cast(start, inputs.dtype)
        return Clip(gates, candidates, start, self._state_kernels())

    def _input_halves(self, images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Computes the input's part of the gates and of the candidate, biases included.

        These are two convolutions, because cutting their joint result in the time loop costs more than it
        saves.

        Args:
            images: float [N, H, W, C].

        Returns:
            [N, H, W, 2 F] for reset and update gate, [N, H, W, F] for the candidate.
        """

        def half(kernel: tf.Tensor, bias: tf.Tensor) -> tf.Tensor:
            kernel, bias = tf.cast(kernel[:, :, : self._channels], images.dtype), tf.cast(bias, images.dtype)
            return convolve(images, kernel, bias)

        gates_kernel = tf.concat([self.reset_kernel, self.update_kernel], axis=-1)
        gates_bias = tf.concat([self.reset_bias, self.update_bias], axis=0)
        return half(gates_kernel, gates_bias), half(self.candidate_kernel, self.candidate_bias)

    def _state_kernels(self) -> Kernels:
        gates = tf.concat([self.reset_kernel, self.update_kernel], axis=-1)[:, :, self._channels :]
        candidate = self.candidate_kernel[:, :, self._channels :]
        return Kernels(tf.cast(gates, self.compute_dtype), tf.cast(candidate, self.compute_dtype))

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of `__init__`, for Keras to make an equal layer."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "activation": tf.keras.activations.serialize(self.activation),
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "gate_initializer": tf.keras.initializers.serialize(self.gate_initializer),
            "candidate_initializer": tf.keras.initializers.serialize(self.candidate_initializer),
            "bias_initializer": tf.keras.initializers.serialize(self.bias_initializer),
            "update_initializer": tf.keras.initializers.serialize(self.update_initializer),
        }

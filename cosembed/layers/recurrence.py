"""Runs the time loop of the convolutional GRU, with a gradient of its own.

    r, u = sigmoid(gates_input + conv(h))
    a    = candidate_input + conv(r * h)
    y    = activation(a)
    h'   = u * h + (1 - u) * y

TensorFlow's gradient of such a loop keeps every intermediate result of every frame and adds up the kernels'
gradients frame by frame. This one keeps r, u, a and h', and computes each kernel's gradient of all frames in
one convolution. A state of zeros, as at the first frame of a clip, is `None`, and its convolutions are left
out.

What is kept lies on stacks. The gradient goes backwards in time and takes it off, which leaves the memory to
its own arrays. This module knows no layer and no weights' names.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from cosembed.layers.convolution import kernel_gradient

Activation = Callable[[tf.Tensor], tf.Tensor]
Stacks = tuple[tf.Tensor, ...]


class Frame(NamedTuple):
    """Holds what one frame leaves behind, float [B, H, W, F] each.

    Attributes:
        state: The new state h'.
        reset: The reset gate r.
        update: The update gate u.
        raw: The candidate a before its activation.
    """

    state: tf.Tensor
    reset: tf.Tensor
    update: tf.Tensor
    raw: tf.Tensor


class FrameGradients(NamedTuple):
    """Holds the gradients of one frame's inputs, and what else the kernels' gradients need.

    Attributes:
        gates: [B, H, W, 2 F], the gradient of `gates_input`.
        raw: [B, H, W, F], the gradient of `candidate_input`.
        product: [B, H, W, F], r * h, which the candidate's kernel convolved.
    """

    gates: tf.Tensor
    raw: tf.Tensor
    product: tf.Tensor


class Kernels(NamedTuple):
    """Holds the state's half of the kernels.

    Attributes:
        gates: [k, k, F, 2 F], of reset and update gate.
        candidate: [k, k, F, F].
    """

    gates: tf.Tensor
    candidate: tf.Tensor


def advance(
    gates_input: tf.Tensor,
    candidate_input: tf.Tensor,
    state: tf.Tensor | None,
    kernels: Kernels,
    activation: Activation,
) -> Frame:
    """Computes one frame of the loop.

    Args:
        gates_input: float [B, H, W, 2 F], the input's part of reset and update gate, biases included.
        candidate_input: float [B, H, W, F], the input's part of the candidate, bias included.
        state: float [B, H, W, F], the state after the frame before; None for zeros.
        kernels: The state's half of the kernels.
        activation: The candidate's activation, elementwise.

    Returns:
        The new state and what the gradient needs.
    """
    if state is not None:
        gates_input += tf.nn.conv2d(state, kernels.gates, 1, "SAME")
    reset, update = tf.split(tf.sigmoid(gates_input), 2, axis=-1)
    if state is None:
        # This is a copy, because a slice that is kept would keep the whole clip in memory.
        raw = tf.raw_ops.DeepCopy(x=candidate_input)
        candidate = activation(raw)
        return Frame(candidate - update * candidate, reset, update, raw)
    raw = candidate_input + tf.nn.conv2d(reset * state, kernels.candidate, 1, "SAME")
    candidate = activation(raw)
    return Frame(candidate + update * (state - candidate), reset, update, raw)


def recurrence(
    gates_input: tf.Tensor,
    candidate_input: tf.Tensor,
    initial_state: tf.Tensor | None,
    kernels: Kernels,
    activation: Activation,
) -> tf.Tensor:
    """Computes the states of all frames.

    Args:
        gates_input: float [T, B, H, W, 2 F], the input's part of reset and update gate, biases included.
        candidate_input: float [T, B, H, W, F], the input's part of the candidate, bias included.
        initial_state: float [B, H, W, F], or None for zeros.
        kernels: The state's half of the kernels.
        activation: The candidate's activation, elementwise.

    Returns:
        float [T, B, H, W, F].
    """

    @tf.custom_gradient
    def run(
        gates_input: tf.Tensor, candidate_input: tf.Tensor, *others: tf.Tensor
    ) -> tuple[tf.Tensor, Callable]:
        start, weights = (others[0] if len(others) > 2 else None), Kernels(*others[-2:])
        states, kept = _forward(gates_input, candidate_input, start, weights, activation)

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor]:
            return _backward(upstream, states, kept, start, weights, activation)

        return states, gradient

    return run(gates_input, candidate_input, *(() if initial_state is None else (initial_state,)), *kernels)


def _forward(
    gates_input: tf.Tensor,
    candidate_input: tf.Tensor,
    start: tf.Tensor | None,
    kernels: Kernels,
    activation: Activation,
) -> tuple[tf.Tensor, Stacks]:
    length, filters = tf.shape(candidate_input)[0], candidate_input.shape[-1]
    # Slices along the first axis share memory with the whole; arrays would be copies.
    first = advance(gates_input[0], candidate_input[0], start, kernels, activation)
    states = _array(length, first.state).write(0, first.state)
    kept = [_push(_stack(part), part) for part in first[1:]]

    def body(time: tf.Tensor, state: tf.Tensor, states: tf.TensorArray, *kept: tf.Tensor) -> tuple:
        frame = advance(gates_input[time], candidate_input[time], state, kernels, activation)
        return time + 1, frame.state, states.write(time, frame.state), *map(_push, kept, frame[1:])

    _, _, states, *kept = tf.while_loop(
        lambda time, *_: time < length,
        body,
        (tf.constant(1), first.state, states, *kept),
        shape_invariants=(
            tf.TensorShape([]),
            tf.TensorShape([None, None, None, filters]),
            None,
            *[tf.TensorShape([])] * len(kept),
        ),
    )
    return states.stack(), tuple(kept)


def _backward(
    upstream: tf.Tensor,
    states: tf.Tensor,
    kept: Stacks,
    start: tf.Tensor | None,
    kernels: Kernels,
    activation: Activation,
) -> list[tf.Tensor]:
    length, filters = tf.shape(upstream)[0], upstream.shape[-1]

    def retreat(
        time: tf.Tensor | int, carried: tf.Tensor, before: tf.Tensor | None, kept: Stacks
    ) -> tuple[tf.Tensor | None, FrameGradients, Stacks]:
        kept, (reset, update, raw) = zip(*(_pop(stack, upstream) for stack in kept), strict=True)
        return *_retreat(upstream[time] + carried, before, reset, update, raw, kernels, activation), kept

    def body(time: tf.Tensor, carried: tf.Tensor, kept: Stacks, arrays: tuple[tf.TensorArray, ...]) -> tuple:
        carried, gradients, kept = retreat(time, carried, states[time - 1], kept)
        return (
            time - 1,
            carried,
            kept,
            tuple(array.write(time, part) for array, part in zip(arrays, gradients, strict=True)),
        )

    arrays = tuple(_array(length, states, times * filters) for times in (2, 1, 1))
    _, carried, kept, arrays = tf.while_loop(
        lambda time, *_: time > 0,
        body,
        (length - 1, tf.zeros_like(states[0]), kept, arrays),
        shape_invariants=(
            tf.TensorShape([]),
            tf.TensorShape([None, None, None, filters]),
            (tf.TensorShape([]),) * len(kept),
            (None,) * len(arrays),
        ),
    )
    carried, first, _ = retreat(0, carried, start, kept)
    gates, raw, products = (array.write(0, part).stack() for array, part in zip(arrays, first, strict=True))
    gates_kernel = _kernel_gradient(states[:-1], gates[1:], kernels.gates)
    candidate_kernel = _kernel_gradient(products[1:], raw[1:], kernels.candidate)
    if start is None:
        return [gates, raw, gates_kernel, candidate_kernel]
    gates_kernel += _kernel_gradient(start[None], gates[:1], kernels.gates)
    candidate_kernel += _kernel_gradient(products[:1], raw[:1], kernels.candidate)
    return [gates, raw, carried, gates_kernel, candidate_kernel]


def _retreat(
    upstream: tf.Tensor,
    before: tf.Tensor | None,
    reset: tf.Tensor,
    update: tf.Tensor,
    raw: tf.Tensor,
    kernels: Kernels,
    activation: Activation,
) -> tuple[tf.Tensor | None, FrameGradients]:
    """Goes back through `advance`, from the gradient of a frame's state to those of what it came from.

    Args:
        upstream: [B, H, W, F], the gradient of the frame's state.
        before: [B, H, W, F], the state before, or None for zeros.
        reset: [B, H, W, F], the reset gate.
        update: [B, H, W, F], the update gate.
        raw: [B, H, W, F], the candidate before its activation.
        kernels: The state's half of the kernels.
        activation: The candidate's activation.

    Returns:
        The gradient of the state before, None if that was None; and those of the frame's inputs.
    """
    with tf.GradientTape() as tape:
        tape.watch(raw)
        candidate = activation(raw)
    passed = upstream * update
    raw_gradient = tape.gradient(candidate, raw, output_gradients=upstream - passed)
    if before is None:
        update_gradient = tf.raw_ops.SigmoidGrad(y=update, dy=-upstream * candidate)
        zeros = tf.zeros_like(reset)
        return None, FrameGradients(tf.concat([zeros, update_gradient], axis=-1), raw_gradient, zeros)
    product_gradient = tf.nn.conv2d_transpose(raw_gradient, kernels.candidate, tf.shape(before), 1, "SAME")
    reset_gradient = tf.raw_ops.SigmoidGrad(y=reset, dy=product_gradient * before)
    update_gradient = tf.raw_ops.SigmoidGrad(y=update, dy=upstream * (before - candidate))
    gates_gradient = tf.concat([reset_gradient, update_gradient], axis=-1)
    through_gates = tf.nn.conv2d_transpose(gates_gradient, kernels.gates, tf.shape(before), 1, "SAME")
    state_gradient = tf.add_n([passed, product_gradient * reset, through_gates])
    return state_gradient, FrameGradients(gates_gradient, raw_gradient, reset * before)


def _kernel_gradient(inputs: tf.Tensor, upstream: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Computes the gradient of a kernel that convolved frames [T, B, H, W, C], over all of them at once."""

    def images(frames: tf.Tensor) -> tf.Tensor:
        return tf.reshape(frames, tf.concat([[-1], tf.shape(frames)[2:]], axis=0))

    return kernel_gradient(images(inputs), images(upstream), kernel)


def _array(length: tf.Tensor, like: tf.Tensor, channels: int | None = None) -> tf.TensorArray:
    shape = [None, None, None, channels or like.shape[-1]]
    return tf.TensorArray(like.dtype, length, element_shape=shape)


def _stack(like: tf.Tensor) -> tf.Tensor:
    shape = [-1, -1, -1, like.shape[-1]]
    return tf.raw_ops.EmptyTensorList(element_shape=shape, max_num_elements=-1, element_dtype=like.dtype)


def _push(stack: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.TensorListPushBack(input_handle=stack, tensor=part)


def _pop(stack: tf.Tensor, like: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Takes the last part off a stack and returns both; the part has the channels and dtype of `like`."""
    shape = [-1, -1, -1, like.shape[-1]]
    return tf.raw_ops.TensorListPopBack(input_handle=stack, element_shape=shape, element_dtype=like.dtype)

"""Runs the time loop of convolutional GRUs, with a gradient of its own.

    r, u = sigmoid(gates_input + conv(h))
    a    = candidate_input + conv(r * h)
    y    = activation(a)
    h'   = u * h + (1 - u) * y

TensorFlow's gradient of such a loop keeps every intermediate result of every frame and adds up the kernels'
gradients frame by frame. This one keeps r, u, a and h', and computes each kernel's gradient of all frames in
one convolution. A state of zeros, as at the first frame of a clip, is `None`, and its convolutions are left
out.

What is kept lies on stacks. The gradient goes backwards in time and takes it off, which leaves the memory to
its own arrays. Several GRUs that do not need each other's states, such as those of a hourglass's levels, can
share one loop. Everything here can be compiled by XLA, which asks for stacks of a known size and for
operations that it has. This module knows no layer and no weights' names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import tensorflow as tf

from cosembed.layers.convolution import kernel_gradient

Activation = Callable[[tf.Tensor], tf.Tensor]
Stacks = list[tf.Tensor]


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


class Clip(NamedTuple):
    """Holds what one GRU computes the states of a clip from; or the gradients of that.

    Attributes:
        gates_input: float [T, B, H, W, 2 F], the input's part of reset and update gate, biases included.
        candidate_input: float [T, B, H, W, F], the input's part of the candidate, bias included.
        start: float [B, H, W, F], the state before the first frame; None for zeros.
        kernels: The state's half of the kernels.
    """

    gates_input: tf.Tensor
    candidate_input: tf.Tensor
    start: tf.Tensor | None
    kernels: Kernels


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
        raw = tf.raw_ops.Snapshot(input=candidate_input)
        candidate = activation(raw)
        return Frame(candidate - update * candidate, reset, update, raw)
    raw = candidate_input + tf.nn.conv2d(reset * state, kernels.candidate, 1, "SAME")
    candidate = activation(raw)
    return Frame(candidate + update * (state - candidate), reset, update, raw)


def recurrence(clips: Sequence[Clip], activation: Activation) -> list[tf.Tensor]:
    """Computes the states of all frames, of several GRUs in one loop.

    Args:
        clips: One for each GRU; all have the same number of frames T.
        activation: The candidate's activation, elementwise.

    Returns:
        For each GRU float [T, B, H, W, F].
    """

    @tf.custom_gradient
    def run(*tensors: tf.Tensor) -> tuple[list[tf.Tensor], Callable]:
        given = iter(tensors)
        inner = tf.nest.map_structure(lambda part: None if part is None else next(given), list(clips))
        states, stacks = _forward(inner, activation)

        def gradient(*upstreams: tf.Tensor) -> list[tf.Tensor]:
            return _given(_backward(upstreams, states, stacks, inner, activation))

        return states, gradient

    return run(*_given(clips))


def _given(clips: Sequence[Clip]) -> list[tf.Tensor]:
    """Lists all tensors; the starts that are None are left out."""
    return [part for part in tf.nest.flatten(list(clips)) if part is not None]


def _forward(clips: Sequence[Clip], activation: Activation) -> tuple[list[tf.Tensor], list[Stacks]]:
    length = tf.shape(clips[0].candidate_input)[0]

    def frames(time: tf.Tensor | int, states: Sequence[tf.Tensor | None]) -> list[Frame]:
        # Slices along the first axis share memory with the whole; arrays would be copies.
        return [
            advance(clip.gates_input[time], clip.candidate_input[time], state, clip.kernels, activation)
            for clip, state in zip(clips, states, strict=True)
        ]

    def body(
        time: tf.Tensor, states: list[tf.Tensor], arrays: list[tf.TensorArray], stacks: list[Stacks]
    ) -> tuple:
        new = frames(time, states)
        return (
            time + 1,
            [frame.state for frame in new],
            [array.write(time, frame.state) for array, frame in zip(arrays, new, strict=True)],
            [list(map(_push, kept, frame[1:])) for kept, frame in zip(stacks, new, strict=True)],
        )

    first = frames(0, [clip.start for clip in clips])
    stacks = [[_push(_stack(part, length), part) for part in frame[1:]] for frame in first]
    _, _, arrays, stacks = tf.while_loop(
        lambda time, *_: time < length,
        body,
        (
            tf.constant(1),
            [frame.state for frame in first],
            [_array(length, frame.state).write(0, frame.state) for frame in first],
            stacks,
        ),
        shape_invariants=(
            tf.TensorShape([]),
            [_images(frame.state) for frame in first],
            [None] * len(first),
            [[tf.TensorShape([])] * len(kept) for kept in stacks],
        ),
    )
    return [array.stack() for array in arrays], stacks


def _backward(
    upstreams: Sequence[tf.Tensor],
    states: Sequence[tf.Tensor],
    stacks: list[Stacks],
    clips: Sequence[Clip],
    activation: Activation,
) -> list[Clip]:
    length = tf.shape(upstreams[0])[0]

    def retreat(
        time: tf.Tensor | int,
        carried: Sequence[tf.Tensor],
        before: Sequence[tf.Tensor | None],
        stacks: list[Stacks],
    ) -> tuple[list[tf.Tensor | None], list[FrameGradients], list[Stacks]]:
        passed, gradients, rest = [], [], []
        for clip, upstream, later, state, kept in zip(clips, upstreams, carried, before, stacks, strict=True):
            popped = [_pop(stack, upstream) for stack in kept]
            reset, update, raw = (part for _, part in popped)
            rest.append([stack for stack, _ in popped])
            both = _retreat(upstream[time] + later, state, reset, update, raw, clip.kernels, activation)
            passed.append(both[0])
            gradients.append(both[1])
        return passed, gradients, rest

    def body(
        time: tf.Tensor,
        carried: list[tf.Tensor],
        stacks: list[Stacks],
        arrays: list[list[tf.TensorArray]],
    ) -> tuple:
        before = [whole[time - 1] for whole in states]
        carried, gradients, stacks = retreat(time, carried, before, stacks)
        return time - 1, carried, stacks, _write(arrays, time, gradients)

    arrays = [[_array(length, whole, times * whole.shape[-1]) for times in (2, 1, 1)] for whole in states]
    _, carried, stacks, arrays = tf.while_loop(
        lambda time, *_: time > 0,
        body,
        (length - 1, [tf.zeros_like(whole[0]) for whole in states], stacks, arrays),
        shape_invariants=(
            tf.TensorShape([]),
            [_images(whole) for whole in states],
            [[tf.TensorShape([])] * len(kept) for kept in stacks],
            [[None] * len(parts) for parts in arrays],
        ),
    )
    carried, first, _ = retreat(0, carried, [clip.start for clip in clips], stacks)
    return [
        _clip_gradients(clip, whole, start, *(array.stack() for array in parts))
        for clip, whole, start, parts in zip(clips, states, carried, _write(arrays, 0, first), strict=True)
    ]


def _clip_gradients(
    clip: Clip,
    states: tf.Tensor,
    start: tf.Tensor | None,
    gates: tf.Tensor,
    raw: tf.Tensor,
    products: tf.Tensor,
) -> Clip:
    """Puts the gradients of one GRU together; those of its kernels are computed here.

    Args:
        clip: What the states were computed from.
        states: [T, B, H, W, F].
        start: The gradient of the first state, None where that is.
        gates: [T, B, H, W, 2 F], `FrameGradients.gates` of all frames.
        raw: [T, B, H, W, F], likewise.
        products: [T, B, H, W, F], likewise.
    """
    gates_kernel = _kernel_gradient(states[:-1], gates[1:], clip.kernels.gates)
    candidate_kernel = _kernel_gradient(products[1:], raw[1:], clip.kernels.candidate)
    if clip.start is not None:
        gates_kernel += _kernel_gradient(clip.start[None], gates[:1], clip.kernels.gates)
        candidate_kernel += _kernel_gradient(products[:1], raw[:1], clip.kernels.candidate)
    return Clip(gates, raw, start, Kernels(gates_kernel, candidate_kernel))


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


def _write(
    arrays: Sequence[Sequence[tf.TensorArray]], time: tf.Tensor | int, gradients: Sequence[FrameGradients]
) -> list[list[tf.TensorArray]]:
    """Writes the gradients of one frame, of every GRU."""
    return [
        [array.write(time, part) for array, part in zip(row, parts, strict=True)]
        for row, parts in zip(arrays, gradients, strict=True)
    ]


def _images(like: tf.Tensor) -> tf.TensorShape:
    """What is known of a state's shape in the loop."""
    return tf.TensorShape([None, None, None, like.shape[-1]])


def _array(length: tf.Tensor, like: tf.Tensor, channels: int | None = None) -> tf.TensorArray:
    shape = [None, None, None, channels or like.shape[-1]]
    return tf.TensorArray(like.dtype, length, element_shape=shape)


def _stack(like: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """Makes an empty stack for at most `size` parts with the channels and dtype of `like`."""
    shape = [-1, -1, -1, like.shape[-1]]
    return tf.raw_ops.EmptyTensorList(element_shape=shape, max_num_elements=size, element_dtype=like.dtype)


def _push(stack: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.TensorListPushBack(input_handle=stack, tensor=part)


def _pop(stack: tf.Tensor, like: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Takes the last part off a stack and returns both; the part has the channels and dtype of `like`."""
    shape = [-1, -1, -1, like.shape[-1]]
    return tf.raw_ops.TensorListPopBack(input_handle=stack, element_shape=shape, element_dtype=like.dtype)

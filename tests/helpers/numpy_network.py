"""The authors' network in plain numpy and scipy.signal, float64, from a checkpoint's variables: an oracle.

Written from the description of the method alone; it shares nothing with the package.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
from scipy import signal, special


def variable_shapes(levels=3, filters=4, outputs=3, channels=1, follow_up=False):
    """Name -> shape of every network variable, in the authors' naming."""
    shapes = {}

    def convolution(name, size, inputs, results):
        shapes[f"{name}/kernel"] = (size, size, inputs, results)
        shapes[f"{name}/bias"] = (results,)

    number = "0" if follow_up else ""
    for hourglass, inputs in enumerate((channels, channels + outputs)):
        cell = f"net/rnn/unet_{hourglass}_cell"
        if follow_up:
            convolution(f"{cell}/input", 1, inputs, filters)
        for level in range(levels):
            first = inputs if level == 0 and not follow_up else filters
            convolution(f"{cell}/contracting/level{level}/conv{number}", 3, first, filters)
            for gate in ("gates/r", "gates/u", "candidate/y"):
                convolution(f"{cell}/parallel/level{level}/gru{number}/{gate}", 3, 2 * filters, filters)
            convolution(f"{cell}/expanding/level{level}/conv{number}", 3, filters, filters)
        convolution(f"{cell}/output", 1 if follow_up else 3, filters, outputs)
    return shapes


def seeded_variables(seed, **form):
    """Random values that keep activations of moderate size; no bias and no gate is zero."""
    generator = np.random.default_rng(seed)
    variables = {}
    for name, shape in variable_shapes(**form).items():
        scale = 0.1 if len(shape) == 1 else np.sqrt(2 / np.prod(shape[:3]))
        variables[name] = generator.normal(0, scale, shape).astype(np.float32)
    return variables


def write_checkpoint(prefix: Path, variables, optimizer=True):
    """A TensorFlow 1 checkpoint under the given names, with the optimizer's slots beside them."""
    everything = dict(variables)
    if optimizer:
        for name, value in variables.items():
            everything[f"{name}/Adam"] = everything[f"{name}/Adam_1"] = np.zeros_like(value)
        everything["beta1_power"] = everything["beta2_power"] = np.float32(0.9)
    prefix.parent.mkdir(parents=True, exist_ok=True)
    tensors = [tf.constant(value) for value in everything.values()]
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(everything),
        shape_and_slices=[""] * len(tensors),
        tensors=tensors,
    )
    return prefix


def convolve(image, kernel, bias):
    """[H, W, C] with zeros outside."""
    image, kernel = image.astype(np.float64), kernel.astype(np.float64)
    planes = [
        sum(
            signal.correlate2d(image[..., i], kernel[:, :, i, o], mode="same") for i in range(image.shape[-1])
        )
        for o in range(kernel.shape[-1])
    ]
    return np.stack(planes, axis=-1) + bias.astype(np.float64)


def relu(values):
    return np.maximum(values, 0)


def hourglass_step(frame, states, variables, cell):
    """One frame [H, W, C] and the states of all levels -> output and new states."""
    number = "0" if f"{cell}/contracting/level0/conv0/kernel" in variables else ""

    def layer(features, name):
        return convolve(features, variables[f"{cell}/{name}/kernel"], variables[f"{cell}/{name}/bias"])

    features = relu(layer(frame, "input")) if f"{cell}/input/kernel" in variables else frame
    remembered = []
    for level, state in enumerate(states):
        if level:
            height, width, channels = features.shape
            features = features.reshape(height // 2, 2, width // 2, 2, channels).max(axis=(1, 3))
        features = relu(layer(features, f"contracting/level{level}/conv{number}"))
        state = np.zeros_like(features) if state is None else state
        gru = f"parallel/level{level}/gru{number}"
        reset = special.expit(layer(np.concatenate([features, state], axis=-1), f"{gru}/gates/r"))
        update = special.expit(layer(np.concatenate([features, state], axis=-1), f"{gru}/gates/u"))
        candidate = relu(layer(np.concatenate([features, reset * state], axis=-1), f"{gru}/candidate/y"))
        remembered.append(update * state + (1 - update) * candidate)
    result = None
    for level in reversed(range(len(states))):
        total = (
            remembered[level]
            if result is None
            else remembered[level] + result.repeat(2, axis=0).repeat(2, axis=1)
        )
        result = relu(layer(total, f"expanding/level{level}/conv{number}"))
    return layer(result, "output"), remembered


def run_network(images, variables, levels, epsilon):
    """[T, H, W, C] -> raw outputs of both hourglasses, each [T, H, W, D], float64."""
    states = [[None] * levels, [None] * levels]
    outputs = [[], []]
    for frame in images:
        first, states[0] = hourglass_step(frame, states[0], variables, "net/rnn/unet_0_cell")
        length = np.sqrt(np.maximum((first**2).sum(axis=-1, keepdims=True), epsilon))
        second, states[1] = hourglass_step(
            np.concatenate([frame, first / length], axis=-1), states[1], variables, "net/rnn/unet_1_cell"
        )
        outputs[0].append(first)
        outputs[1].append(second)
    return [np.stack(frames) for frames in outputs]

"""Loads and checks the network of a folder with a card. Knows no runs and no checkpoints of TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cosembed.errors import CheckpointError
from cosembed.models import StackedHourglass, named_weights
from cosembed.networks.arrays import file_sha256, read_arrays, write_arrays
from cosembed.networks.card import Card, read_card
from cosembed.networks.description import SPEC_FILE, read_network_spec
from cosembed.specs import CellsSpec
from cosembed.training.checkpoints import build_network

WEIGHTS_FILE, EXAMPLE_FILE = "weights.npz", "example.npz"
# How far the embeddings of another machine, at unit length, may be from the stored ones.
TOLERANCE = 1e-3
# Frames and least side of the example, and the step between the pixels whose outputs are stored.
EXAMPLE_FRAMES, EXAMPLE_SIDE, EXAMPLE_STEP = 3, 64, 4


@dataclass(frozen=True)
class StoredNetwork:
    """A network with its spec and its card."""

    model: StackedHourglass
    spec: CellsSpec
    card: Card


def load_stored(folder: Path) -> StoredNetwork:
    """Loads the network of a folder, after the hashes of its files were checked.

    Raises:
        CheckpointError: A file is missing, damaged, another one than the card names, does not fit the spec,
            or was written by a newer version of the package.
        SpecError: The card or the spec has an unknown key or value.
    """
    card = read_card(folder)
    for name, expected in (
        (WEIGHTS_FILE, card.sha256.weights),
        (SPEC_FILE, card.sha256.spec),
        (EXAMPLE_FILE, card.sha256.example),
    ):
        found = file_sha256(folder / name)
        if found != expected:
            raise CheckpointError(
                f"{folder / name}: its SHA-256 is {found[:12]}... and card.yaml says {expected[:12]}...: "
                "it is damaged or another file; restore it"
            )
    spec = read_network_spec(folder, card)
    model = build_network(spec)
    read_weights(folder / WEIGHTS_FILE, model)
    return StoredNetwork(model, spec, card)


def verify_stored(folder: Path) -> tuple[Card, float]:
    """Checks the hashes of a folder's files, and that the network still gives its stored outputs.

    Returns:
        The card, and the largest difference to the stored outputs.

    Raises:
        CheckpointError: As `load_stored`, or the outputs differ by more than `TOLERANCE`.
        SpecError: As `load_stored`.
    """
    # The faster arithmetic of GPUs is not that of the stored outputs.
    with tf.device("/CPU:0"):
        network = load_stored(folder)
        images, expected = read_example(folder / EXAMPLE_FILE, network.spec)
        found = example_outputs(network.model, images)
    difference = float(np.abs(found - expected).max())
    if not difference <= TOLERANCE:
        raise CheckpointError(
            f"{folder}: the network's outputs differ from the stored ones by {difference:.1e}, and "
            f"at most {TOLERANCE:g} is allowed; tell the maintainers the versions you use"
        )
    return network.card, difference


def write_weights(path: Path, model: StackedHourglass) -> None:
    """Writes the weights of a network, rounded to float16."""
    with np.errstate(over="ignore"):
        rounded = {
            name: variable.numpy().astype(np.float16) for name, variable in named_weights(model).items()
        }
    for name, values in rounded.items():
        if not np.isfinite(values).all():
            raise CheckpointError(
                f"the weights '{name}' cannot be stored as float16: they are not finite or too large; "
                "export another checkpoint"
            )
    write_arrays(path, rounded)


def read_weights(path: Path, model: StackedHourglass) -> None:
    """Reads the weights of a network into `model`.

    Raises:
        CheckpointError: The file is damaged, or holds the weights of another network.
    """
    weights = named_weights(model)
    arrays = read_arrays(path, {name: tuple(variable.shape) for name, variable in weights.items()})
    for name, variable in weights.items():
        variable.assign(arrays[name])


def example_images(spec: CellsSpec) -> NDArray[np.float16]:
    """Draws the images of the example: smooth noise between -1 and 1 that moves, float16 [T, N, N, C]."""
    from scipy.ndimage import gaussian_filter

    side = _example_side(spec)
    noise = np.random.default_rng(0).normal(size=(side, side, spec.network.channels))
    smooth = gaussian_filter(noise, (3, 3, 0), mode="wrap")
    smooth /= np.abs(smooth).max()
    moving = [np.roll(smooth, 2 * frame, axis=0) for frame in range(EXAMPLE_FRAMES)]
    return np.stack(moving).astype(np.float16)


def example_outputs(model: StackedHourglass, images: NDArray) -> NDArray[np.float32]:
    """Computes the embeddings of the example's images, at unit length and at every fourth pixel.

    Returns:
        float32 [T, N / 4, N / 4, D].
    """
    _, second = model(tf.constant(images[None], tf.float32))
    return tf.math.l2_normalize(second[0, :, ::EXAMPLE_STEP, ::EXAMPLE_STEP], axis=-1).numpy()


def read_example(path: Path, spec: CellsSpec) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Reads the images and the outputs of an example.

    Raises:
        CheckpointError: The file is damaged, or that of another network.
    """
    side = _example_side(spec)
    small = side // EXAMPLE_STEP
    arrays = read_arrays(
        path,
        {
            "images": (EXAMPLE_FRAMES, side, side, spec.network.channels),
            "outputs": (EXAMPLE_FRAMES, small, small, spec.network.outputs),
        },
    )
    return arrays["images"], arrays["outputs"]


def _example_side(spec: CellsSpec) -> int:
    return max(EXAMPLE_SIDE, 2 ** (spec.network.levels - 1))

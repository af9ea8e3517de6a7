"""Simulates rosette plants seen from above, with a label for every leaf, and writes them as CVPPP A1.

Lengths of a plant are shares of the image's side, so that a draw is the same plant at any size. Points are
(y, x).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from cosembed.errors import InputError
from cosembed.files.writing import atomic_folder
from cosembed.simulation.drawing import check_ranges, smooth_field
from cosembed.simulation.video import touching_share

# So many draws are made before an image is given up that shows too little of a leaf.
ATTEMPTS = 60
FEWEST_LEAVES, MOST_LEAVES = 4, 24
# A visible leaf, and each of its parts, has at least so many pixels in an image of 128 x 128.
SMALLEST_LEAF, SMALLEST_PART = 24, 8
# Each leaf of a rosette grows so much farther around the stem than the one before (radians).
GOLDEN_ANGLE = np.pi * (3 - np.sqrt(5))
# The ground has these colours, RGB 0..1.
SOIL = np.array([0.20, 0.165, 0.13])
MOSS = np.array([0.24, 0.33, 0.13])
PERLITE = np.array([0.55, 0.54, 0.50])
TRAY = np.array([0.11, 0.115, 0.125])


class Leaf(NamedTuple):
    """Holds the shape and the colour of one leaf.

    Attributes:
        angle: Direction from the plant's centre, in radians from the horizontal.
        length: From the plant's centre to the tip.
        petiole: The stalk's share of the length.
        width: Half of the blade's greatest width.
        bend: How far the tip lies aside, as a share of the length.
        taper: How slowly the blade widens from the stalk on.
        fold: How much brighter one half of the blade is than the other.
        tone: The leaf's own difference from the plant's colour, RGB.
        texture: Two numbers that tell its margin and grain from those of other leaves.
    """

    angle: float
    length: float
    petiole: float
    width: float
    bend: float
    taper: float
    fold: float
    tone: NDArray[np.float64]
    texture: NDArray[np.float64]


class Rosette(NamedTuple):
    """Holds one plant.

    Attributes:
        centre: Where it grows, as shares of the image's side.
        leaves: Its leaves from the oldest, which is the lowest, to the youngest.
        colour: RGB 0..1.
        shadow: The direction in which shadows fall, in radians from the horizontal.
    """

    centre: NDArray[np.float64]
    leaves: list[Leaf]
    colour: NDArray[np.float64]
    shadow: float


def simulate_plant(size: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Simulates a rosette of 4 to 24 leaves (14 on average), each touching or hiding another.

    Args:
        size: Side of the square image, in pixels.
        seed: The number that decides every pixel.

    Returns:
        The image uint8 [size, size, 3] and its labels uint8 [size, size]: 0 is background, 1 the oldest leaf.

    Raises:
        InputError: A value is out of range, or the image is too small for the leaves.
    """
    _check_ranges(size, seed)
    generator = np.random.default_rng(seed)
    count = int(np.clip(np.round(generator.normal(14, 4.5)), FEWEST_LEAVES, MOST_LEAVES))
    for _ in range(ATTEMPTS):
        plant = _draw_rosette(count, generator)
        labels = _render_labels(plant, size)
        areas = np.bincount(labels.ravel(), minlength=count + 1)
        if areas.min() >= _pixels(SMALLEST_LEAF, size) and touching_share(labels[np.newaxis]) == 1:
            return _render_image(plant, labels, generator), labels.astype(np.uint8)
    raise InputError(
        f"--size={size}: too few pixels to show {count} leaves; give a larger --size or another --seed"
    )


def write_plants(output: Path, plants: int, size: int, seed: int) -> None:
    """Writes the folder `output/A1` of simulated plants.

    It holds `plant001_rgb.png`, `plant001_label.png` (with a palette) and `plant001_fg.png` (plant or
    ground), and so on.

    Args:
        output: Folder in which A1 is made, complete or not at all.
        plants: Number of plants; the first ones are the same whatever the number.
        size: Side of the square images, in pixels.
        seed: The number that decides every pixel.

    Raises:
        InputError: A value is out of range.
        OutputError: `output/A1` exists.
    """
    _check_ranges(size, seed, plants)
    palette = np.random.default_rng(0).integers(60, 256, (256, 3))
    palette[0] = 0
    with atomic_folder(output / "A1") as folder:
        for index, own_seed in enumerate(np.random.default_rng(seed).integers(2**31, size=plants), start=1):
            image, labels = simulate_plant(size, int(own_seed))
            label_image = Image.fromarray(labels)
            label_image.putpalette(palette.ravel().tolist())
            label_image.save(folder / f"plant{index:03d}_label.png")
            Image.fromarray(image).save(folder / f"plant{index:03d}_rgb.png")
            Image.fromarray(np.where(labels > 0, np.uint8(255), np.uint8(0))).save(
                folder / f"plant{index:03d}_fg.png"
            )


def _check_ranges(size: int, seed: int, plants: int = 1) -> None:
    """Raises `InputError` for a value out of range, under the name of its flag."""
    check_ranges(
        ("frames", plants, 1, 999),
        ("size", size, 64, 2048),
        ("seed", seed, 0, 2**31),
    )


def _draw_rosette(count: int, generator: np.random.Generator) -> Rosette:
    """Draws a plant of so many leaves."""
    # A plant of few leaves is young and small.
    extent = generator.uniform(0.38, 0.48) * (0.55 + 0.45 * min(1, count / 12))
    start = generator.uniform(0, 2 * np.pi)
    turn = GOLDEN_ANGLE * generator.choice([-1, 1])
    leaves = [_draw_leaf(rank / count, extent, start + rank * turn, generator) for rank in range(count)]
    colour = np.array([0.36, 0.52, 0.20]) * generator.uniform(0.85, 1.1) + generator.normal(0, 0.015, 3)
    return Rosette(generator.uniform(0.47, 0.53, 2), leaves, colour, generator.uniform(0, 2 * np.pi))


def _draw_leaf(youth: float, extent: float, angle: float, generator: np.random.Generator) -> Leaf:
    """Draws one leaf.

    Args:
        youth: Its rank as a share of all leaves: 0 is the oldest.
        extent: Length of the plant's longest leaves, as a share of the image's side.
        angle: Direction, in radians, before chance turns it a little.
        generator: Source of every random number.
    """
    # Leaves grow along an S over time; the very first ones of a plant stay smaller.
    grown = 1 / (1 + np.exp(6.5 * (youth - 0.55)))
    first = 1 - 0.25 * np.exp(-youth / 0.08)
    length = extent * (0.20 + 0.80 * grown) * first * generator.uniform(0.86, 1.08)
    petiole = 0.12 + 0.28 * grown * generator.uniform(0.8, 1.2)
    return Leaf(
        angle=angle + generator.normal(0, 0.16),
        length=length,
        petiole=petiole,
        width=length * (1 - petiole) * generator.uniform(0.28, 0.38),
        bend=generator.normal(0, 0.10),
        taper=generator.uniform(0.65, 0.95),
        fold=generator.normal(0, 0.07),
        # Young leaves are lighter and yellower.
        tone=generator.normal(0, 0.05)
        + generator.normal(0, 0.012, 3)
        + (youth - 0.5) * np.array([0.10, 0.10, 0.02]),
        texture=generator.uniform(0, 1000, 2),
    )


class _View(NamedTuple):
    """Holds the pixels around a leaf in the leaf's own coordinates.

    Attributes:
        box: The part of the image that may show the leaf.
        along: 0..1 from the plant's centre to the tip.
        across: -1..1 from one margin of the leaf to the other.
        offset: Distance from the midrib over the leaf's length.
        shape: Whether a pixel lies in the leaf, if nothing hides it.
    """

    box: tuple[slice, slice]
    along: NDArray[np.float64]
    across: NDArray[np.float64]
    offset: NDArray[np.float64]
    shape: NDArray[np.bool_]


def _view(plant: Rosette, leaf: Leaf, size: int) -> _View:
    """Computes the coordinates of one leaf in an image of `size` x `size` pixels."""
    centre = plant.centre * size
    reach = 1.3 * leaf.length * size
    low = np.clip(np.floor(centre - reach), 0, size).astype(int)
    high = np.clip(np.ceil(centre + reach) + 1, 0, size).astype(int)
    box = (slice(low[0], high[0]), slice(low[1], high[1]))
    rows, columns = np.mgrid[box] - centre[:, np.newaxis, np.newaxis]
    along = (rows * np.sin(leaf.angle) + columns * np.cos(leaf.angle)) / (leaf.length * size)
    offset = (
        rows * np.cos(leaf.angle) - columns * np.sin(leaf.angle)
    ) / size - leaf.bend * leaf.length * along**2
    blade = np.clip((along - leaf.petiole) / (1 - leaf.petiole), 0, 1)
    peak = leaf.taper / (leaf.taper + 0.5)
    outline = blade**leaf.taper * np.sqrt(1 - blade) / (peak**leaf.taper * np.sqrt(1 - peak))
    margin = 1 + 0.025 * np.sin(7 * np.pi * blade + leaf.texture[0])
    # A petiole must not get so thin that its pixels come apart.
    stalk = max(0.009, 0.9 / size, 0.09 * leaf.width) * (1 - blade)
    half = np.maximum(leaf.width * outline * margin, stalk)
    shape = (along >= 0) & (along <= 1) & (np.abs(offset) <= half)
    return _View(box, along, np.clip(offset / np.maximum(half, 1e-6), -1, 1), offset / leaf.length, shape)


def _render_labels(plant: Rosette, size: int) -> NDArray[np.uint16]:
    """Paints labels uint16 [size, size] from the lowest leaf up.

    Where only a speck of a leaf peeps out, it is given to the leaf nearest to it.
    """
    labels = np.zeros((size, size), np.uint16)
    for label, leaf in enumerate(plant.leaves, start=1):
        view = _view(plant, leaf, size)
        labels[view.box][view.shape] = label
    specks = np.zeros(labels.shape, bool)
    for label in range(1, len(plant.leaves) + 1):
        parts, _ = ndimage.label(labels == label)
        areas = np.bincount(parts.ravel())
        specks |= (areas < _pixels(SMALLEST_PART, size))[parts] & (parts > 0)
    nearest = ndimage.distance_transform_edt(specks, return_distances=False, return_indices=True)
    return labels[tuple(nearest)]


def _render_image(
    plant: Rosette, labels: NDArray[np.uint16], generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Paints the picture uint8 [size, size, 3] of a plant whose labels are rendered."""
    size = len(labels)
    grain = ndimage.gaussian_filter(generator.normal(0, 1, (256, 256)), 2.0, mode="wrap")
    grain /= grain.std()
    scene = _ground(size, generator)
    for label, leaf in enumerate(plant.leaves, start=1):
        view = _view(plant, leaf, size)
        scene *= 1 - 0.55 * _shadow(plant, view, label / len(plant.leaves), size)[..., np.newaxis]
        own = labels[view.box] == label
        scene[view.box][own] = (
            plant.colour * (1 + leaf.tone) * _shading(plant, leaf, view, grain)[..., np.newaxis]
        )[own]
    scene = ndimage.gaussian_filter(scene, (0.0017 * size + 0.25,) * 2 + (0,))
    scene *= generator.uniform(0.9, 1.15)
    scene += generator.normal(0, 0.012, labels.shape)[..., np.newaxis] + generator.normal(
        0, 0.010, scene.shape
    )
    return np.clip(np.round(scene * 255), 0, 255).astype(np.uint8)


def _shadow(plant: Rosette, view: _View, height: float, size: int) -> NDArray[np.float64]:
    """Computes the share of light, 0..1 [size, size], that a leaf takes from all below it.

    Args:
        plant: The leaf's plant.
        view: The leaf.
        height: The leaf's height, 0..1; the higher it is, the farther and softer its shadow falls.
        size: Side of the image, in pixels.
    """
    full = np.zeros((size, size))
    full[view.box] = view.shape
    distance = (0.008 + 0.010 * height) * size
    shift = distance * np.sin(plant.shadow), distance * np.cos(plant.shadow)
    return ndimage.shift(ndimage.gaussian_filter(full, 0.6 * distance), shift, order=1)


def _shading(plant: Rosette, leaf: Leaf, view: _View, grain: NDArray[np.float64]) -> NDArray[np.float64]:
    """Computes the brightness of a leaf's surface, about 1: an arch, a fold, veins, a margin and grain."""
    side = np.abs(view.across)
    blade = np.clip((view.along - leaf.petiole) / (1 - leaf.petiole), 0, 1)
    # A leaf that points away from the light bends down into the dark at its tip.
    facing = -np.cos(leaf.angle - plant.shadow)
    arch = 1 + 0.22 * facing * (blade - 0.45) - 0.30 * (1 - np.clip(view.along / 0.35, 0, 1))
    fold = (leaf.fold + 0.07 * np.sin(leaf.angle - plant.shadow)) * np.tanh(4 * view.across)
    midrib = 0.16 * np.exp(-((view.offset / 0.012) ** 2)) * (1 - 0.7 * blade)
    veins = 0.035 * np.cos(2 * np.pi * (7 * blade - 2.2 * side)) * (1 - side) * (blade > 0)
    rim = 0.22 * side**4
    coordinates = (
        np.stack([view.along, view.offset]) * 110 * (leaf.length / 0.35)
        + leaf.texture[:, np.newaxis, np.newaxis]
    )
    mottle = 0.045 * ndimage.map_coordinates(grain, coordinates, order=1, mode="grid-wrap")
    blotch = 0.05 * ndimage.map_coordinates(grain, coordinates / 5, order=1, mode="grid-wrap")
    return arch * (1 + fold + midrib + veins - rim + mottle + blotch)


def _ground(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Paints soil with moss and perlite in a pot, RGB 0..1 [size, size, 3]."""
    fine, coarse, wide = (smooth_field(size, scale, generator) for scale in (0.004, 0.015, 0.10))
    scene = SOIL * (1 + 0.22 * fine + 0.16 * coarse + 0.15 * wide)[..., np.newaxis]
    damp = smooth_field(size, 0.012, generator) + 0.5 * wide - generator.uniform(1.4, 2.2)
    moss = 1 / (1 + np.exp(-6 * damp))
    scene += moss[..., np.newaxis] * (MOSS * (1 + 0.2 * fine)[..., np.newaxis] - scene)
    perlite = np.clip(smooth_field(size, 0.005, generator) - 2.9, 0, 0.8)[..., np.newaxis]
    scene += perlite * (PERLITE - scene)
    rows, columns = np.mgrid[:size, :size] / size - 0.5 + generator.uniform(-0.03, 0.03, (2, 1, 1))
    edge = (rows**8 + columns**8) ** (1 / 8) - generator.uniform(0.44, 0.52)
    outside = 1 / (1 + np.exp(-edge / 0.004))[..., np.newaxis]
    rim = 0.10 * np.exp(-((edge / 0.010) ** 2))[..., np.newaxis]
    scene += outside * (TRAY * (1 + 0.05 * fine + 0.1 * wide)[..., np.newaxis] - scene) + rim
    return np.clip(scene, 0, 1)


def _pixels(count: int, size: int) -> int:
    """Scales a number of pixels of an image of 128 x 128 down to a smaller image; larger ones keep it."""
    return round(count * min(1, (size / 128) ** 2))

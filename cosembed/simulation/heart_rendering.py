"""Shows hearts as a scanner of cine MR would, and labels them.

This module turns outlines into pixels: tissue, fat and lungs around them, flowing blood, uneven coils, and
noise. It moves nothing; `heart_anatomy` does.

What makes a single frame hard is new in every frame: noise, blood that loses its signal, and veils in which
the wall's contrast fades. What stays the same over the beat, tissue and coils, does not hide the wall.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.simulation.drawing import smooth_field
from cosembed.simulation.heart_anatomy import SLICES, Heart, Moment, Outlines, moment_of, outlines, wrapped

# The labels of ACDC.
RIGHT_VENTRICLE, MYOCARDIUM, CAVITY = 1, 2, 3
# The scanner's value of blood without noise.
BRIGHTNESS = 600
# Signals of tissue as shares of that of blood.
MUSCLE, LUNG, LIVER, FAT = 0.34, 0.07, 0.33, 0.80
# At the default difficulty: noise as a share of the signal of blood, and places without contrast in a frame.
NOISE, VEILS = 0.22, 5.0
# Flowing blood keeps at least so much of its signal.
FAINTEST_BLOOD = 0.15
# Thickness of the right ventricle's free wall, and of what holds fat around the heart.
FREE_WALL, FAT_RIM = 0.014, 0.045
# From this share of the cavity's radius on, its wall is rough.
RIM_BEGINS = 0.80
# The image's middle, (row, column).
MIDDLE = np.array([0.5, 0.5])
# The scanner's own blur, in pixels.
BLUR = 0.45


class Scanner(NamedTuple):
    """Holds what one patient's scan looks like.

    Attributes:
        muscle: Signal of the myocardium; blood has 1.
        noise: Deviation of the noise in either channel.
        veils: How many places of a frame lose the wall's contrast, on average.
        flow: How much of its signal flowing blood loses.
        background: Signal of lungs and liver, which breathing moves, [N, N].
        chest: The share of each pixel that the chest's wall fills, which stands still, and its signal,
            [2, N, N].
        fat: How much fat lies around the heart in each direction, 360 values.
        trabeculae: How rough the cavity's wall is in each direction, 360 values.
        coils: What the signal is multiplied with, [N, N].
    """

    muscle: float
    noise: float
    veils: float
    flow: float
    background: NDArray[np.float64]
    chest: NDArray[np.float64]
    fat: NDArray[np.float64]
    trabeculae: NDArray[np.float64]
    coils: NDArray[np.float64]


def draw_scanner(size: int, difficulty: float, generator: np.random.Generator) -> Scanner:
    """Draws the look of one patient's scan.

    Args:
        size: Side of the image, in pixels.
        difficulty: 0 leaves noise, veils and loss of signal away, 1 is the rule.
        generator: The source of every random number.
    """
    return Scanner(
        muscle=MUSCLE * generator.uniform(0.85, 1.25),
        noise=NOISE * difficulty * generator.uniform(0.7, 1.4),
        veils=VEILS * difficulty,
        flow=0.35 * difficulty,
        background=_surroundings(size, generator),
        chest=_chest(size, generator),
        fat=np.clip(_around(18, generator), 0, 1.5) / 1.5,
        trabeculae=np.clip(_around(5, generator), 0, 2.5) / 2.5,
        coils=_coils(size, generator),
    )


class View(NamedTuple):
    """Holds one slice at one moment as its pixels see it.

    Attributes:
        moment: Which slice it is, and where in the beat.
        angles: Direction of every pixel from the left ventricle's centre, [N, N].
        distance: Its distance from there, [N, N], as a share of the image's side.
        walls: The outlines in the direction of every pixel.
    """

    moment: Moment
    angles: NDArray[np.float64]
    distance: NDArray[np.float64]
    walls: Outlines

    def within(self, radius: NDArray[np.float64]) -> NDArray[np.float64]:
        """Computes the share of each pixel, 0..1 [N, N], that lies within a radius."""
        return _filled(radius - self.distance)


def view_slice(heart: Heart, position: int, phase: float, size: int) -> View:
    """Computes where every pixel of a slice of `size` x `size` pixels lies at one moment."""
    moment = moment_of(heart, position, phase)
    rows, columns = _coordinates(size, moment.centre)
    angles = np.arctan2(rows, columns)
    walls = outlines(heart, position, moment.contraction, angles)
    return View(moment, angles, np.hypot(rows, columns), walls)


def render_labels(view: View) -> NDArray[np.uint8]:
    """Labels one slice at one moment, uint8 [N, N] with ACDC's labels.

    Papillary muscles and the rough rim count as cavity, as ACDC's readers count them.
    """
    labels = np.zeros(view.distance.shape, np.uint8)
    walls = view.walls
    for label, radius in ((RIGHT_VENTRICLE, walls.right), (MYOCARDIUM, walls.outer), (CAVITY, walls.inner)):
        labels[view.distance < radius] = label
    return labels


def render_frame(
    heart: Heart, scanner: Scanner, view: View, generator: np.random.Generator
) -> NDArray[np.int16]:
    """Renders one slice at one moment, int16 [N, N].

    Args:
        heart: The patient's heart.
        scanner: The look of the patient's scan.
        view: The slice and the moment.
        generator: The source of what is new in this frame.
    """
    size, muscle = len(scanner.background), scanner.muscle
    walls, moment, degrees = view.walls, view.moment, np.degrees(view.angles)
    blood = np.maximum(FAINTEST_BLOOD, 1 - scanner.flow * _flow(moment, size, generator))
    scene = ndimage.shift(scanner.background, moment.breath * size, order=1, mode="nearest")
    scene = _over(scene, *scanner.chest)
    # Beside the left ventricle, where there is no right one, nothing of it is painted.
    beside = np.clip((walls.right - walls.outer) * size, 0, 1)
    edge = walls.right + beside * FREE_WALL
    scene = _over(scene, view.within(edge + FAT_RIM) * _at(scanner.fat, degrees), FAT)
    scene = _over(scene, view.within(edge) * beside, muscle)
    scene = _over(scene, view.within(walls.right) * beside, blood)
    scene = _over(scene, view.within(walls.outer), muscle)
    cavity = view.within(walls.inner)
    scene = _over(scene, cavity, blood)
    turned = degrees - np.degrees(heart.twist * moment.contraction)
    rim = np.clip((view.distance / walls.inner - RIM_BEGINS) / (1 - RIM_BEGINS), 0, 1)
    scene = _over(scene, cavity * rim * _at(scanner.trabeculae, turned), muscle)
    scene = _over(scene, cavity * _papillary(heart, view), muscle)
    scene = _veiled(scene, scanner, view, generator)
    scene = ndimage.gaussian_filter(scene * scanner.coils, BLUR)
    # The magnitude of a complex signal: noise never makes it negative.
    real, imaginary = generator.normal(0, scanner.noise, (2, size, size))
    return np.round(BRIGHTNESS * np.hypot(scene + real, imaginary)).astype(np.int16)


def _coordinates(size: int, origin: NDArray[np.float64]) -> NDArray[np.float64]:
    """Computes row and column of every pixel's middle from an origin, [2, N, N], as shares of the side."""
    return (np.mgrid[:size, :size] + 0.5) / size - origin[:, np.newaxis, np.newaxis]


def _filled(depth: NDArray[np.float64]) -> NDArray[np.float64]:
    """Computes the share of each pixel, [N, N], that something fills whose edge is `depth` away.

    `depth` is a share of the image's side, and positive inside.
    """
    return np.clip(0.5 + depth * len(depth), 0, 1)


def _over(
    scene: NDArray[np.float64], share: NDArray[np.float64], signal: float | NDArray[np.float64]
) -> NDArray[np.float64]:
    """Lays tissue over a scene where `share` says how much of a pixel it fills."""
    return scene + share * (signal - scene)


def _flow(moment: Moment, size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Computes how much signal moving blood loses, [N, N]: most while it streams out or in."""
    streaming = 0.35 + 0.65 * moment.speed
    return streaming * np.clip(smooth_field(size, 0.05, generator), 0, 1.5)


def _papillary(heart: Heart, view: View) -> NDArray[np.float64]:
    """Computes the share of each pixel, [N, N], that the papillary muscles fill.

    They keep their size while the cavity shrinks around them, and are thickest half way to the apex.
    """
    position, contraction = view.moment.position, view.moment.contraction
    thickness = heart.papillary_size * np.sin(np.pi * (position + 1) / (SLICES + 1))
    directions = heart.papillary + heart.twist * contraction
    full = outlines(heart, position, 0.0, heart.papillary).inner
    now = outlines(heart, position, contraction, directions).inner
    filled = np.zeros(view.distance.shape)
    for direction, size, reach in zip(directions, thickness * full, now, strict=True):
        away = max(0.0, reach - 1.1 * size)
        rows = view.distance * np.sin(view.angles) - away * np.sin(direction)
        columns = view.distance * np.cos(view.angles) - away * np.cos(direction)
        filled = np.maximum(filled, _filled(size - np.hypot(rows, columns)))
    return filled


def _veiled(
    scene: NDArray[np.float64], scanner: Scanner, view: View, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Lets the wall's contrast fade in places: each takes on the grey between muscle and blood."""
    grey = (1 + scanner.muscle) / 2
    for _ in range(generator.poisson(scanner.veils)):
        angle, length, depth = generator.uniform((-np.pi, 0.25, 0.03), (np.pi, 0.6, 0.06))
        strength = generator.uniform(0.6, 1.0)
        middle = generator.choice((view.walls.inner, view.walls.outer))
        away = wrapped(view.angles - angle)
        share = strength * np.exp(-((away / length) ** 2) - ((view.distance - middle) / depth) ** 2)
        scene = _over(scene, share, grey)
    return scene


def _surroundings(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draws what breathing moves around the heart, [N, N]: lungs, vessels in them, liver, and the aorta."""
    rows, columns = _coordinates(size, MIDDLE)
    scene = np.full((size, size), LUNG)
    vessels = np.clip(smooth_field(size, 0.012, generator) - 2.4, 0, 1)
    scene = _over(scene, vessels, FAT)
    uneven = 0.02 * smooth_field(size, 0.10, generator)
    grain = 1 + 0.12 * smooth_field(size, 0.02, generator)
    slope = generator.uniform(-0.25, 0.25)
    below = rows + slope * columns + uneven - generator.uniform(0.30, 0.40)
    scene = _over(scene, _filled(below), LIVER * grain)
    middle, radius = generator.uniform((0.34, 0.05), (0.44, 0.25)), generator.uniform(0.05, 0.07)
    aorta = radius - np.hypot(rows - middle[0], columns - middle[1])
    return _over(scene, _filled(aorta), 1.0)


def _chest(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draws the chest's wall, muscle and fat beyond it: its share of each pixel and its signal, [2, N, N]."""
    rows, columns = _coordinates(size, MIDDLE)
    uneven = 0.02 * smooth_field(size, 0.10, generator)
    grain = 1 + 0.12 * smooth_field(size, 0.02, generator)
    tilt = generator.uniform(np.pi * 0.95, np.pi * 1.35)
    chest = rows * np.sin(tilt) + columns * np.cos(tilt) + uneven - generator.uniform(0.40, 0.52)
    return np.stack([_filled(chest), (MUSCLE + _filled(chest - 0.05) * (FAT - MUSCLE)) * grain])


def _coils(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draws how the coils' distance dims the image, [N, N], about 1 in its middle."""
    rows, columns = _coordinates(size, MIDDLE)
    towards = generator.uniform(np.pi * 0.8, np.pi * 1.7)
    slope, bend = generator.uniform((0.3, -0.8), (1.3, 0.3))
    along = rows * np.sin(towards) + columns * np.cos(towards)
    return np.exp(slope * along + bend * (rows**2 + columns**2))


def _around(width: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draws a smooth random function of the angle, 360 values of mean 0 and deviation 1."""
    values = ndimage.gaussian_filter1d(generator.normal(0, 1, 360), width, mode="wrap")
    return (values - values.mean()) / values.std()


def _at(around: NDArray[np.float64], degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Reads a function of the angle that has 360 values."""
    return around[np.floor(degrees).astype(int) % 360]

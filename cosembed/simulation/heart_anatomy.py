"""Draws hearts of patients that differ, and says where their walls lie at any moment of the beat.

This module knows shapes and motion; it knows neither pixels nor what a scanner makes of them. All lengths are
shares of the image's side, all angles radians from the horizontal, growing downwards.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

SLICES = 5
# The left ventricle narrows from base to apex like an ellipsoid that is cut at these heights, 1 at the apex.
HEIGHTS = np.linspace(0.05, 0.80, SLICES)
# A wall that shortens along the heart's axis gains so much of its area in the slice when it contracts.
SHORTENING = 0.15
# So many harmonics make an outline uneven.
HARMONICS = 5
# The heart contracts at most so many times as fast as if it took the whole beat for it.
FASTEST = 4.0


class _Ventricle(NamedTuple):
    """Holds the ranges from which a group's left ventricle is drawn, each (low, high).

    Attributes:
        radius: Of the cavity at the base, when it is full.
        wall: Thickness of the myocardium then.
        ejection: The share of the cavity's area that a beat drives out.
    """

    radius: tuple[float, float]
    wall: tuple[float, float]
    ejection: tuple[float, float]


_NORMAL = _Ventricle((0.165, 0.210), (0.054, 0.074), (0.50, 0.70))
# The groups of patients of ACDC: normal, dilated, thickened, after an infarct, abnormal right ventricle.
_VENTRICLES = {
    "NOR": _NORMAL,
    "DCM": _Ventricle((0.230, 0.275), (0.042, 0.056), (0.15, 0.35)),
    "HCM": _Ventricle((0.150, 0.190), (0.080, 0.105), (0.60, 0.80)),
    "MINF": _Ventricle((0.195, 0.250), (0.050, 0.068), (0.35, 0.50)),
    "RV": _NORMAL,
}
GROUPS = tuple(_VENTRICLES)


class Infarct(NamedTuple):
    """Holds a part of the wall that is thin and hardly moves.

    Attributes:
        angle: Its middle.
        width: Its half width.
        severity: The share of thickness and motion that is lost, 0 without an infarct.
    """

    angle: float
    width: float
    severity: float


class Heart(NamedTuple):
    """Holds the anatomy and the motion of one patient's heart.

    Attributes:
        group: One of `GROUPS`.
        centre: Of the left ventricle at rest, (row, column).
        radius: Of the cavity at the base, when it is full.
        wall: Thickness of the myocardium when the cavity is full.
        septal: How much thicker it is in the middle of the septum, as a share.
        ejection: The share of the cavity's area that a beat drives out.
        unevenness: Amplitudes and phases of the cavity's outline, [2, HARMONICS].
        septum: The direction of the right ventricle.
        right_width: Half of the angle that the right ventricle embraces.
        right_depth: How far the right ventricle reaches beyond the septum, when it is full.
        right_ejection: The share of this depth that a beat takes.
        infarct: The part of the wall that moves less.
        papillary: Angles of both papillary muscles.
        papillary_size: Their radius as a share of the cavity's.
        twist: How far the left ventricle turns in a beat.
        sway: How far the whole heart moves in a beat, (rows, columns).
        systole: The share of the beat after which the cavity is smallest.
        breathing: How far breathing moves the heart, (rows, columns).
        breaths: Where in a breath each slice was taken, as a share of it, [SLICES].
        breath_per_beat: Which part of a breath a heartbeat lasts.
    """

    group: str
    centre: NDArray[np.float64]
    radius: float
    wall: float
    septal: float
    ejection: float
    unevenness: NDArray[np.float64]
    septum: float
    right_width: float
    right_depth: float
    right_ejection: float
    infarct: Infarct
    papillary: NDArray[np.float64]
    papillary_size: float
    twist: float
    sway: NDArray[np.float64]
    systole: float
    breathing: NDArray[np.float64]
    breaths: NDArray[np.float64]
    breath_per_beat: float


class Moment(NamedTuple):
    """Holds where one slice of the heart is in the beat and in the image.

    Attributes:
        position: The slice, 0 at the base to SLICES - 1 near the apex.
        contraction: 0 when the heart is full, 1 when it is smallest.
        speed: How fast that changes, 0 at rest to 1.
        breath: How far breathing has moved the heart, (rows, columns).
        centre: Of the left ventricle, (row, column).
    """

    position: int
    contraction: float
    speed: float
    breath: NDArray[np.float64]
    centre: NDArray[np.float64]


class Outlines(NamedTuple):
    """Holds the walls of one slice at one moment, as functions of the angle around the left ventricle.

    Attributes:
        inner: Radius of the cavity at each angle asked for.
        outer: Radius of the myocardium's outside.
        right: Radius of the right ventricle's outside; equal to `outer` where there is none.
    """

    inner: NDArray[np.float64]
    outer: NDArray[np.float64]
    right: NDArray[np.float64]


def draw_heart(group: str, difficulty: float, generator: np.random.Generator) -> Heart:
    """Draws the heart of a patient.

    Args:
        group: One of `GROUPS`; what ails the patient.
        difficulty: How much breathing moves the heart: 0 not at all, 1 as a rule.
        generator: The source of every random number.
    """
    ranges = _VENTRICLES[group]
    septum = np.pi + generator.uniform(-0.35, 0.45)
    big_right = group == "RV"
    return Heart(
        group=group,
        centre=np.array([0.5, 0.54]) + generator.uniform(-0.06, 0.06, 2),
        radius=generator.uniform(*ranges.radius),
        wall=generator.uniform(*ranges.wall),
        septal=generator.uniform(0.2, 0.6) if group == "HCM" else 0.0,
        ejection=generator.uniform(*ranges.ejection),
        unevenness=np.stack(
            [
                generator.normal(0, 0.035, HARMONICS) / np.arange(1, HARMONICS + 1) ** 0.7,
                generator.uniform(0, 2 * np.pi, HARMONICS),
            ]
        ),
        septum=septum,
        right_width=generator.uniform(1.05, 1.35) + 0.15 * big_right,
        right_depth=generator.uniform(0.11, 0.17) * (1.4 if big_right else 1.0),
        right_ejection=generator.uniform(0.40, 0.55) * (0.5 if big_right else 1.0),
        infarct=Infarct(
            angle=generator.uniform(0, 2 * np.pi),
            width=generator.uniform(0.8, 1.5),
            severity=generator.uniform(0.5, 0.9) if group == "MINF" else 0.0,
        ),
        papillary=septum + np.pi + np.array([-1.0, 1.1]) + generator.normal(0, 0.2, 2),
        papillary_size=generator.uniform(0.13, 0.20),
        twist=generator.uniform(0.05, 0.2),
        sway=np.array([-0.008, -0.012]) + generator.normal(0, 0.006, 2),
        systole=generator.uniform(0.32, 0.42),
        breathing=np.array([0.022, 0.008]) * difficulty * generator.uniform(0.3, 1.3),
        breaths=generator.uniform(0, 1, SLICES),
        breath_per_beat=generator.uniform(0.15, 0.35),
    )


def contraction_curve(heart: Heart) -> PchipInterpolator:
    """Gives the curve of how contracted the heart is, 0 full to 1 smallest, over the phases 0..1 of the beat.

    It contracts, fills fast, rests, and is filled up by the atrium before the next beat.
    """
    rest = (1 - heart.systole) * 0.45
    times = np.array([0, 0.05, heart.systole, heart.systole + 0.07, heart.systole + rest, 0.88, 1])
    values = np.array([0, 0.03, 1, 0.93, 0.28, 0.20, 0])
    return PchipInterpolator(times, values)


def moment_of(heart: Heart, position: int, phase: float) -> Moment:
    """Computes where slice `position` is at a phase 0..1 of the beat."""
    curve = contraction_curve(heart)
    contraction, speed = float(curve(phase)), min(1.0, abs(float(curve(phase, 1))) / FASTEST)
    breath = heart.breathing * np.sin(2 * np.pi * (heart.breaths[position] + heart.breath_per_beat * phase))
    centre = heart.centre + heart.sway * contraction + breath
    return Moment(position, contraction, speed, breath, centre)


def outlines(heart: Heart, position: int, contraction: float, angles: NDArray[np.float64]) -> Outlines:
    """Computes the walls of one slice.

    Args:
        heart: The patient's heart.
        position: The slice, 0 at the base to SLICES - 1 near the apex.
        contraction: 0 when the heart is full, 1 when it is smallest.
        angles: The directions from the left ventricle's centre, of any shape.

    Returns:
        Outlines whose radii have the shape of `angles`.
    """
    height = HEIGHTS[position]
    turned = angles - heart.twist * contraction
    infarcted = heart.infarct.severity * _bump(turned - heart.infarct.angle, heart.infarct.width)
    orders = np.arange(2, HARMONICS + 2)
    amplitudes, offsets = heart.unevenness
    uneven = 1 + np.sum(amplitudes * np.cos(orders * turned[..., np.newaxis] + offsets), axis=-1)
    full = heart.radius * np.sqrt(1 - height**2) * uneven
    shrinking = 1 - np.sqrt(1 - heart.ejection)
    inner = full * (1 - shrinking * contraction * (1 - infarcted))
    wall = heart.wall * (1 + heart.septal * _bump(angles - heart.septum, 1.4)) * (1 - 0.5 * infarcted)
    # The wall keeps its volume: as the cavity shrinks, it gets thicker.
    area = ((full + wall) ** 2 - full**2) * (1 + SHORTENING * contraction)
    outer = np.sqrt(inner**2 + area)
    depth = heart.right_depth * (1 - height) ** 0.6 * (1 - heart.right_ejection * contraction)
    away = angles - heart.septum
    # The right ventricle is fuller on its lower side.
    right = outer + depth * _bump(away + 0.25 * heart.right_width, heart.right_width) ** 0.7
    return Outlines(inner, outer, right)


def _bump(angles: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Computes a smooth hill of height 1 around angle 0, with 0 beyond `width`."""
    return np.cos(np.pi / 2 * np.clip(wrapped(angles) / width, -1, 1)) ** 2


def wrapped(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brings angles into -pi..pi."""
    return (angles + np.pi) % (2 * np.pi) - np.pi

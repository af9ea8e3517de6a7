"""What a camera sees of a population: labels, and an image with texture, uneven light, blur and noise. Knows no time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.simulation.population import Cell, reach

SMALLEST = 40
TEXTURE_SIDE = 64
FULL_SCALE = 12000.0


def render_labels(cells: list[Cell], size: int) -> tuple[NDArray[np.uint16], NDArray[np.float64]]:
    """Every pixel belongs to the cell it lies deepest in; so touching cells share an outline and never overlap.

    Returns:
        Identities uint16 [size, size], connected and of at least `SMALLEST` pixels each, and the depth 0..1 of every
        pixel in its cell (1 at the centre, 0 at the outline and outside).
    """
    nearest = np.ones((size, size))
    owner = np.zeros((size, size), np.uint16)
    for cell in cells:
        box, rows, columns = _around(cell, size)
        if rows.size == 0 or columns.size == 0:
            continue
        distance = reach(cell, rows, columns)
        wins = distance < nearest[box]
        nearest[box][wins] = distance[wins]
        owner[box][wins] = cell.identity
    for label, found in enumerate(ndimage.find_objects(owner), start=1):
        if found is None:
            continue
        parts, _ = ndimage.label(owner[found] == label)
        areas = np.bincount(parts.ravel())[1:]
        keep = np.argmax(areas) + 1 if areas.max() >= SMALLEST else -1
        lost = (parts > 0) & (parts != keep)
        owner[found][lost] = 0
        nearest[found][lost] = 1.0
    return owner, 1 - nearest


class Camera:
    """Light, background and noise of one video; `difficulty` 0 is easy, 1 the default, 2 hard."""

    def __init__(self, size: int, difficulty: float, generator: np.random.Generator) -> None:
        self._generator = generator
        self._difficulty = difficulty
        self._size = size
        # Light falls off across the field; stray light lifts other places to what dim cells reach elsewhere.
        dimming = min(0.9, 0.62 * difficulty)
        self._light = 1 - dimming * _smooth_field(size, size / 3.5, generator)
        self._stray = 0.38 * difficulty * _smooth_field(size, size / 4.5, generator)

    def picture(self, cells: list[Cell], owner: NDArray[np.uint16], depth: NDArray[np.float64]) -> NDArray[np.uint16]:
        """An image uint16 [size, size] of rendered labels."""
        signal = np.zeros((self._size, self._size))
        for cell in cells:
            box, rows, columns = _around(cell, self._size)
            own = owner[box] == cell.identity
            if not own.any():
                continue
            # Thin at the outline, so that touching cells are parted by a darker seam.
            thickness = np.clip(depth[box], 0, 1) ** 0.45
            body = cell.brightness * thickness * (1 + 0.45 * _texture(cell, rows, columns))
            signal[box][own] = body[own]
        contrast = 1 / (1 + 0.15 * self._difficulty)
        scene = ndimage.gaussian_filter(0.12 + self._light * contrast * signal + self._stray, 0.9)
        photons = 220 / max(self._difficulty, 0.1)
        noisy = self._generator.poisson(np.maximum(scene, 0) * photons) / photons
        noisy += self._generator.normal(0, 0.02 * self._difficulty, scene.shape)
        return np.clip(noisy * FULL_SCALE + 500, 0, 65535).astype(np.uint16)


def _around(cell: Cell, size: int) -> tuple[tuple[slice, slice], NDArray[np.float64], NDArray[np.float64]]:
    extent = 2.2 * cell.radius
    low = np.clip(np.floor(cell.position - extent), 0, size).astype(int)
    high = np.clip(np.ceil(cell.position + extent) + 1, 0, size).astype(int)
    box = (slice(low[0], high[0]), slice(low[1], high[1]))
    rows, columns = np.mgrid[box].astype(np.float64)
    return box, rows, columns


def _texture(cell: Cell, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Grain that belongs to the cell and moves with it, about -1..1."""
    grain = ndimage.gaussian_filter(
        np.random.default_rng(cell.texture_seed).normal(0, 1, (TEXTURE_SIDE,) * 2), 1.6, mode="wrap"
    )
    grain /= grain.std()
    local = [np.asarray(axis - centre) + TEXTURE_SIDE / 2 for axis, centre in zip((rows, columns), cell.position, strict=True)]
    return np.clip(ndimage.map_coordinates(grain, local, order=1, mode="wrap"), -2, 2) / 2


def _smooth_field(size: int, scale: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """A smooth random field stretched to 0..1."""
    values = ndimage.gaussian_filter(generator.normal(0, 1, (size, size)), scale, mode="reflect")
    return (values - values.min()) / (values.max() - values.min())

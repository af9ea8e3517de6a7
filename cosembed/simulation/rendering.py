"""Renders what a camera sees of cells: labels, and an image with texture, uneven light, blur and noise.

It knows no time: every frame is rendered by itself.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

from cosembed.simulation.looks import LOOKS, Scene
from cosembed.simulation.population import Cell, local_frame, relative_distance

# A cell of which fewer pixels can be seen than these is not shown.
SMALLEST = 40
# The side of the square of grain that covers a cell again and again, in pixels.
TEXTURE_SIDE = 64
# The grey value of a scene's brightness 1.
FULL_SCALE = 12000.0
# A cell gets thinner towards its rim over this share of its radius.
DOME = 0.5


def render_labels(cells: list[Cell], size: int) -> NDArray[np.uint16]:
    """Gives every pixel to the cell it lies deepest in, so that touching cells never overlap.

    Args:
        cells: The living cells.
        size: Side of the square image, in pixels.

    Returns:
        Identities uint16 [size, size], each connected and of at least `SMALLEST` pixels.
    """
    nearest = np.ones((size, size))
    owner = np.zeros((size, size), np.uint16)
    for cell in cells:
        box, rows, columns = _around(cell, size)
        distance = relative_distance(cell, rows, columns)
        wins = distance < nearest[box]
        nearest[box][wins] = distance[wins]
        owner[box][wins] = cell.identity
    for label, found in enumerate(ndimage.find_objects(owner), start=1):
        if found is None:
            continue
        parts, _ = ndimage.label(owner[found] == label)
        areas = np.bincount(parts.ravel())[1:]
        keep = np.argmax(areas) + 1 if areas.max() >= SMALLEST else -1
        owner[found][(parts > 0) & (parts != keep)] = 0
    return owner


class Camera:
    """Takes the pictures of one video, with its light, background and noise."""

    def __init__(
        self, size: int, difficulty: float, generator: np.random.Generator, look: str = "standard"
    ) -> None:
        """Draws the light of the video.

        Args:
            size: Side of the square image, in pixels.
            difficulty: 0 is easy, 1 the default, 2 hard.
            generator: Source of light and noise.
            look: One of `LOOKS`.
        """
        self._look = LOOKS[look]
        self._generator = generator
        self._difficulty = difficulty
        self._size = size
        # Where the light is weakest, stray light is strongest: the background there is as bright as dim cells
        # elsewhere, so that no threshold of the whole image parts cells from background.
        shade = _smooth_field(size, size / 6, generator)
        self._light = 1 - min(0.7, 0.40 * difficulty) * shade
        self._stray = 0.12 * difficulty * shade

    def picture(self, cells: list[Cell], owner: NDArray[np.uint16]) -> NDArray[np.uint16]:
        """Takes a picture of rendered cells.

        Args:
            cells: The cells.
            owner: Their identities [size, size], from `render_labels`.

        Returns:
            uint16 [size, size].
        """
        signal = np.zeros((self._size, self._size))
        for cell in cells:
            box, rows, columns = _around(cell, self._size)
            own = owner[box] == cell.identity
            if not own.any():
                continue
            # Brightness falls off towards the outline like a dome, so that a darker seam parts touching
            # cells.
            slope = np.clip(ndimage.distance_transform_edt(own) / (DOME * cell.radius), 0, 1)
            dome = np.sqrt(1 - (1 - slope) ** 2)
            brightness = cell.brightness + self._look.evenness * (1 - cell.brightness)
            signal[box] += own * brightness * dome * (1 + 0.35 * _texture(cell, rows, columns))
        contrast = 1 / (1 + 0.15 * self._difficulty)
        scene = ndimage.gaussian_filter(
            self._look.show(Scene(signal, self._light, self._stray, contrast)), 0.9
        )
        photons = 300 / max(self._difficulty, 0.1)
        noisy = self._generator.poisson(np.maximum(scene, 0) * photons) / photons
        noisy += self._generator.normal(0, 0.02 * self._difficulty, scene.shape)
        return np.clip(noisy * FULL_SCALE + 500, 0, 65535).astype(np.uint16)


def _around(cell: Cell, size: int) -> tuple[tuple[slice, slice], NDArray[np.float64], NDArray[np.float64]]:
    """Returns the part of the image that may show a cell, and the rows and columns of its pixels."""
    extent = 2.2 * cell.radius
    low = np.clip(np.floor(cell.position - extent), 0, size).astype(int)
    high = np.clip(np.ceil(cell.position + extent) + 1, 0, size).astype(int)
    box = (slice(low[0], high[0]), slice(low[1], high[1]))
    rows, columns = np.mgrid[box].astype(np.float64)
    return box, rows, columns


def _texture(cell: Cell, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Computes the grain of a cell, about -1..1, which moves and turns with it."""
    local = local_frame(cell, rows, columns) + TEXTURE_SIDE / 2
    return ndimage.map_coordinates(_grain(cell.texture_seed), local, order=1, mode="wrap")


@lru_cache(maxsize=1024)
def _grain(seed: int) -> NDArray[np.float64]:
    """Draws a square of grain that fits to itself at its sides."""
    noise = np.random.default_rng(seed).normal(0, 1, (TEXTURE_SIDE, TEXTURE_SIDE))
    grain = ndimage.gaussian_filter(noise, 1.6, mode="wrap")
    return np.clip(grain / grain.std(), -2, 2) / 2


def _smooth_field(size: int, scale: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draws a smooth random field [size, size].

    Its values are evenly distributed over 0..1, so that every video is equally uneven.
    """
    values = ndimage.gaussian_filter(generator.normal(0, 1, (size, size)), scale, mode="reflect")
    return stats.rankdata(values).reshape(size, size) / size**2

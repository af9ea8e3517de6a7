"""Says how a microscope turns cells into brightness: the looks that simulated videos can have.

A look maps how much of every pixel is cell (thick, bright, grainy) to the brightness of the scene. Knows no
cells, no time and no noise; `rendering` adds blur and noise.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# Lengths are in pixels of cells that are about 30 pixels wide.
HAZE_WIDTH, HAZE_SHARE = 7.0, 0.25
HALO_WIDTH, HALO_STRENGTH = 6.0, 0.9
SHEAR_WIDTH = 1.4


class Scene(NamedTuple):
    """Holds what a look is made of.

    Attributes:
        cells: float64 [size, size], 0 outside of cells; inside, their brightness or thickness with grain.
        light: float64 [size, size], the uneven light, at most 1.
        stray: float64 [size, size], stray light, which is added.
        contrast: How much of the contrast is left, at most 1.
    """

    cells: NDArray[np.float64]
    light: NDArray[np.float64]
    stray: NDArray[np.float64]
    contrast: float


def standard(scene: Scene) -> NDArray[np.float64]:
    """Shows bright cells on a dark background under uneven light."""
    return 0.12 + scene.light * scene.contrast * scene.cells + scene.stray


def nuclei(scene: Scene) -> NDArray[np.float64]:
    """Shows fluorescent nuclei: dim background, grain of chromatin, and the haze of what is out of focus."""
    haze = ndimage.gaussian_filter(scene.cells, HAZE_WIDTH)
    glow = (1 - HAZE_SHARE) * scene.cells + HAZE_SHARE * haze
    return 0.05 + 0.8 * scene.light * scene.contrast * glow + 0.5 * scene.stray


def phase_contrast(scene: Scene) -> NDArray[np.float64]:
    """Shows dark, grainy cells with bright halos on a grey background (positive phase contrast)."""
    # The phase ring passes a part of the direct light, so that what is seen is thickness less its own
    # surroundings: the halo.
    halo = ndimage.gaussian_filter(scene.cells, HALO_WIDTH)
    retardation = scene.cells - HALO_STRENGTH * halo
    return scene.light * (0.55 - 0.45 * scene.contrast * retardation) + 0.5 * scene.stray


def differential_interference(scene: Scene) -> NDArray[np.float64]:
    """Shows cells as reliefs lit from one side, their inside as grey as the background (DIC)."""
    # The prism shears the beam along the diagonal: brightness follows the slope of the thickness.
    slope = sum(ndimage.gaussian_filter(scene.cells, SHEAR_WIDTH, order=order) for order in ((0, 1), (1, 0)))
    return scene.light * (0.5 + 1.3 * scene.contrast * np.asarray(slope)) + 0.5 * scene.stray


class Look(NamedTuple):
    """Describes a look.

    Attributes:
        show: Gives the brightness float64 [size, size] of a scene.
        evenness: How alike cells are, from 0 (as bright as they were drawn) to 1: living cells differ less in
            thickness than in stain.
    """

    show: Callable[[Scene], NDArray[np.float64]]
    evenness: float


LOOKS = {
    "standard": Look(standard, 0.0),
    "nuclei": Look(nuclei, 0.0),
    "phase": Look(phase_contrast, 0.6),
    "dic": Look(differential_interference, 0.6),
}

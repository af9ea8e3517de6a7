"""Holds what all simulations share: the check of what they are asked for, and smooth random fields.

This module knows nothing of what is simulated.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.errors import InputError


def check_ranges(*values: tuple[str, float, float, float]) -> None:
    """Checks values that stand for flags: each is a flag's name, the value, the lowest and the highest.

    Raises:
        InputError: A value is out of range; names the flag.
    """
    for name, value, low, high in values:
        if not low <= value <= high:
            raise InputError(f"--{name}={value}: choose a value between {low} and {high}")


def smooth_field(size: int, scale: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Draws a smooth random field [size, size] of mean 0 and deviation 1; `scale` is a share of the side."""
    values = ndimage.gaussian_filter(generator.normal(0, 1, (size, size)), max(0.6, scale * size))
    return (values - values.mean()) / values.std()

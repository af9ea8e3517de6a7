"""Segments leaves by a classical method to compare with: threshold, distance transform, watershed.

The plant is found by Otsu's threshold on excess green (Woebbecke et al. 1995); every leaf's middle is a
maximum of the smoothed distance to the plant's outline. Lengths are relative to the plant, so one set of
values serves every image size. The method learns nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import filters, measure, morphology, segmentation

# These are shares of the plant's extent, the root of its area: sigma over the distance map, least height of a
# maximum, least extent of a leaf (smaller pieces are mostly petioles). They were fixed once on simulated
# plants of two sizes, with seeds that serve nothing else.
SMOOTHING, HEIGHT, LEAST = 0.01, 0.001, 0.1


def segment_leaves(image: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Segments the leaves of one plant.

    Args:
        image: uint8 [H, W, 3].

    Returns:
        Labels uint16 [H, W]: 0 is background, leaves are numbered from 1.
    """
    red, green, blue = np.moveaxis(image.astype(np.float64), -1, 0)
    excess = filters.gaussian(2 * green - red - blue, 1)
    plant = (
        _largest(excess > filters.threshold_otsu(excess))
        if np.ptp(excess) > 0
        else np.zeros(excess.shape, bool)
    )
    if not plant.any():
        return np.zeros(plant.shape, np.uint16)
    extent = float(np.sqrt(plant.sum()))
    distance = ndimage.gaussian_filter(ndimage.distance_transform_edt(plant), SMOOTHING * extent) * plant
    markers = measure.label(morphology.h_maxima(distance, HEIGHT * extent))
    leaves = segmentation.watershed(-distance, markers, mask=plant)
    sizes = np.bincount(leaves.ravel())
    kept = np.flatnonzero(sizes >= (LEAST * extent) ** 2)
    table = np.zeros(len(sizes), np.uint16)
    table[kept[kept > 0]] = np.arange(1, np.count_nonzero(kept > 0) + 1)
    return table[leaves]


def _largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keeps the largest connected part: the plant, not moss beside it."""
    parts = measure.label(mask)
    sizes = np.bincount(parts.ravel())[1:]
    return parts == 1 + int(sizes.argmax()) if len(sizes) else mask

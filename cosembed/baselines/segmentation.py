"""Segments the cells of one frame by classical means: threshold, seeds, watershed. Knows no other frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import label as connected_parts
from skimage.morphology import local_maxima
from skimage.segmentation import watershed

from cosembed.baselines.values import BaselineValues


def segment_cells(frame: NDArray, values: BaselineValues) -> NDArray[np.int32]:
    """Segments the cells of one frame.

    What rises above the background by the threshold is foreground. The maxima of a smoothed map (the distance
    to the background, the feature, or both) are seeds of a watershed, whose basins are cells. A piece of
    foreground without a seed is one cell.

    Args:
        frame: [H, W] or [H, W, C] of any dtype; of several channels the first one counts.
        values: How to do it.

    Returns:
        Labels [H, W] from 1; 0 is background.
    """
    rise = _rise(frame, values)
    foreground = _fill_holes(rise > values.threshold * max(0.0, float(threshold_otsu(rise))), values.smallest)
    if not foreground.any():
        return np.zeros(foreground.shape, np.int32)
    heights = _seed_map(rise, foreground, values)
    seeds, count = ndimage.label(local_maxima(heights) & foreground, np.ones((3, 3)))
    pieces, number = ndimage.label(foreground)
    seedless = np.ones(number + 1, bool)
    seedless[0] = seedless[pieces[seeds > 0]] = False
    seeds = np.where(seedless[pieces], count + pieces, seeds)
    basins = watershed(-heights, seeds, mask=foreground)
    kept = basins > 0
    if values.share:
        sums, counts = np.bincount(basins.ravel(), rise.ravel()), np.bincount(basins.ravel())
        means = sums / np.maximum(counts, 1)
        kept = _fill_holes(kept & (rise >= values.share * means[basins]), values.smallest)
    cells = connected_parts(np.where(kept, basins, 0), connectivity=1)
    return _drop_small(cells, values.smallest)


def _rise(frame: NDArray, values: BaselineValues) -> NDArray[np.float32]:
    """Computes how far the feature of every pixel lies above the background's."""
    grey = np.asarray(frame[..., 0] if frame.ndim == 3 else frame, np.float32)
    if values.feature == "texture":
        centred = grey - grey.mean()
        mean = ndimage.gaussian_filter(centred, values.smoothing)
        variance = ndimage.gaussian_filter(centred**2, values.smoothing) - mean**2
        feature = np.sqrt(np.maximum(variance, 0))
    else:
        feature = ndimage.gaussian_filter(-grey if values.feature == "darkness" else grey, values.smoothing)
    if values.window:
        return feature - ndimage.uniform_filter(feature, values.window)
    return feature - np.float32(np.percentile(feature, 25))


def _seed_map(
    rise: NDArray[np.float32], foreground: NDArray[np.bool_], values: BaselineValues
) -> NDArray[np.float32]:
    """Makes the smoothed map whose maxima are the cells' middles."""
    heights = np.where(foreground, np.maximum(rise, 0), 0)
    if values.seeds != "feature":
        distances = ndimage.distance_transform_edt(foreground).astype(np.float32)
        heights = distances if values.seeds == "distance" else distances * heights
    return ndimage.gaussian_filter(heights, values.seed_scale)


def _fill_holes(mask: NDArray[np.bool_], smallest: int) -> NDArray[np.bool_]:
    """Fills the parts of the background that are smaller than the smallest cell."""
    holes, _ = ndimage.label(~mask)
    filled = np.bincount(holes.ravel()) < smallest
    return mask | filled[holes] & ~mask


def _drop_small(labels: NDArray, smallest: int) -> NDArray[np.int32]:
    """Drops the labels of fewer pixels and numbers the others from 1."""
    kept = np.bincount(labels.ravel()) >= smallest
    kept[0] = False
    table = np.where(kept, np.cumsum(kept), 0).astype(np.int32)
    return table[labels]

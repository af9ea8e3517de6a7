"""Which pixels belong to an instance and which to its neighbours (paper section 2.2). Knows label images only.

Masks are coded 1: own pixels (S), 2: neighbours' pixels (N), 0: neither. All come from one table, label by instance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from cosembed.specs import InstancesSpec

OWN, NEIGHBOUR = 1, 2


def instance_masks(labels: NDArray[np.uint16], spec: InstancesSpec, generator: np.random.Generator) -> NDArray[np.uint8]:
    """Own and neighbour masks of the instances of a clip.

    Args:
        labels: uint16 [T, N, N].
        spec: Radius, rule and maximum number of instances.
        generator: Shuffles the labels; the first `spec.maximum` are kept. Neighbours come from all of them.

    Returns:
        uint8 [T, N, N, spec.maximum]; unused channels are 0.
    """
    present = np.flatnonzero(np.bincount(labels.ravel()))
    present = present[present > 0]
    dense = np.zeros(int(labels.max()) + 1, np.intp)
    dense[present] = np.arange(1, len(present) + 1)
    compact = dense[labels]
    near = neighbours(compact, len(present), spec)
    chosen = generator.permutation(len(present))[: spec.maximum]
    table = np.zeros((len(present) + 1, spec.maximum), np.uint8)
    table[1:, : len(chosen)] = np.where(near[:, chosen], NEIGHBOUR, 0)
    table[chosen + 1, np.arange(len(chosen))] = OWN
    return table[compact]


def background_mask(labels: NDArray[np.uint16], loss_mask: NDArray[np.bool_], complete: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The background as an instance whose neighbours are all foreground pixels.

    Args:
        labels: uint16 [T, N, N].
        loss_mask: bool [T, N, N] or [N, N]; where the truth is reliable.
        complete: bool [T]; frames in which every instance is segmented.

    Returns:
        uint8 [T, N, N, 1]; 0 in incomplete frames and outside the loss mask.
    """
    valid = loss_mask & complete[:, None, None]
    return (np.where(labels == 0, OWN, NEIGHBOUR) * valid).astype(np.uint8)[..., None]


def neighbours(labels: NDArray[np.intp], count: int, spec: InstancesSpec) -> NDArray[np.bool_]:
    """Which instances are neighbours: bool [count, count], row j column i: j is in N(i).

    Args:
        labels: [T, N, N], instances numbered 1..count.
        count: Number of instances.
        spec: `mask_distance` (paper): in some frame the masks come within the radius of each other; `centre_circle`
            (released code): j has a pixel, in any frame, within the radius of i's centre of mass over the clip.
    """
    if spec.neighbours == "centre_circle":
        near = _near_centres(labels, count, spec.neighbour_radius)
    else:
        near = np.zeros((count, count), bool)
        for frame in labels:
            near |= _near_masks(frame, count, spec.neighbour_radius)
    np.fill_diagonal(near, False)
    return near


def _near_centres(labels: NDArray[np.intp], count: int, radius: float) -> NDArray[np.bool_]:
    near = np.zeros((count, count), bool)
    _, rows, columns = np.nonzero(labels)
    ids = labels[labels > 0] - 1
    sizes = np.maximum(np.bincount(ids, minlength=count), 1)
    centres = np.stack([np.bincount(ids, weights=axis, minlength=count) / sizes for axis in (rows, columns)], axis=-1)
    # Time does not matter to the circle: an instance's pixels of all frames are one set.
    pixels = np.unique(np.stack([ids, rows, columns], axis=-1), axis=0)
    tree = cKDTree(pixels[:, 1:])
    for index, found in enumerate(tree.query_ball_point(centres, radius)):
        near[pixels[found, 0], index] = True
    return near


def _near_masks(frame: NDArray[np.intp], count: int, radius: float) -> NDArray[np.bool_]:
    """Distances between masks are distances between their outlines; boxes that are too far apart are skipped."""
    near = np.zeros((count, count), bool)
    outline = frame > 0
    inner = ndimage.minimum_filter(frame, footprint=_CROSS, mode="nearest") == ndimage.maximum_filter(
        frame, footprint=_CROSS, mode="nearest"
    )
    outline &= ~inner
    boxes = ndimage.find_objects(frame, max_label=count)
    points = {}
    for index, box in enumerate(boxes):
        if box is not None:
            local = np.argwhere((frame[box] == index + 1) & outline[box])
            points[index] = np.add(local, (box[0].start, box[1].start))
            if not len(local):
                # A mask that fills the whole frame has no outline.
                points[index] = np.argwhere(frame == index + 1)
    indices = sorted(points)
    if len(indices) < 2:
        return near
    low = np.array([points[index].min(axis=0) for index in indices])
    high = np.array([points[index].max(axis=0) for index in indices])
    gap = np.maximum(0, np.maximum(low[:, None] - high[None], low[None] - high[:, None]))
    candidates = np.argwhere(np.triu((gap**2).sum(axis=-1) <= radius**2, k=1))
    trees = {index: cKDTree(points[index]) for index in {indices[k] for k in candidates.ravel()}}
    for first, second in candidates:
        a, b = indices[first], indices[second]
        small, large = sorted((a, b), key=lambda index: len(points[index]))
        distance, _ = trees[large].query(points[small], distance_upper_bound=np.nextafter(radius, np.inf))
        near[a, b] = near[b, a] = bool(np.isfinite(distance).any())
    return near


_CROSS = ndimage.generate_binary_structure(2, 1)

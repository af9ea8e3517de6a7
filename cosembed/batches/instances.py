"""Finds which pixels belong to an instance and which to its neighbours (paper section 2.2).

Knows label images only.

In an instance's mask `OWN` are its pixels (S in the paper), `NEIGHBOUR` those of its neighbours (N), and 0
all others. The masks of a clip are looked up in one table with a row for each label and a column for each
instance, which `mask_codes` packs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cosembed.preprocessing.label_overlap import present_labels
from cosembed.preprocessing.label_values import NEIGHBOUR, OWN
from cosembed.specs import InstancesSpec

# The diameter of the disc that dilates a mask in the follow-up's rule, in network pixels.
REGION_DISC = 5


class InstanceTable(NamedTuple):
    """Holds the masks of the instances of a clip as a table that its pixels are looked up in.

    Attributes:
        rows: uint16 [T, N, N]; the row of every pixel.
        labels: uint16 [R]; the label of a row, that of row 0 is the background's.
        masks: uint8 [R, spec.maximum]; unused columns are 0.
    """

    rows: NDArray[np.uint16]
    labels: NDArray[np.uint16]
    masks: NDArray[np.uint8]


def instance_table(
    labels: NDArray[np.uint16], spec: InstancesSpec, generator: np.random.Generator
) -> InstanceTable:
    """Makes the masks of the instances of a clip.

    Args:
        labels: uint16 [T, N, N].
        spec: Gives the radius and the rule of neighbourhood, and the maximum number of instances.
        generator: Shuffles the labels; the first `spec.maximum` are kept. Neighbours come from all of them.
    """
    present = np.array(present_labels(labels), np.uint16)
    rows_of_labels = np.zeros(int(labels.max()) + 1, np.uint16)
    rows_of_labels[present] = np.arange(1, len(present) + 1)
    rows = rows_of_labels[labels]
    near = neighbours(rows, len(present), spec)
    chosen = generator.permutation(len(present))[: spec.maximum]
    masks = np.zeros((len(present) + 1, spec.maximum), np.uint8)
    masks[1:, : len(chosen)] = np.where(near[:, chosen], NEIGHBOUR, 0)
    masks[chosen + 1, np.arange(len(chosen))] = OWN
    return InstanceTable(rows, np.append(np.uint16(0), present), masks)


def neighbours(labels: NDArray[np.uint16], count: int, spec: InstancesSpec) -> NDArray[np.bool_]:
    """Finds which instances are neighbours of which.

    Args:
        labels: [T, N, N], instances numbered 1..count.
        count: The number of instances.
        spec: Gives the radius and the rule: `mask_distance` (paper): in some frame the masks come within the
            radius of each other; `centre_circle` (released code): j has a pixel, in any frame, within the
            radius of i's centre of mass over the clip; `lifetime_region` (follow-up); `all` (paper, leaves).

    Returns:
        bool [count, count]; True in row j, column i if j is in N(i).
    """
    if spec.neighbours == "all":
        near = np.ones((count, count), bool)
    else:
        near = RULES[spec.neighbours](labels, count, spec.neighbour_radius)
    np.fill_diagonal(near, False)
    return near


def _near_centres(labels: NDArray[np.uint16], count: int, radius: float) -> NDArray[np.bool_]:
    return _in_circles(labels, count, radius, [slice(None)] * count)


def _in_circles(
    labels: NDArray[np.uint16], count: int, radius: float, lives: Sequence[slice]
) -> NDArray[np.bool_]:
    """Finds what has a pixel in the circle around an instance's centre of mass, in the frames of its life."""
    near = np.zeros((count, count), bool)
    frames, rows, columns = np.nonzero(labels)
    ids = labels[frames, rows, columns] - 1
    sizes = np.bincount(ids, minlength=count)
    centres = np.stack(
        [np.bincount(ids, weights=axis, minlength=count) / sizes for axis in (rows, columns)], axis=-1
    )
    y, x = np.ogrid[: labels.shape[1], : labels.shape[2]]
    for index, (centre_y, centre_x) in enumerate(centres):
        box = _around(centre_y, radius), _around(centre_x, radius)
        inside = (y[box[0]] - centre_y) ** 2 + (x[:, box[1]] - centre_x) ** 2 <= radius**2
        found = np.zeros(count + 1, bool)
        found[labels[lives[index], *box][:, inside]] = True
        near[:, index] = found[1:]
    return near


def _near_in_life(labels: NDArray[np.uint16], count: int, radius: float) -> NDArray[np.bool_]:
    """Finds what has a pixel in the region of an instance (the follow-up's rule).

    The region is, in every frame of the instance's life, its mask dilated by a disc and the circle around its
    centre of mass over its life. Its life is what the clip shows of it, and one frame more at either end,
    where its mask of the adjacent frame counts: so mothers and daughters are neighbours. The disc's diameter
    is in network pixels, whatever their number.
    """
    frames = np.nonzero(labels)[0]
    ids = labels[labels > 0] - 1
    first, last = np.full(count, len(labels)), np.zeros(count, int)
    np.minimum.at(first, ids, frames)
    np.maximum.at(last, ids, frames)
    lives = [slice(max(0, begin - 1), end + 2) for begin, end in zip(first, last, strict=True)]
    near = _in_circles(labels, count, radius, lives)
    _mark_touching(labels, labels, near)
    # What is not in its first or last frame is hidden when the adjacent frame is compared.
    number = np.arange(len(labels))[:, None, None]
    bounds = np.append(-1, first)[labels], np.append(-1, last)[labels]
    starting, ending = (np.where(bound == number, labels, 0) for bound in bounds)
    _mark_touching(starting[1:], labels[:-1], near)
    _mark_touching(ending[:-1], labels[1:], near)
    return near


def _mark_touching(masks: NDArray[np.uint16], others: NDArray[np.uint16], near: NDArray[np.bool_]) -> None:
    """Marks which of the others have a pixel in the masks dilated by a disc, frame by frame."""
    reach = REGION_DISC // 2
    for down, right in np.ndindex(REGION_DISC, REGION_DISC):
        y, x = down - reach, right - reach
        if y**2 + x**2 > (REGION_DISC / 2) ** 2:
            continue
        mask = masks[:, max(0, -y) : len(masks[0]) - max(0, y), max(0, -x) : masks.shape[2] - max(0, x)]
        other = others[:, max(0, y) : len(masks[0]) + min(0, y), max(0, x) : masks.shape[2] + min(0, x)]
        meet = (mask > 0) & (other > 0) & (mask != other)
        near[other[meet] - 1, mask[meet] - 1] = True


def _around(centre: float, radius: float) -> slice:
    return slice(max(0, math.floor(centre - radius)), math.ceil(centre + radius) + 1)


def _near_masks(labels: NDArray[np.uint16], count: int, radius: float) -> NDArray[np.bool_]:
    """Compares the outlines of all pairs of masks, frame by frame.

    Pairs whose bounding boxes are too far apart are skipped, and so are those found near in an earlier frame.
    """
    near = np.zeros((count, count), bool)
    for frame in labels:
        indices, starts, pixels = _outlines(frame)
        if len(indices) < 2:
            continue
        low, high = (bound.reduceat(pixels, starts) for bound in (np.minimum, np.maximum))
        points = np.split(pixels, starts[1:])
        gap = np.maximum(0, np.maximum(low[:, None] - high[None], low[None] - high[:, None]))
        open_pairs = ((gap**2).sum(axis=-1) <= radius**2) & ~near[np.ix_(indices, indices)]
        candidates = np.argwhere(np.triu(open_pairs, k=1))
        trees = {int(k): cKDTree(points[k]) for k in np.unique(candidates)}
        for first, second in candidates.tolist():
            small, large = sorted((first, second), key=lambda k: len(points[k]))
            distance, _ = trees[large].query(points[small], distance_upper_bound=np.nextafter(radius, np.inf))
            if np.isfinite(distance).any():
                near[indices[first], indices[second]] = near[indices[second], indices[first]] = True
    return near


def _outlines(frame: NDArray[np.uint16]) -> tuple[NDArray[np.uint16], NDArray[np.intp], NDArray[np.intp]]:
    """Finds the pixels of every instance of a frame that touch another label.

    Between two masks the shortest distance runs from outline to outline. A mask that fills the frame has no
    outline, and nothing to be near to.

    Args:
        frame: Labels [N, N], instances numbered from 1.

    Returns:
        The instances present, counted from 0; for each the index of its first pixel; and the pixels
        [P, 2], (y, x), those of an instance together.
    """
    edge = np.zeros(frame.shape, bool)
    vertical, horizontal = frame[1:] != frame[:-1], frame[:, 1:] != frame[:, :-1]
    edge[1:] |= vertical
    edge[:-1] |= vertical
    edge[:, 1:] |= horizontal
    edge[:, :-1] |= horizontal
    pixels = np.argwhere(edge & (frame > 0))
    ids = frame[pixels[:, 0], pixels[:, 1]]
    order = np.argsort(ids, kind="stable")
    present, starts = np.unique(ids[order], return_index=True)
    return present - 1, starts, pixels[order]


RULES: dict[str, Callable[[NDArray[np.uint16], int, float], NDArray[np.bool_]]] = {
    "mask_distance": _near_masks,
    "centre_circle": _near_centres,
    "lifetime_region": _near_in_life,
}

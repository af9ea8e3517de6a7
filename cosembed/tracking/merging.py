"""Merges the instances that overlapping tiles of an image show into one label volume of the whole image.

Instances are merged, not embeddings, since every tile is clustered by itself. Knows label volumes and where
they lie, no network. The order in which tiles are given, and how their labels are numbered, make no
difference.

1. An instance that touches no inner edge of its tile (one that is no edge of the image) is complete. The same
   cell is often complete in several tiles. They are taken one after the other: first those far from the inner
   edges, where the network saw all that surrounds a cell, then the larger ones. One that shares more than
   half of its pixels with those taken before, or covers more than half of one of them, is left out; any other
   takes the pixels that are still free.
2. What touches inner edges is a fragment. Most are parts of cells that are complete in another tile, and are
   left out for the same reason. Those left over belong to cells too large for the common region of two
   tiles: fragments of neighbours that agree in their common region are joined. The union is an instance if
   nothing is missing, that is if every edge that cuts one of its fragments lies inside the tile of another.
   A lone fragment is left out, since it would be a cut cell.
3. A union that is larger than a tile is left out, and told: what the network saw of it was never the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

# From this part of their pixels on, two instances are the same one.
SAME = 0.5
# So far from the inner edges, as a part of the overlap, nearness to them makes no difference.
FAR = 0.25


class TileLabels(NamedTuple):
    """Holds the instances of a frame pair that one tile shows.

    Attributes:
        y: First row of the image that the tile shows.
        x: First column of the image that the tile shows.
        labels: int32 [F, h, w]; 0 is background.
    """

    y: int
    x: int
    labels: NDArray[np.int32]


class Oversized(NamedTuple):
    """Describes an object that is larger than a tile, in pixels of the tiled image.

    Attributes:
        y: Its first row.
        x: Its first column.
        height: How many rows it has.
        width: How many columns it has.
        area: How many pixels it has, over the frames of the pair.
    """

    y: int
    x: int
    height: int
    width: int
    area: int


class Merged(NamedTuple):
    """Holds the merged instances of a frame pair.

    Attributes:
        labels: int32 [F, H, W], numbered from 1; 0 is background.
        oversized: What was left out because it is larger than a tile.
    """

    labels: NDArray[np.int32]
    oversized: list[Oversized]


def merge_tiles(
    tiles: Iterable[TileLabels], shape: tuple[int, int], side: int, overlap: int, size_threshold: float
) -> Merged:
    """Merges what tiles show of one frame pair.

    Args:
        tiles: The tiles, which cover the image; in any order.
        shape: Height and width of the tiled image.
        side: Side of a tile.
        overlap: How many pixels neighbouring tiles share at least.
        size_threshold: The least number of pixels of an instance, over all frames of the pair.
    """
    tiles = sorted(tiles, key=lambda tile: (tile.y, tile.x))
    views = [view for tile in tiles for view in _views(tile, shape)]
    canvas = _Canvas((len(tiles[0].labels), *shape), size_threshold)
    for view in sorted((view for view in views if not view.cut), key=_rank(FAR * overlap)):
        canvas.add(view)
    fragments = [view for view in views if view.cut and canvas.has_room(view)]
    oversized = []
    for union in sorted(_joined(fragments, side), key=_rank(0)):
        top, left, bottom, right = union.box
        if not canvas.has_room(union):
            continue
        if max(bottom - top, right - left) > side:
            oversized.append(Oversized(top, left, bottom - top, right - left, union.area))
        elif not union.cut:
            canvas.add(union)
    return Merged(canvas.labels, oversized)


@dataclass(frozen=True, eq=False)
class _View:
    """Holds an instance as one tile shows it, or as the fragments of several do.

    Attributes:
        box: First row, first column, last row + 1 and last column + 1 in the image.
        mask: bool [F, h, w], its pixels inside the box.
        distance: From the box to the nearest inner edge of the tile.
        tile: First row, first column, last row + 1 and last column + 1 of the tile.
        cut: Which inner edges it touches: pairs of the axis and the first row or column beyond the edge.
    """

    box: tuple[int, int, int, int]
    mask: NDArray[np.bool_]
    distance: float
    tile: tuple[int, int, int, int]
    cut: tuple[tuple[int, int], ...]
    area: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "area", int(np.count_nonzero(self.mask)))

    @property
    def place(self) -> tuple[slice, slice, slice]:
        top, left, bottom, right = self.box
        return slice(None), slice(top, bottom), slice(left, right)

    def within(self, box: tuple[int, int, int, int]) -> NDArray[np.bool_]:
        """Returns its pixels inside a box that its own meets, [F, h, w] of the region common to both."""
        top, left, bottom, right = _common(self.box, box)
        y, x = self.box[:2]
        return self.mask[:, top - y : bottom - y, left - x : right - x]


class _Canvas:
    """Collects instances, each in the pixels that are still free."""

    def __init__(self, shape: tuple[int, int, int], size_threshold: float) -> None:
        self.labels = np.zeros(shape, np.int32)
        self._areas = [0]
        self._least = max(1.0, size_threshold)

    def has_room(self, view: _View) -> bool:
        """Tells whether an instance is neither there already nor covers one that is."""
        there, shared = np.unique(self.labels[view.place][view.mask], return_counts=True)
        known = there != 0
        covers = any(
            count > SAME * self._areas[label]
            for label, count in zip(there[known].tolist(), shared[known].tolist(), strict=True)
        )
        return not covers and int(shared[known].sum()) <= SAME * view.area

    def add(self, view: _View) -> None:
        """Adds an instance if there is room and what is free of it is not too small."""
        place = self.labels[view.place]
        free = view.mask & (place == 0)
        area = int(np.count_nonzero(free))
        if area >= self._least and self.has_room(view):
            place[free] = len(self._areas)
            self._areas.append(area)


def _views(tile: TileLabels, shape: tuple[int, int]) -> Iterator[_View]:
    """Yields the instances of a tile by their first pixel in row and column."""
    height, width = tile.labels.shape[1:]
    bounds = (tile.y, tile.x, tile.y + height, tile.x + width)
    for label, found in enumerate(ndimage.find_objects(tile.labels), start=1):
        if found is None:
            continue
        _, rows, columns = found
        box = (tile.y + rows.start, tile.x + columns.start, tile.y + rows.stop, tile.x + columns.stop)
        mask = tile.labels[:, rows, columns] == label
        inner = [bounds[0] > 0, bounds[1] > 0, bounds[2] < shape[0], bounds[3] < shape[1]]
        distances = [abs(box[edge] - bounds[edge]) for edge in range(4) if inner[edge]]
        cut = tuple(
            (edge % 2, bounds[edge] - (edge < 2))
            for edge in range(4)
            if inner[edge] and box[edge] == bounds[edge]
        )
        yield _View(box, mask, min(distances, default=np.inf), bounds, cut)


def _rank(far: float) -> Callable[[_View], tuple]:
    """Orders instances by distance to the inner edges, area, tile, place and first pixel."""
    return lambda view: (-min(view.distance, far), -view.area, view.tile, view.box, int(view.mask.argmax()))


def _joined(fragments: Sequence[_View], side: int) -> Iterator[_View]:
    """Yields the unions of fragments that agree; what still cuts them is missing in all of their tiles."""
    leader = list(range(len(fragments)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    for one, other in _neighbours(fragments, side):
        if _agree(fragments[one], fragments[other]):
            leader[find(other)] = find(one)
    groups: dict[int, list[_View]] = {}
    for index, fragment in enumerate(fragments):
        groups.setdefault(find(index), []).append(fragment)
    yield from map(_union, groups.values())


def _neighbours(fragments: Sequence[_View], side: int) -> Iterator[tuple[int, int]]:
    """Yields the pairs of fragments whose tiles may share a part of the image."""
    blocks: dict[tuple[int, int], list[int]] = {}
    for index, fragment in enumerate(fragments):
        blocks.setdefault((fragment.tile[0] // side, fragment.tile[1] // side), []).append(index)
    boxes = np.array([fragment.box for fragment in fragments])
    for (row, column), here in blocks.items():
        around = product((row - 1, row, row + 1), (column - 1, column, column + 1))
        there = [index for block in around for index in blocks.get(block, [])]
        first, second = boxes[here][:, None], boxes[there][None]
        meet = (first[..., :2] < second[..., 2:]) & (second[..., :2] < first[..., 2:])
        for one, other in np.argwhere(meet.all(-1)):
            if here[one] < there[other]:
                yield here[one], there[other]


def _agree(one: _View, other: _View) -> bool:
    """Tells whether two fragments are the same where both of their tiles show the image."""
    region = _common(one.tile, other.tile)
    if one.tile == other.tile or _is_empty(region):
        return False
    if _is_empty(_common(one.box, region)) or _is_empty(_common(other.box, region)):
        return False
    areas = sum(int(np.count_nonzero(view.within(region))) for view in (one, other))
    both = _common(one.box, other.box)
    if _is_empty(both):
        return False
    shared = int(np.count_nonzero(one.within(both) & other.within(both)))
    return shared > SAME * (areas - shared)


def _union(members: Sequence[_View]) -> _View:
    if len(members) == 1:
        return members[0]
    corners = np.array([member.box for member in members])
    (top, left), (bottom, right) = corners[:, :2].min(0).tolist(), corners[:, 2:].max(0).tolist()
    mask = np.zeros((len(members[0].mask), bottom - top, right - left), bool)
    for member in members:
        y, x, end_y, end_x = member.box
        mask[:, y - top : end_y - top, x - left : end_x - left] |= member.mask
    cut = tuple(
        (axis, beyond)
        for member in members
        for axis, beyond in member.cut
        if not any(other.tile[axis] <= beyond < other.tile[axis + 2] for other in members)
    )
    return _View((top, left, bottom, right), mask, 0, min(member.tile for member in members), cut)


def _common(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])


def _is_empty(box: tuple[int, int, int, int]) -> bool:
    return box[0] >= box[2] or box[1] >= box[3]

"""Gives every label of a video a colour that no label near it has.

The colours are such that everybody can tell them apart. This module knows label images only, not how they
are drawn.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cosembed.reporting.neighbours import NeighbourGraph

# Any two differ by at least 17 in CIEDE2000 and by 20 in CIELAB, for normal vision and for vision without
# red, green or blue cones; none is so dark, or so grey, that it is lost on a frame. A test measures all this.
PALETTE = np.array(
    [
        [202, 147, 4],
        [102, 84, 255],
        [139, 254, 248],
        [202, 6, 2],
        [0, 179, 153],
        [255, 227, 0],
        [176, 44, 134],
        [220, 252, 193],
        [29, 126, 87],
        [188, 159, 230],
    ],
    np.uint8,
)
# Where colours do not suffice they come again with stripes, in these directions: how much a pixel's row and
# its column count. The first is none.
STRIPES = ((0, 0), (1, 1), (1, -1), (1, 0), (0, 1))
# An entry is a colour and its stripes: the palette once for each direction.
ENTRIES = len(PALETTE) * len(STRIPES)
# A label has the entry of the palette that this times the label gives, where its neighbours are not known.
_STRIDE = 3


def default_entry(label: int) -> int:
    """Returns the entry of `PALETTE` of a label whose neighbours are not known."""
    return label * _STRIDE % len(PALETTE)


def label_colours(frames: Iterable[NDArray]) -> dict[int, int]:
    """Chooses colours for all labels of a video, so that labels that ever come close have different ones.

    Args:
        frames: Label images [H, W] of the video; each is looked at once, and none is kept.

    Returns:
        Label -> entry, as `choose_entries` gives them.
    """
    graph = NeighbourGraph()
    for labels in frames:
        graph.add(labels)
    return choose_entries(graph)


def choose_entries(graph: NeighbourGraph) -> dict[int, int]:
    """Chooses an entry for every label, so that neighbours have different ones.

    Each label takes an entry that no neighbour has: of those without stripes the one used least, else the
    first. Labels come in the order of `NeighbourGraph.smallest_last`: a label is without stripes
    wherever fewer than ten neighbours come before it, so that few videos have any. Only if all `ENTRIES` are
    taken does a label share one with the neighbours that it meets in the fewest frames.

    Returns:
        Label -> entry; modulo the palette's length it is the colour, the quotient is the stripes. The same
        frames give the same entries.
    """
    entries: dict[int, int] = {}
    used = [0] * ENTRIES
    for label in graph.smallest_last():
        costs: dict[int, int] = {}
        for neighbour, frames in graph.frames_shared(label).items():
            if neighbour in entries:
                costs[entries[neighbour]] = costs.get(entries[neighbour], 0) + frames
        free = [entry for entry in range(ENTRIES) if entry not in costs]
        plain = [entry for entry in free if entry < len(PALETTE)]
        if plain:
            best = min(plain, key=used.__getitem__)
        else:
            best = free[0] if free else min(costs, key=lambda entry: (costs[entry], entry))
        entries[label] = best
        used[best] += 1
    return entries

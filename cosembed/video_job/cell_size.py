"""Compares the cells that were found with those that the network was trained on, by their size.

Knows label maps at network resolution and the network's card; no images.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cosembed.networks.card import Card
from cosembed.preprocessing.geometry import shape_of_test
from cosembed.preprocessing.label_overlap import count_labels
from cosembed.specs import CellsSpec

# On 39 pairs of a network and a video that suit each other, the median area was 0.9 to 1.6 times that of the
# training; on 65 pairs that do not, it was farther from it than this factor in 53.
SIZE_RATIO = 1.7


def doubts_about_cell_size(
    labels: NDArray[np.uint16], card: Card | None, trained: CellsSpec | None = None
) -> Iterator[str]:
    """Says in one sentence that cells are unlike those of the training, or nothing.

    Args:
        labels: uint16 [T, N, N], the tracked cells as the network sees them; 0 is background.
        card: That of the network; nothing is said of a network without one, or without `cell_area`.
        trained: For a video in tiles, the values that the network was trained with; without tiles, an image
            of the training took as many network pixels as the labels have.
    """
    if card is None or card.expects.cell_area is None:
        return
    height, width = card.expects.image_shape
    pixels = math.prod(shape_of_test((height, width), trained)) if trained else labels[0].size
    median = card.expects.cell_area[1] * pixels / (height * width)
    counted = (count_labels(frame) for frame in labels)
    areas = np.concatenate([areas[present > 0] for present, areas in counted])
    if not len(areas):
        return
    ratio = float(np.median(areas)) / median
    if not 1 / SIZE_RATIO <= ratio <= SIZE_RATIO:
        yield (
            f"Do not trust this result: to the network, the cells it found are {ratio:.2g} times as large in "
            "area as those it was trained on. Scale or cut the images so that cells cover as much of them as "
            "in the training, or take another network."
        )

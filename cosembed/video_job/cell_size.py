"""Compares the cells that were found with those that the network was trained on, by their size.

Knows label maps at network resolution and the network's card; no images.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from cosembed.networks.card import Card
from cosembed.preprocessing.geometry import shape_of_test
from cosembed.preprocessing.label_overlap import count_labels
from cosembed.specs import CellsSpec
from cosembed.tracking.label_maps import LabelFrames

# On 39 pairs of a network and a video that suit each other, the median area was 0.9 to 1.6 times that of the
# training; on 65 pairs that do not, it was farther from it than this factor in 53.
SIZE_RATIO = 1.7


def typical_area(card: Card | None, shape: tuple[int, ...]) -> float | None:
    """Returns the area of a typical cell of the training in network pixels; None if it was not measured.

    Args:
        card: That of the network, if it has one.
        shape: How many network pixels an image of the training took, along each axis.
    """
    if card is None or card.expects.cell_area is None:
        return None
    return card.expects.cell_area[1] * math.prod(shape) / math.prod(card.expects.image_shape)


def doubts_about_cell_size(
    labels: LabelFrames, card: Card | None, trained: CellsSpec | None = None
) -> Iterator[str]:
    """Says in one sentence that cells are unlike those of the training, or nothing.

    Args:
        labels: The tracked cells of every frame as the network sees them, uint16 [N, N]; 0 is background.
        card: That of the network; nothing is said of a network without one, or without `cell_area`.
        trained: For a video in tiles, the values that the network was trained with; without tiles, an image
            of the training took as many network pixels as the labels have.
    """
    shape = shape_of_test(card.expects.image_shape, trained) if card and trained else labels[0].shape
    median = typical_area(card, shape)
    if median is None:
        return
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

"""Says whether a network suits a video, by what its embeddings are like where there is no truth.

A network that suits gives all of the background one embedding and every cell another one, at a right angle to
that, since its loss asks for this (paper section 2.2). On noise, inverted contrast, or another microscope's
images many pixels lie between, and many that are not background form no cell. This module knows embeddings
and labels of a few frames at network resolution; no images and no network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.clustering import background_embedding

# Cosines with the background between these say neither that a pixel is background nor that it is not.
BETWEEN = (0.3, 0.8)
# Pixels so near to the outline of a cell may lie between its embedding and the next.
OUTLINE, WIDE_OUTLINE = 1, 3
TINY = 1e-12


class Fitness(NamedTuple):
    """Holds what embeddings are like, as means over the frames that were looked at.

    Attributes:
        undecided: The share of the pixels that do not look like background which do not look like something
            else either, outlines of cells left out.
        strays: Pixels that do not look like background but are far from all cells, per pixel of the cells.
        spread: 1 less the length of the mean embedding of a cell, outlines left out; 0 without any cell.
    """

    undecided: float
    strays: float
    spread: float


class Limit(NamedTuple):
    """Says from where on a measure is a reason for doubt, and how that is put."""

    measure: str
    highest: float
    words: str


# Chosen on pairs of networks and videos that suit each other or do not. On others it was right in 42 of 43;
# `benchmarks.fitness` measures more.
LIMITS = (
    Limit("undecided", 0.11, "many pixels look neither like background nor like cells to it"),
    Limit("strays", 0.06, "many pixels unlike the background form no cells"),
    Limit("spread", 0.1, "the pixels of a cell look different to it"),
)


def measure_fitness(
    embeddings: Mapping[int, NDArray[np.float32]],
    labels: Mapping[int, NDArray[np.uint16]] | NDArray[np.uint16],
) -> Fitness:
    """Measures what the embeddings of a few frames are like.

    Args:
        embeddings: Frame index -> float32 [N, N, D] of unit length. The first frame is left out if there are
            others: a recurrent network has seen nothing before it.
        labels: Frame index -> uint16 [N, N], the tracked cells; 0 is background.
    """
    chosen = [index for index in embeddings if index > 0] or list(embeddings)
    frames = [_measure(embeddings[index], labels[index]) for index in chosen]
    return Fitness(*np.mean(frames, axis=0).tolist())


def doubts_about_fitness(fitness: Fitness) -> Iterator[str]:
    """Says in one sentence why a result should not be trusted, or nothing."""
    reasons = [limit.words for limit in LIMITS if getattr(fitness, limit.measure) > limit.highest]
    if reasons:
        yield (
            "Do not trust this result: the network does not seem to suit the images, for "
            f"{' and '.join(reasons)}."
        )


def _measure(embedding: NDArray[np.float32], labels: NDArray[np.uint16]) -> Fitness:
    # Where cells cover most of a frame, the median of all pixels would be one of a cell.
    free = labels == 0
    background = background_embedding(embedding[free if free.any() else ...])
    cosine = np.abs(embedding @ background) / max(float(np.linalg.norm(background)), TINY)
    outlines = _outlines(labels, OUTLINE)
    clear = (cosine < BETWEEN[1]) & ~outlines
    strays = (cosine < BETWEEN[1]) & free & ~_outlines(labels, WIDE_OUTLINE)
    return Fitness(
        _ratio(clear & (cosine > BETWEEN[0]), clear),
        _ratio(strays, ~free),
        _spread(embedding, np.where(outlines, 0, labels)),
    )


def _ratio(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    return float(part.sum() / max(1, whole.sum()))


def _spread(embedding: NDArray[np.float32], labels: NDArray[np.uint16]) -> float:
    inside = labels > 0
    if not inside.any():
        return 0.0
    _, cells = np.unique(labels[inside], return_inverse=True)
    sums = [np.bincount(cells, weights=channel) for channel in embedding[inside].T]
    return float(1 - np.linalg.norm(sums, axis=0).sum() / len(cells))


def _outlines(labels: NDArray[np.uint16], reach: int) -> NDArray[np.bool_]:
    """Marks the pixels that have a pixel of another label within so many rows and columns."""
    size = 2 * reach + 1
    return ndimage.maximum_filter(labels, size) != ndimage.minimum_filter(labels, size)

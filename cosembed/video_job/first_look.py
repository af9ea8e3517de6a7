"""Looks at a video's first frames before it is tracked, and chooses how large its cells are to the network.

A network that was trained on whole images has its cells at one size only. Frames that are larger than those
of the training, scaled as a whole, would show it smaller cells; seen in tiles at the scale of the training,
cells of the same magnification are as large as it knows them. Which of the two suits is found by trying both
on the first frames. Knows no flags.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from cosembed import specs
from cosembed.clustering import cluster_pair
from cosembed.datasets.magnification import FEWEST_WIDE, disc_width
from cosembed.images.array_frames import ArrayFrames, VideoFrames
from cosembed.inference.networks import Network
from cosembed.inference.pieces import Piece, embed_pieces, estimate_background, plan_pieces
from cosembed.inference.tiles import spread_evenly
from cosembed.preprocessing.geometry import shape_of_test
from cosembed.preprocessing.label_overlap import count_labels
from cosembed.specs import CellsSpec
from cosembed.video_job.cell_size import SIZE_RATIO, typical_area
from cosembed.video_job.choice import Choice
from cosembed.video_job.fitness import doubts_about_fitness, measure_fitness

# Frames that are so many times larger or more, in the geometric mean of their sides, are looked at.
LARGER = 1.5
TILES = 4


class _Look(NamedTuple):
    """Holds what the network makes of a few tiles.

    Attributes:
        width: How wide a typical cell is, in network pixels; 0 if there is none.
        doubtful: The share of the tiles whose embeddings give a reason for doubt.
    """

    width: float
    doubtful: float


def choose_scale(frames: VideoFrames, network: Network, spec: CellsSpec) -> Choice:
    """Chooses between the whole image and tiles, if frames are larger than those of the training.

    Args:
        frames: The video.
        network: The trained network.
        spec: The values that it is used with.

    Raises:
        DataError: One of the first two frames cannot be read or used.
    """
    trained = network.card.expects.image_shape if network.card else network.spec.dataset.image_shape
    larger = math.sqrt(math.prod(frames.shape) / math.prod(trained))
    if spec.inference.tiled or larger < LARGER:
        return Choice({}, "")
    shape = shape_of_test(trained, network.spec)
    scale = round(math.sqrt(math.prod(shape) / math.prod(trained)), 3)
    settings = {"inference.scale": scale}
    first = ArrayFrames(np.stack([frames[index] for index in range(min(2, len(frames)))]))
    whole, tiles = (
        _look(network, first, specs.override(spec, values))
        for values in ({"inference.size": [spec.network.image_size] * 2}, settings)
    )
    seen = (
        f"Frames are {larger:.1f} times larger than those that the network was trained on; on the first ones "
        f"it finds {_described(whole)} if they are scaled as a whole, {_described(tiles)} in tiles at "
        f"{scale:g} network pixels per original pixel."
    )
    if tiles.width and _is_better(tiles, whole, _width(typical_area(network.card, shape))):
        return Choice(settings, f"{seen} They are tracked in tiles (--scale=whole: as a whole).")
    small = f" Cells narrower than {FEWEST_WIDE:.0f} are often lost." if whole.width < FEWEST_WIDE else ""
    return Choice({}, f"{seen} They are scaled as a whole (--scale={scale:g}: in tiles).{small}")


def _look(network: Network, frames: VideoFrames, spec: CellsSpec) -> _Look:
    """Clusters the first frames in a few tiles from all over the image."""
    plan = plan_pieces(len(frames), frames.shape, spec)
    chosen = spread_evenly(list(range(len(plan.tiles))), TILES)
    background = estimate_background(network.stepper, frames, spec, plan)
    areas, doubtful = [np.zeros(0)], 0
    for item in embed_pieces(network.stepper, frames, spec, plan, [Piece(0, index) for index in chosen]):
        labels = cluster_pair(item.embeddings, background, spec.tracking).astype(np.uint16)
        present, counts = count_labels(labels[-1])
        areas.append(counts[present > 0].astype(float))
        last = len(labels) - 1
        fitness = measure_fitness({last: item.embeddings[last]}, labels)
        doubtful += any(doubts_about_fitness(fitness))
    found = np.concatenate(areas)
    return _Look(_width(float(np.median(found)) if len(found) else None), doubtful / len(chosen))


def _width(area: float | None) -> float:
    """Returns how wide a cell of an area is; 0 if there is none."""
    return 0.0 if area is None else disc_width(area)


def _is_better(tiles: _Look, whole: _Look, known: float) -> bool:
    """Tells whether tiles give no more doubts than the whole image, and cells nearer to the known width.

    Without a known width, 0, the doubts alone decide.
    """
    if not whole.width:
        return True
    if tiles.doubtful > whole.doubtful:
        return False
    if not known:
        return True
    off_tiles, off_whole = (abs(math.log(look.width / known)) for look in (tiles, whole))
    return off_tiles < off_whole and off_tiles < math.log(SIZE_RATIO) / 2


def _described(look: _Look) -> str:
    return f"cells {look.width:.0f} network pixels wide" if look.width else "no cells"

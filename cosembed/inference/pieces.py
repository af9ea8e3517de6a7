"""Computes a video in pieces: tiles of the image, and windows of time, each with a state of its own.

A piece needs nothing of its neighbours but one embedding of the background, so that the result does not
depend on which pieces are computed together. Holds the network's states and the clustering of single tiles;
`cosembed.tracking` makes one video of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering import choose_background, cluster_pair
from cosembed.errors import DataError
from cosembed.files.wording import counted
from cosembed.images.array_frames import VideoFrames
from cosembed.inference.stepper import FrameStepper, prepare_frames
from cosembed.inference.tiles import Tile, plan_tiles, spread_evenly
from cosembed.inference.windows import Window, plan_windows
from cosembed.preprocessing.geometry import shape_of_test
from cosembed.processes.threads import map_in_order
from cosembed.specs import CellsSpec

# What tiles that are computed side by side may hold in states and images.
GROUP_BYTES = 512 * 2**20
# The background is estimated from so many tiles, spread over the image.
BACKGROUND_TILES = 16


class Piece(NamedTuple):
    """Names a tile and a window of a plan by their indices."""

    window: int
    tile: int


@dataclass(frozen=True)
class Plan:
    """Says into which pieces a video is cut.

    Attributes:
        shape: Height and width of the tiled image, in network pixels.
        frames: Number of frames.
        tiles: The tiles of every frame.
        windows: The windows of time.
    """

    shape: tuple[int, int]
    frames: int
    tiles: list[Tile]
    windows: list[Window]

    @property
    def pieces(self) -> list[Piece]:
        """Returns all pieces, window by window."""
        return [Piece(window, tile) for window in range(len(self.windows)) for tile in range(len(self.tiles))]

    @property
    def pairs(self) -> int:
        """Returns how many frame pairs there are; a single frame counts as one."""
        return max(1, self.frames - 1)

    def pairs_of(self, piece: Piece) -> range:
        """Returns the indices of the frame pairs that a piece gives."""
        window = self.windows[piece.window]
        return range(window.first_pair, max(window.first_pair + 1, window.end - 1))


def in_pieces(spec: CellsSpec) -> bool:
    """Tells whether a video is computed in pieces, and not as a whole."""
    return spec.inference.tiled or spec.inference.window > 0


def plan_pieces(frames: int, image_shape: tuple[int, int], spec: CellsSpec) -> Plan:
    """Plans the pieces of a video.

    Args:
        frames: Number of frames.
        image_shape: Height and width of the original images.
        spec: Scale, tiles and windows.
    """
    shape = shape_of_test(image_shape, spec)
    tiles = plan_tiles(shape, spec.tile_side, spec.tile_overlap)
    return Plan(shape, frames, tiles, plan_windows(frames, spec.inference.window))


def describe_pieces(frames: int, image_shape: tuple[int, int], spec: CellsSpec) -> str:
    """Says for a report in which pieces a video is seen.

    Args:
        frames: Number of frames.
        image_shape: Height and width of the original images.
        spec: Scale, tiles and windows.
    """
    plan, side = plan_pieces(frames, image_shape, spec), spec.tile_side
    height, width = plan.shape
    said = f"{counted(len(plan.tiles), 'tile')} of {side} x {side} in {width} x {height} network pixels"
    if len(plan.windows) == 1:
        return f"{said}, the state of each carried on from the first frame"
    return f"{said}, {counted(len(plan.windows), 'window')} of {spec.inference.window} frames"


class TileInstances(NamedTuple):
    """Holds the instances of a frame pair in one tile: labels int32 [F, h, w]."""

    pair: int
    tile: int
    labels: NDArray[np.int32]


class TilePair(NamedTuple):
    """Holds the embeddings float32 [F, h, w, D] of a frame pair in one tile."""

    pair: int
    tile: int
    embeddings: NDArray[np.float32]


def estimate_background(
    stepper: FrameStepper, frames: VideoFrames, spec: CellsSpec, plan: Plan
) -> NDArray[np.float32]:
    """Estimates the embedding of the background from the first frames of tiles all over the image (step 2).

    Args:
        stepper: Runs the trained network of `spec`, normalising.
        frames: The video.
        spec: Preprocessing and tiles.
        plan: The video's pieces.

    Returns:
        float32 [D], the same whichever pieces are computed.
    """
    if spec.tracking.background == "fixed":
        return choose_background(np.zeros((0, spec.network.outputs), np.float32), spec.tracking)
    images = list(prepare_frames((frames[index] for index in range(min(2, len(frames)))), spec))
    tiles = spread_evenly(plan.tiles, BACKGROUND_TILES)
    shown = [[tile.shown(embedding) for embedding in stepper(map(tile.cut, images))] for tile in tiles]
    return choose_background(np.array(shown), spec.tracking)


def cluster_pieces(
    pairs: Iterable[TilePair], background: NDArray[np.float32], spec: CellsSpec, workers: int
) -> Iterator[TileInstances]:
    """Clusters the frame pairs of tiles, each by itself (steps 3 to 7).

    Args:
        pairs: What `embed_pieces` yields.
        background: float32 [D].
        spec: Clustering values.
        workers: How many threads cluster beside the network.

    Raises:
        DataError: Embeddings are not finite.
    """

    def cluster(item: TilePair) -> TileInstances:
        if not np.isfinite(item.embeddings).all():
            frame = item.pair + len(item.embeddings) - 1
            raise DataError(
                f"frame {frame}: the embeddings are not finite; check the frame and the checkpoint"
            )
        labels = cluster_pair(item.embeddings, background, spec.tracking)
        return TileInstances(item.pair, item.tile, labels)

    yield from map_in_order(cluster, pairs, workers, "clustering")


def embed_pieces(
    stepper: FrameStepper, frames: VideoFrames, spec: CellsSpec, plan: Plan, pieces: Sequence[Piece]
) -> Iterator[TilePair]:
    """Runs the network over pieces of a video.

    Tiles are computed one by one, so that the numbers are the same whichever pieces are asked for. A frame is
    read and prepared once for as many tiles as the memory allows.

    Args:
        stepper: Runs the trained network of `spec`, normalising.
        frames: The video.
        spec: Preprocessing and network values.
        plan: The video's pieces.
        pieces: Those to compute.

    Yields:
        The frame pairs of all pieces; a video of one frame gives pairs of F = 1.
    """
    carried = len(plan.windows) == 1
    tiles = sorted({piece.tile for piece in pieces})
    count = max(1, GROUP_BYTES // _bytes_of_tile(spec, plan))
    for begin in range(0, len(tiles), count):
        group = tiles[begin : begin + count]
        if carried:
            yield from _embed_carried(stepper, frames, spec, plan, group)
        else:
            yield from _embed_windows(stepper, frames, spec, plan, group, set(pieces))


def _embed_carried(
    stepper: FrameStepper, frames: VideoFrames, spec: CellsSpec, plan: Plan, group: Sequence[int]
) -> Iterator[TilePair]:
    """Computes tiles side by side, frame after frame, from the first one to the last."""
    streams = {index: _TileStream(stepper, plan.tiles[index]) for index in group}
    for frame, image in enumerate(prepare_frames(frames, spec)):
        for index, stream in streams.items():
            embeddings = stream.step(image)
            if frame or plan.frames == 1:
                yield TilePair(max(0, frame - 1), index, embeddings)


def _embed_windows(
    stepper: FrameStepper,
    frames: VideoFrames,
    spec: CellsSpec,
    plan: Plan,
    group: Sequence[int],
    wanted: set[Piece],
) -> Iterator[TilePair]:
    """Computes windows one after the other, and in each the tiles, from a zero state on."""
    held: dict[int, dict[int, NDArray[np.float32]]] = {}
    for number, window in enumerate(plan.windows):
        here = [index for index in group if Piece(number, index) in wanted]
        if not here:
            continue
        held = {frame: cuts for frame, cuts in held.items() if frame >= window.begin}
        missing = [frame for frame in range(window.begin, window.end) if frame not in held]
        prepared = prepare_frames((frames[frame] for frame in missing), spec)
        for frame, image in zip(missing, prepared, strict=True):
            held[frame] = {index: plan.tiles[index].cut(image) for index in group}
        for index in here:
            tile, before = plan.tiles[index], None
            outputs = stepper(held[frame][index] for frame in range(window.begin, window.end))
            for frame, output in enumerate(outputs, start=window.begin):
                embedding = tile.shown(output)
                if before is not None and frame > window.first_pair:
                    yield TilePair(frame - 1, index, np.stack([before, embedding]))
                before = embedding


class _TileStream:
    """Runs the network over one tile, its state carried on, a frame whenever one is given."""

    def __init__(self, stepper: FrameStepper, tile: Tile) -> None:
        self._tile = tile
        self._images: deque[NDArray[np.float32]] = deque()
        # What gives the images must not know this object: a circle would keep its states until it is found.
        self._outputs = stepper(_taken(self._images))
        self._before: list[NDArray[np.float32]] = []

    def step(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the embeddings [F, h, w, D] of the frame before, if there was one, and of this one."""
        self._images.append(self._tile.cut(image))
        embedding = self._tile.shown(next(self._outputs))
        pair = np.stack([*self._before, embedding])
        self._before = [embedding]
        return pair


def _taken(images: deque[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Yields what is put into a queue, which must not be empty when it is asked."""
    while True:
        yield images.popleft()


def bytes_of_group(spec: CellsSpec, plan: Plan) -> int:
    """Returns what tiles that are computed side by side hold at most, in bytes."""
    one = _bytes_of_tile(spec, plan)
    return one * min(len(plan.tiles), max(1, GROUP_BYTES // one))


def _bytes_of_tile(spec: CellsSpec, plan: Plan) -> int:
    """Returns what a tile holds from frame to frame: states and an embedding, or the images of a window."""
    network, pixels = spec.network, spec.tile_side**2
    if len(plan.windows) > 1:
        return 4 * pixels * network.channels * max(window.end - window.begin for window in plan.windows)
    # Every level of the two hourglasses has a quarter of the pixels of the one above it.
    states = 2 * 4 * pixels * network.filters * 4 // 3 if network.recurrent else 0
    return states + 4 * pixels * network.outputs

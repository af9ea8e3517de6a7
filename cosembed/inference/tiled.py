"""Tracks a video in tiles and windows: pieces are computed, in one process or in many, then joined.

`compute_pieces` gives the instances of single tiles, which need nothing of each other; `join_pieces` makes
one video of them, and its result is the same however the pieces were shared out. Knows no files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cosembed.files.progress import with_progress
from cosembed.images.array_frames import VideoFrames
from cosembed.inference.piece_labels import PieceLabels
from cosembed.inference.pieces import (
    Piece,
    Plan,
    cluster_pieces,
    embed_pieces,
    estimate_background,
)
from cosembed.inference.samples import SampledTile, Samples
from cosembed.inference.stepper import FrameStepper
from cosembed.inference.stopwatch import Stopwatch
from cosembed.preprocessing.geometry import frame_grid
from cosembed.specs import CellsSpec
from cosembed.tracking import TrackingResult
from cosembed.tracking.merging import TileLabels, merge_tiles
from cosembed.tracking.oversized import OversizedCells
from cosembed.tracking.tracker import clustering_threads, track_pairs


@dataclass
class PieceResults:
    """Holds what pieces gave.

    Attributes:
        labels: The instances of every frame pair in every tile.
        sampled: The embeddings that are kept for pictures and for a check.
        seconds: Stage -> wall time.
    """

    labels: PieceLabels = field(default_factory=PieceLabels)
    sampled: list[SampledTile] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, other: PieceResults) -> None:
        """Adds what other pieces gave."""
        for packed in other.labels.packed():
            self.labels.append_packed(packed)
        self.sampled += other.sampled
        for stage, spent in other.seconds.items():
            self.seconds[stage] = round(self.seconds.get(stage, 0.0) + spent, 2)


@dataclass(frozen=True)
class JoinedVideo:
    """Holds what pieces give together.

    Attributes:
        result: Label maps and tracks at network resolution.
        samples: What was kept of the embeddings of a few frames.
        warnings: What was left out, a sentence each.
        seconds: Stage -> wall time.
    """

    result: TrackingResult
    samples: Samples
    warnings: list[str]
    seconds: dict[str, float]


def compute_pieces(
    stepper: FrameStepper,
    frames: VideoFrames,
    spec: CellsSpec,
    plan: Plan,
    pieces: Sequence[Piece],
    sample_frames: Sequence[int] = (),
    workers: int | None = None,
) -> PieceResults:
    """Runs network and clustering over pieces of a video.

    Args:
        stepper: Runs the trained network of `spec`, normalising.
        frames: The video, read frame by frame.
        spec: Preprocessing, tiles, windows and clustering.
        plan: The video's pieces.
        pieces: Those to compute.
        sample_frames: Indices of the frames whose embeddings are kept for pictures and a check.
        workers: As in `track_embeddings`.

    Raises:
        DataError: A frame cannot be read or used.
    """
    stopwatch, samples = Stopwatch(), Samples(plan, sample_frames)
    background = estimate_background(stepper, frames, spec, plan)
    embedded = stopwatch.timed("network", embed_pieces(stepper, frames, spec, plan, pieces))
    threads = clustering_threads(workers, spec.tracking)
    clustered = cluster_pieces(samples.passing(embedded), background, spec, threads)
    total = sum(len(plan.pairs_of(piece)) for piece in pieces)
    labels = PieceLabels()
    for instances in with_progress(clustered, total, "tracking", "tile"):
        labels.append(*instances)
    return PieceResults(labels, samples.tiles, stopwatch.stages("clustering and tracking"))


def join_pieces(found: PieceResults, frames: VideoFrames, spec: CellsSpec, plan: Plan) -> JoinedVideo:
    """Merges the instances of all tiles, and tracks them (steps 8 to 12).

    Args:
        found: What all pieces of the plan gave, in any order.
        frames: The video, for the numbers and the size of its frames.
        spec: Tiles and tracking values.
        plan: The video's pieces.

    Raises:
        DataError: Most of what was found is larger than a tile, or there are more tracks than 16-bit masks
            can hold.
    """
    stopwatch = Stopwatch()
    grid = frame_grid(frames.shape, spec.preprocessing, plan.shape)
    oversized = OversizedCells(spec.tile_side, grid, frames.numbers)
    merged = _merged(found.labels, spec, plan, oversized)
    result = track_pairs(with_progress(merged, plan.pairs, "merging"), spec.tracking)
    warnings = oversized.judge()
    samples = Samples(plan, (), found.sampled)
    seconds = PieceResults(seconds=dict(found.seconds))
    seconds.add(PieceResults(seconds=stopwatch.stages("clustering and tracking")))
    return JoinedVideo(result, samples, warnings, seconds.seconds)


def _merged(
    labels: PieceLabels, spec: CellsSpec, plan: Plan, oversized: OversizedCells
) -> Iterator[NDArray[np.int32]]:
    """Yields the merged labels int32 [2, H, W] of every pair; single tiles are unpacked for a pair only."""
    for pair in range(plan.pairs):
        tiles = (
            TileLabels(plan.tiles[tile].y, plan.tiles[tile].x, unpacked)
            for tile, unpacked in labels.of_pair(pair)
        )
        threshold = spec.tracking.size_threshold
        merged = merge_tiles(tiles, plan.shape, spec.tile_side, spec.tile_overlap, threshold)
        oversized.note(pair, merged)
        yield merged.labels

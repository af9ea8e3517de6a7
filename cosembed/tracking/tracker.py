"""Tracks a video from its embeddings: cluster every frame pair, stitch, clean up, find the lineage (released code, steps 2-12).

Embeddings are consumed one frame at a time; only label maps grow with the video.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering import background_embedding, cluster_pair
from cosembed.datasets.ctc.track_table import Track
from cosembed.errors import DataError
from cosembed.preprocessing.label_values import LARGEST_LABEL
from cosembed.specs import TrackingSpec
from cosembed.tracking.lineage import end_before_children, erase_in_border, find_tracks, renumber
from cosembed.tracking.stitch import stitch_pairs


@dataclass(frozen=True)
class TrackingResult:
    """Tracks at network resolution.

    Attributes:
        labels: uint16 [T, H, W]; 0 is background.
        tracks: The table that belongs to the labels.
    """

    labels: NDArray[np.uint16]
    tracks: list[Track]


def track_embeddings(embeddings: Iterable[NDArray[np.float32]], spec: TrackingSpec) -> TrackingResult:
    """Clusters and tracks the instances of a video.

    Args:
        embeddings: float32 [T, H, W, D], unit length per pixel, or an iterable of frames [H, W, D].
        spec: Clustering and tracking values, in network pixels.

    Raises:
        DataError: No frame, embeddings that are not finite or change their shape, or more tracks than 16-bit masks can hold.
    """
    labels = list(stitch_pairs(_cluster_pairs(embeddings, spec), spec.merge_iou))
    return finish_tracks(np.stack(labels), spec)


def _cluster_pairs(
    embeddings: Iterable[NDArray[np.float32]], spec: TrackingSpec
) -> Iterator[NDArray[np.int32]]:
    before: NDArray[np.float32] | None = None
    background: NDArray[np.float32] | None = None
    for index, frame in enumerate(embeddings):
        embedding = _checked(frame, index, before)
        if before is not None:
            pair = np.stack([before, embedding])
            if background is None:
                background = background_embedding(pair)
            yield cluster_pair(pair, background, spec)
        before = embedding
    if before is None:
        raise DataError("there are no frames to track; give a video of at least one frame")
    if background is None:
        yield cluster_pair(before[None], background_embedding(before[None]), spec)


def _checked(
    frame: NDArray[np.float32], index: int, before: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    embedding = np.asarray(frame, np.float32)
    if embedding.ndim != 3 or (before is not None and embedding.shape != before.shape):
        wanted = "[H, W, D]" if before is None else f"{before.shape}, as the frame before"
        raise DataError(f"frame {index}: the embeddings have shape {embedding.shape}; it must be {wanted}")
    if not np.isfinite(embedding).all():
        raise DataError(f"frame {index}: the embeddings are not finite; check the frame and the checkpoint")
    return embedding


def finish_tracks(labels: NDArray[np.int32], spec: TrackingSpec) -> TrackingResult:
    """Border clean-up, lineage and consistency of stitched labels.

    Args:
        labels: int32 [T, H, W]; a label that comes back after a frame without it counts as a new one.
        spec: Tracking values, in network pixels.

    Raises:
        DataError: More tracks than 16-bit masks can hold.
    """
    labels = renumber(erase_in_border(labels, spec.border))
    tracks = find_tracks(labels, spec.parent_dilation, spec.parent_frames, spec.parent_iou)
    labels, tracks = end_before_children(labels, tracks)
    if len(tracks) > LARGEST_LABEL:
        raise DataError(
            f"{len(tracks)} tracks do not fit 16-bit masks; raise tracking.min_points or cut the video"
        )
    return TrackingResult(labels.astype(np.uint16), tracks)

"""Tracks a video from its embeddings: cluster every frame pair, stitch, clean up, find the lineage (released code, steps 2-12).

Embeddings are consumed one frame at a time; only label maps grow with the video.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering import background_embedding, cluster_pair
from cosembed.data.sequence import Track
from cosembed.data.tracks import MAX_LABEL
from cosembed.errors import DataError
from cosembed.specs import TrackingSpec
from cosembed.tracking.lineage import end_before_children, erase_in_border, find_tracks, renumber
from cosembed.tracking.stitch import append_pair


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
        DataError: No frame, embeddings that are not finite, or more tracks than 16-bit masks can hold.
    """
    frames: list[NDArray[np.int32]] = []
    before: NDArray[np.float32] | None = None
    background: NDArray[np.float32] | None = None
    highest = 0
    for index, embedding in enumerate(embeddings):
        if not np.isfinite(embedding).all():
            raise DataError(f"frame {index}: the embeddings are not finite; check the frame and the checkpoint")
        if before is not None:
            pair = np.stack([before, embedding])
            if background is None:
                background = background_embedding(pair)
            labels = cluster_pair(pair, background, spec)
            if not frames:
                frames.extend(labels)
                highest = int(labels.max())
            else:
                appended, highest = append_pair(frames[-1], labels, highest, spec.merge_iou)
                frames.append(appended.astype(np.int32))
        before = embedding
    if before is None:
        raise DataError("there are no frames to track; give a video of at least one frame")
    if not frames:
        pair = before[None]
        frames.extend(cluster_pair(pair, background_embedding(pair), spec))
    return finish_tracks(np.stack(frames), spec)


def finish_tracks(labels: NDArray[np.int32], spec: TrackingSpec) -> TrackingResult:
    """Border clean-up, lineage and consistency of stitched labels int32 [T, H, W].

    Raises:
        DataError: More tracks than 16-bit masks can hold.
    """
    labels = labels.copy()
    erase_in_border(labels, spec.border)
    labels = renumber(labels)
    tracks = find_tracks(labels, spec.parent_dilation, spec.parent_frames, spec.parent_iou)
    tracks = end_before_children(labels, tracks)
    if tracks and tracks[-1].label > MAX_LABEL:
        raise DataError(f"{tracks[-1].label} tracks do not fit 16-bit masks; raise tracking.min_points or cut the video")
    return TrackingResult(labels.astype(np.uint16), tracks)

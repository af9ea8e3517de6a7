"""Tracks a video from its embeddings: goes through steps 2 to 12 as `cosembed.tracking` numbers them.

Embeddings are consumed one frame at a time, so that only the label maps grow with the video. Once the first
pair has given the background, pairs are independent of each other: they are clustered by threads, while the
frames that follow are computed. Clustering is compiled code that other threads run beside, so that threads do
what processes would, and nothing has to be sent to them. Knows no network and no files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering import choose_background, choose_mode, cluster_pair
from cosembed.datasets.ctc.track_table import Track
from cosembed.errors import DataError
from cosembed.preprocessing.label_overlap import present_labels
from cosembed.preprocessing.label_values import LARGEST_LABEL
from cosembed.processes.cores import available_cores
from cosembed.processes.threads import map_in_order
from cosembed.specs import TrackingSpec
from cosembed.tracking.lineage import (
    end_before_children,
    erase_in_border,
    find_lives,
    find_tracks,
    number_consecutively,
    without_unlike_daughters,
)
from cosembed.tracking.stitch import stitch_pairs


@dataclass(frozen=True)
class TrackingResult:
    """Holds the tracks of a video at network resolution.

    Attributes:
        labels: uint16 [T, H, W]; 0 is background, every other number a track.
        tracks: The rows (label, begin, end, parent) of these tracks, by rising label.
        to_clean_up: None: border, lineage and all are done. Else the values by which they are to be done when
            the labels have their original size (`restore_resolution`); until then no track has a parent.
    """

    labels: NDArray[np.uint16]
    tracks: list[Track]
    to_clean_up: TrackingSpec | None = None


def track_embeddings(
    embeddings: Iterable[NDArray[np.float32]], spec: TrackingSpec, workers: int | None = None
) -> TrackingResult:
    """Clusters and tracks the instances of a video (steps 2 to 12).

    Args:
        embeddings: float32 [T, H, W, D] of unit length at every pixel, or an iterable of frames [H, W, D], of
            which two are held at a time, and two more for each worker.
        spec: Clustering and tracking values, in network pixels.
        workers: How many threads cluster pairs; 0: this one, between the frames; None: as many as there are
            cores. The result does not depend on it.

    Returns:
        Labels and tracks at network resolution.

    Raises:
        DataError: There is no frame, embeddings are not finite or change their shape, or there are more
            tracks than 16-bit masks can hold.
    """
    pairs = _pairs(embeddings)
    first = next(pairs)
    background = choose_background(first, spec)

    def cluster(pair: NDArray[np.float32]) -> NDArray[np.int32]:
        return cluster_pair(pair, background, spec)

    later = map_in_order(cluster, pairs, clustering_threads(workers, spec), "clustering")
    return track_pairs(chain([cluster(first)], later), spec)


def clustering_threads(workers: int | None, spec: TrackingSpec) -> int:
    """Says how many threads cluster pairs: those asked for, or as many as there are cores."""
    # The library starts processes of its own.
    if spec.method == "hdbscan" and choose_mode(spec) == "released":
        return 0
    return available_cores() if workers is None else workers


def track_pairs(pairs: Iterable[NDArray[np.int32]], spec: TrackingSpec) -> TrackingResult:
    """Tracks the clustered instances of a video (steps 8 to 12).

    Args:
        pairs: The labels int32 [2, H, W] of every pair in the order of time, or [1, H, W] of a single frame.
        spec: Tracking values, in network pixels.

    Returns:
        Labels and tracks at network resolution.

    Raises:
        DataError: There are more tracks than 16-bit masks can hold.
    """
    frames = stitch_pairs(pairs, spec.merge_iou, spec.false_split_frames, spec.second_look)
    return finish_tracks(np.stack(list(frames)), spec)


def _pairs(embeddings: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Yields every pair of frames, float32 [2, H, W, D], or the only frame, [1, H, W, D]."""
    before: NDArray[np.float32] | None = None
    index = -1
    for index, frame in enumerate(embeddings):
        embedding = _check_embedding(frame, index, before)
        if before is not None:
            yield np.stack([before, embedding])
        before = embedding
    if before is None:
        raise DataError("there are no frames to track; give a video of at least one frame")
    if index == 0:
        yield before[None]


def _check_embedding(
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
    """Cleans up the border of stitched labels and finds their lineage (steps 10 to 12).

    If this is to be done in labels of the original size, they are only numbered and listed.

    Args:
        labels: int32 [T, H, W]; a label that comes back after a frame without it counts as a new one.
        spec: Tracking values.

    Returns:
        Labels and tracks at network resolution.

    Raises:
        DataError: There are more tracks than 16-bit masks can hold.
    """
    if spec.clean_up == "original":
        labels = number_consecutively(labels)
        tracks = find_lives(map(present_labels, labels))
    else:
        labels = number_consecutively(erase_in_border(labels, spec.border))
        tracks = find_tracks(labels, spec.parent_dilation, spec.parent_frames, spec.parent_iou)
        tracks = without_unlike_daughters(labels, tracks, spec.daughter_likeness)
        labels, tracks = end_before_children(labels, tracks)
    check_number(tracks)
    return TrackingResult(labels.astype(np.uint16), tracks, spec if spec.clean_up == "original" else None)


def check_number(tracks: list[Track]) -> None:
    """Refuses more tracks than 16-bit masks can hold.

    Raises:
        DataError: There are more.
    """
    if len(tracks) > LARGEST_LABEL:
        raise DataError(
            f"{len(tracks)} tracks do not fit 16-bit masks; raise tracking.min_points or cut the video"
        )

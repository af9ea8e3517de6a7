"""Tracks a video from its embeddings: goes through steps 2 to 12 as `cosembed.tracking` numbers them.

Embeddings are consumed one frame at a time, and label maps are packed as soon as they are stitched, so that
memory hardly grows with the video. Once the first pair has given the background, pairs are independent of
each other: they are clustered by threads, while the frames that follow are computed. Clustering is compiled
code that other threads run beside, so that threads do what processes would, and nothing has to be sent to
them. Knows no network and no files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering import choose_background, choose_mode, cluster_pair
from cosembed.datasets.ctc.track_table import Track
from cosembed.errors import DataError
from cosembed.files.packed_arrays import PackedArrays
from cosembed.preprocessing.label_overlap import count_labels
from cosembed.preprocessing.label_values import LARGEST_LABEL
from cosembed.processes.cores import available_cores
from cosembed.processes.threads import map_in_order
from cosembed.specs import TrackingSpec
from cosembed.tracking.clean_up import CleanTracks, clean_up
from cosembed.tracking.label_maps import FrameTables, LabelFrames, LabelMaps
from cosembed.tracking.lineage import find_lives
from cosembed.tracking.stitch import stitch_pairs


@dataclass(frozen=True)
class TrackingResult:
    """Holds the tracks of a video at network resolution.

    Attributes:
        maps: The label map uint16 [H, W] of every frame; 0 is background, every other number a track.
        tracks: The rows (label, begin, end, parent) of these tracks, by rising label.
        to_clean_up: None: border, lineage and all are done. Else the values by which they are to be done when
            the labels have their original size (`restore_resolution`); until then no track has a parent.
    """

    maps: LabelFrames
    tracks: list[Track]
    to_clean_up: TrackingSpec | None = None

    @cached_property
    def labels(self) -> NDArray[np.uint16]:
        """Unpacks the label maps of all frames, uint16 [T, H, W], when they are first asked for."""
        return np.stack(list(self.maps))


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
    return finish_tracks(frames, spec)


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


def finish_tracks(labels: Iterable[NDArray[np.int32]], spec: TrackingSpec) -> TrackingResult:
    """Cleans up the border of stitched labels and finds their lineage (steps 10 to 12).

    If this is to be done in labels of the original size, they are only numbered and listed.

    Args:
        labels: The frames int32 [H, W], one after the other; a label that comes back after a frame without it
            counts as a new one.
        spec: Tracking values.

    Returns:
        Labels and tracks at network resolution.

    Raises:
        DataError: There are more tracks than 16-bit masks can hold.
        OutputError: There is no space for temporary files.
    """
    stored, areas = PackedArrays(), FrameTables()
    for image in labels:
        stored.append(image)
        present, counts = count_labels(image)
        areas.append_columns(present[present > 0], counts[present > 0])
    in_original = spec.clean_up == "original"
    found = _numbered(areas) if in_original else clean_up(stored, areas, spec)
    check_number(found.tracks)
    return TrackingResult(LabelMaps(stored, found.labels), found.tracks, spec if in_original else None)


def _numbered(areas: FrameTables) -> CleanTracks:
    """Numbers the labels of all frames 1..n and keeps their order."""
    lives = find_lives(areas)
    numbers = {life.label: number for number, life in enumerate(lives, start=1)}
    tracks = [life._replace(label=numbers[life.label]) for life in lives]
    return CleanTracks(tracks, FrameTables({numbers[label]: label for label in frame} for frame in areas))


def check_number(tracks: list[Track]) -> None:
    """Refuses more tracks than 16-bit masks can hold.

    Raises:
        DataError: There are more.
    """
    if len(tracks) > LARGEST_LABEL:
        raise DataError(
            f"{len(tracks)} tracks do not fit 16-bit masks; raise tracking.min_points or cut the video"
        )

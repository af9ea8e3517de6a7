"""Turns a graph of cells into tracks that a challenge folder can hold. Knows no files.

A track is an unbroken run of frames of one cell; the first node of a track may have one parent, in any
earlier frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import Track
from cosembed.errors import DataError
from cosembed.preprocessing.label_values import LARGEST_LABEL


@dataclass(frozen=True)
class CellGraph:
    """Holds the cells of a video and their links.

    Attributes:
        name: What to call the graph in messages.
        ids: What the nodes are called, int [N].
        frames: Index of each node's frame, int64 [N].
        segments: The value of each node's pixels in the label image, int64 [N].
        edges: Positions of source and target in these arrays, int64 [E, 2].
        keeps_labels: Whether the values of the label image are known to be labels of tracks.
    """

    name: str
    ids: NDArray
    frames: NDArray[np.int64]
    segments: NDArray[np.int64]
    edges: NDArray[np.int64]
    keeps_labels: bool = False


@dataclass(frozen=True)
class GraphTracks:
    """Holds the tracks of a graph.

    Attributes:
        tracks: The table; frames are counted from 0.
        labels: The label of each node's track, int64 [N].
    """

    tracks: list[Track]
    labels: NDArray[np.int64]

    def label_of_segments(self, graph: CellGraph, frame: int) -> Mapping[int, int]:
        """Maps values of the label image to labels of tracks, for one frame."""
        here = np.flatnonzero(graph.frames == frame)
        return dict(zip(graph.segments[here].tolist(), self.labels[here].tolist(), strict=True))


def find_tracks(graph: CellGraph) -> GraphTracks:
    """Finds the tracks of a graph.

    Where the values of the label image follow the cells, they become the labels, so that a challenge folder
    that was written as a graph comes back unchanged. Otherwise tracks are the longest paths without branches
    and gaps, numbered by their first frame.

    Raises:
        DataError: An edge does not lead forward in time, as in a cyclic lineage; a cell has two parents; two
            cells of a frame share a value; or there are more than 65,535 tracks.
    """
    parents = _parents(graph)
    children = np.bincount(parents[parents >= 0], minlength=len(graph.ids))
    _check_segments(graph)
    order = np.lexsort((graph.segments, graph.frames))
    # A cell that goes on alone under another value is another track only where values are labels for sure.
    goes_on = np.zeros(len(graph.ids), bool)
    linked = np.flatnonzero(parents >= 0)
    sources = parents[linked]
    goes_on[linked] = (children[sources] == 1) & (graph.frames[sources] == graph.frames[linked] - 1)
    changes = goes_on[linked] & (graph.segments[sources] != graph.segments[linked])
    if graph.keeps_labels or not changes.any():
        by_value = _tracks(graph, parents, order, graph.segments)
        if by_value is not None:
            return by_value
    labels = np.zeros(len(graph.ids), np.int64)
    for node in order.tolist():
        labels[node] = labels[parents[node]] if goes_on[node] else labels.max(initial=0) + 1
    if labels.max(initial=0) > LARGEST_LABEL:
        raise DataError(
            f"{graph.name}: holds {labels.max()} tracks, but a challenge folder has labels up to "
            f"{LARGEST_LABEL}; cut the video into parts"
        )
    found = _tracks(graph, parents, order, labels)
    assert found is not None
    return found


def _parents(graph: CellGraph) -> NDArray[np.int64]:
    """Finds the position of each node's parent; -1 for none."""
    source, target = graph.edges[:, 0], graph.edges[:, 1]
    backwards = np.flatnonzero(graph.frames[source] >= graph.frames[target])
    if len(backwards):
        first, second = graph.edges[backwards[0]]
        raise DataError(
            f"{graph.name}: an edge leads from node {graph.ids[first]} in frame {graph.frames[first]} to "
            f"node {graph.ids[second]} in frame {graph.frames[second]}, so that a lineage is cyclic or runs "
            "backwards in time; correct the edge"
        )
    merged = np.flatnonzero(np.bincount(target, minlength=len(graph.ids)) > 1)
    if len(merged):
        raise DataError(
            f"{graph.name}: node {graph.ids[merged[0]]} has several parents, but a challenge folder has no "
            "merging of cells; remove all edges to it but one"
        )
    parents = np.full(len(graph.ids), -1, np.int64)
    parents[target] = source
    return parents


def _check_segments(graph: CellGraph) -> None:
    largest = graph.segments.max(initial=0)
    if largest > LARGEST_LABEL or graph.segments.min(initial=1) < 1:
        wrong = largest if largest > LARGEST_LABEL else graph.segments.min()
        raise DataError(
            f"{graph.name}: holds the label {wrong}, but those of a challenge folder are from 1 to "
            f"{LARGEST_LABEL}; renumber the cells"
        )
    pairs, counts = np.unique(np.stack([graph.frames, graph.segments]), axis=1, return_counts=True)
    if (counts > 1).any():
        frame, segment = pairs[:, counts > 1][:, 0]
        raise DataError(
            f"{graph.name}: two nodes of frame {frame} have the label {segment}; give every cell of a frame "
            "its own"
        )


def _tracks(
    graph: CellGraph, parents: NDArray[np.int64], order: NDArray[np.intp], labels: NDArray[np.int64]
) -> GraphTracks | None:
    """Makes the table of labels; None unless the nodes of each label follow each other without a gap.

    Args:
        graph: The graph.
        parents: The position of each node's parent.
        order: The positions of the nodes, by frame.
        labels: The label of each node.
    """
    tracks: dict[int, Track] = {}
    last: dict[int, int] = {}
    for node in order.tolist():
        label, frame, parent = int(labels[node]), int(graph.frames[node]), int(parents[node])
        if label not in tracks:
            tracks[label] = Track(label, frame, frame, int(labels[parent]) if parent >= 0 else 0)
        elif parent != last[label] or graph.frames[parent] != frame - 1:
            return None
        else:
            tracks[label] = tracks[label]._replace(end=frame)
        last[label] = node
    # A cell that keeps its mother's value would be its own parent, or live on beside its sisters.
    if any(track.parent and tracks[track.parent].end >= track.begin for track in tracks.values()):
        return None
    return GraphTracks(sorted(tracks.values()), labels)

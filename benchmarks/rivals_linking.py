"""Links given masks by other trackers: btrack, LapTrack, and the classical baseline's assignment.

Each takes the same measured frames and one length, how far a cell may move between frames; every other value
is the tracker's own default, or that of its published example for cells. That of btrack is in pixels, so its
coordinates are scaled to the example's; its chance of no assignment is 0.1, with which it finds more
divisions. None is told states of the cell cycle: without them, btrack lets a mother go on in a daughter
unless both are far from her. The packages are imported where they are used: the package cosembed knows none
of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.baselines.linking import MeasuredFrame, link_cells
from cosembed.baselines.values import BaselineValues
from cosembed.datasets.ctc.track_table import Track


class Node(NamedTuple):
    """Names a cell: its frame, and its position among that frame's cells."""

    frame: int
    cell: int


# How far btrack's published example for cells (models/cell_config.json) lets a cell move, in its pixels.
BTRACK_REACH = 40.0

# For every frame the track of every label, and the tracks.
Linked = tuple[list[NDArray[np.uint16]], list[Track]]


def link_by_baseline(frames: Sequence[MeasuredFrame], shape: tuple[int, int], reach: float) -> Linked:
    """Links by the classical baseline's assignment and divisions; keeps short tracks."""
    return link_cells(frames, BaselineValues(reach=reach, division=reach))


def link_by_laptrack(frames: Sequence[MeasuredFrame], shape: tuple[int, int], reach: float) -> Linked:
    """Links by LapTrack: distances squared, gaps of up to two frames, splits, no merges."""
    from laptrack import LapTrack

    tracker = LapTrack(cutoff=reach**2, gap_closing_cutoff=reach**2, splitting_cutoff=reach**2)
    tree = tracker.predict([frame.centres for frame in frames])
    edges = [(Node(*map(int, first)), Node(*map(int, second))) for first, second in tree.edges]
    return tracks_of_links(frames, edges)


def link_by_btrack(frames: Sequence[MeasuredFrame], shape: tuple[int, int], reach: float) -> Linked:
    """Links by btrack: motion model and hypotheses of its example for cells, optimised over the video."""
    import btrack
    from btrack.btypes import PyTrackObject

    nodes = [Node(index, cell) for index, frame in enumerate(frames) for cell in range(len(frame.areas))]
    scale = BTRACK_REACH / reach
    places = [frames[node.frame].centres[node.cell] * scale for node in nodes]
    cells = [
        PyTrackObject.from_dict({"ID": number, "t": node.frame, "x": x, "y": y, "z": 0.0})
        for number, (node, (y, x)) in enumerate(zip(nodes, places, strict=True))
    ]
    with btrack.BayesianTracker() as tracker:
        tracker.configure(_btrack_values(shape[0] * scale, shape[1] * scale))
        tracker.append(cells)
        tracker.track(step_size=100)
        tracker.optimise()
        found = tracker.tracks
    # Cells that btrack made up to fill gaps have negative numbers.
    members = {track.ID: [nodes[number] for number in track.refs if number >= 0] for track in found}
    edges = [pair for chain in members.values() for pair in pairwise(chain)]
    for track in found:
        mother = members.get(track.parent, [])
        if track.parent != track.ID and mother and members[track.ID]:
            edges.append((mother[-1], members[track.ID][0]))
    return tracks_of_links(frames, edges)


def _btrack_values(height: float, width: float) -> dict[str, Any]:
    """Gives btrack's published example for cells; height and width of the frames are in its pixels."""
    transition = np.eye(6)
    transition[:3, 3:] = np.eye(3)
    motion = {
        "name": "cell_motion",
        "measurements": 3,
        "states": 6,
        "A": transition,
        "H": np.eye(3, 6),
        "P": 150.0 * np.diag([0.1, 0.1, 0.1, 1.0, 1.0, 1.0]),
        "G": 15.0 * np.array([[0.5, 0.5, 0.5, 1.0, 1.0, 1.0]]),
        "R": 5.0 * np.eye(3),
        "dt": 1.0,
        "accuracy": 7.5,
        "max_lost": 5,
        "prob_not_assign": 0.1,
    }
    hypotheses = {
        "name": "cell_hypothesis",
        "hypotheses": ["P_FP", "P_init", "P_term", "P_link", "P_branch", "P_dead"],
        "lambda_time": 5.0,
        "lambda_dist": 3.0,
        "lambda_link": 10.0,
        "lambda_branch": 50.0,
        "eta": 1e-10,
        "theta_dist": 20.0,
        "theta_time": 5.0,
        "dist_thresh": BTRACK_REACH,
        "time_thresh": 2,
        "apop_thresh": 5,
        "segmentation_miss_rate": 0.1,
        "apoptosis_rate": 0.001,
        "relax": True,
    }
    return {
        "motion_model": motion,
        "hypothesis_model": hypotheses,
        "max_search_radius": BTRACK_REACH,
        "volume": ((0, width), (0, height), (-1e5, 1e5)),
    }


LINKERS: dict[str, tuple[str, Callable[[Sequence[MeasuredFrame], tuple[int, int], float], Linked]]] = {
    "baseline": ("cosembed", link_by_baseline),
    "laptrack": ("laptrack", link_by_laptrack),
    "btrack": ("btrack", link_by_btrack),
}


def link_masks(name: str, frames: Sequence[MeasuredFrame], shape: tuple[int, int], reach: float) -> Linked:
    """Links the cells of a video by the rival of that name.

    Args:
        name: A key of `LINKERS`.
        frames: The measured frames; without any cell there is nothing to link, which not every rival takes.
        shape: Height and width of the frames.
        reach: How far a cell may move between frames, in pixels.

    Returns:
        For every frame, the track of every label, uint16 [N + 1]; and the tracks, numbered from 1.
    """
    if not any(len(frame.areas) for frame in frames):
        return tracks_of_links(frames, [])
    return LINKERS[name][1](frames, shape, reach)


def tracks_of_links(frames: Sequence[MeasuredFrame], edges: Iterable[tuple[Node, Node]]) -> Linked:
    """Makes tracks of links between cells.

    A track goes on where a cell has one link forwards, into the very next frame. Else, at a division or
    behind a gap, new tracks begin, whose parent is the one that ended.

    Args:
        frames: The measured frames.
        edges: Pairs of an earlier and a later cell; a cell has at most one earlier one.

    Returns:
        For every frame, the track of every label, uint16 [N + 1]; and the tracks, numbered from 1.
    """
    later: dict[Node, list[Node]] = defaultdict(list)
    earlier: dict[Node, Node] = {}
    for first, second in edges:
        later[first].append(second)
        earlier[second] = first
    tables = [np.zeros(len(frame.areas) + 1, np.uint16) for frame in frames]
    tracks: list[Track] = []
    for index, table in enumerate(tables):
        for cell in range(len(table) - 1):
            node = Node(index, cell)
            before = earlier.get(node)
            number = 0 if before is None else int(tables[before.frame][before.cell + 1])
            if before is not None and len(later[before]) == 1 and before.frame == index - 1:
                tracks[number - 1] = tracks[number - 1]._replace(end=index)
            else:
                tracks.append(Track(len(tracks) + 1, index, index, number))
                number = len(tracks)
            table[cell + 1] = number
    return tables, tracks

"""Compares the links of a result with those of the truth, and finds the lineages that are complete.

A link joins a cell's vertex with the next one of its track, or the end of a track with the beginning of a
daughter (Matula et al. 2015). py-ctcmetrics counts the links of a whole video that are to be corrected; this
module says in which frames they are, and whose.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.metrics.comparison import Comparison, Integers, TrackColumns
from cosembed.metrics.measure import Measure, ratio


class Links(NamedTuple):
    """Holds links from one vertex to a later one.

    Attributes:
        source, target: int64 [L], vertices.
        to_daughter: bool [L], whether the link leads to another track.
    """

    source: Integers
    target: Integers
    to_daughter: NDArray[np.bool_]


def links_of(tracks: TrackColumns) -> Links:
    """Lists the links of a track table."""
    later = np.flatnonzero(tracks.frame > tracks.begin[tracks.row])
    daughters = np.flatnonzero(tracks.parent >= 0)
    parents = tracks.parent[daughters]
    source = np.concatenate([later - 1, tracks.vertices(parents, tracks.end[parents])])
    target = np.concatenate([later, tracks.first[daughters]])
    return Links(source, target, np.arange(len(source)) >= len(later))


class LinkErrors(NamedTuple):
    """Holds the frames to which wrong links lead, a frame for each error.

    Attributes:
        missing: int64 [EA], of true links that the result lacks.
        false: int64 [ED], of links between matched masks that the truth lacks.
        wrong_kind: int64 [EC], of links that are to a daughter in one of the two, and within a track in the
            other.
    """

    missing: Integers
    false: Integers
    wrong_kind: Integers


def link_errors(comparison: Comparison) -> LinkErrors:
    """Finds the links to add, to delete, and to change in kind."""
    truth, result = comparison.truth, comparison.result
    links, found = links_of(truth), links_of(result)
    present, to_daughter = _find(comparison, links)
    single = comparison.covers == 1
    judged = single[found.source] & single[found.target]
    marker = np.full(len(result.row), -1)
    at = np.flatnonzero(comparison.own >= 0)
    marker[result.vertices(comparison.own[at], truth.frame[at])] = at
    # A pair of vertices as one number.
    known = links.source * len(truth.row) + links.target
    mapped = marker[found.source[judged]] * len(truth.row) + marker[found.target[judged]]
    return LinkErrors(
        truth.frame[links.target[~present]],
        result.frame[found.target[judged][~np.isin(mapped, known)]],
        truth.frame[links.target[present & (to_daughter != links.to_daughter)]],
    )


def complete_lineages(comparison: Comparison) -> tuple[Measure, NDArray[np.bool_]]:
    """Finds the lineages of the truth that a result holds without an error.

    A lineage is a founder with all its descendants. It is complete if every marker of it has a mask of its
    own, every link of it is in the result, within a track or to a daughter, and none of its masks divides
    where the truth does not. What a result holds besides does not matter. As `CompleteTracks` of traccuracy.

    Args:
        comparison: The tracks.

    Returns:
        The share of complete lineages, and for every true track [N] whether its lineage is complete.
    """
    truth, result = comparison.truth, comparison.result
    faulty = comparison.own < 0
    links = links_of(truth)
    present, _ = _find(comparison, links)
    faulty[links.target[~present]] = True
    followed = np.flatnonzero(~faulty)
    track, row = comparison.own[followed], truth.row[followed]
    frame = truth.frame[followed]
    divides = (result.end[track] == frame) & (result.daughters[track] > 1)
    divided = (truth.end[row] == frame) & (truth.daughters[row] > 1)
    faulty[followed] = divides & ~divided
    incomplete = np.unique(truth.founder[truth.row[faulty]])
    founders = np.unique(truth.founder)
    counts = {"complete": len(founders) - len(incomplete), "lineages": len(founders)}
    share = ratio(counts["complete"], counts["lineages"], counts, "the truth has no track")
    return share, ~np.isin(truth.founder, incomplete)


def _find(comparison: Comparison, links: Links) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tells of every true link whether the result has it, and whether it leads to a daughter there."""
    frame, result = comparison.truth.frame, comparison.result
    present = (comparison.own[links.source] >= 0) & (comparison.own[links.target] >= 0)
    source, target = comparison.own[links.source], comparison.own[links.target]
    to_daughter = source != target
    source, target = source[present], target[present]
    before, after = frame[links.source[present]], frame[links.target[present]]
    within = (source == target) & (after == before + 1)
    born = (
        (result.parent[target] == source) & (result.end[source] == before) & (result.begin[target] == after)
    )
    present[present] = within | born
    return present, to_daughter

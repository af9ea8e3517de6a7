"""Computes what biologists ask of tracks: are they complete, how far is a cell followed, are divisions found.

CT, TF, BC(i) and CCA are the biological measures of the Cell Tracking Challenge (Ulman et al. 2017), by the
rules of its programs. Only masks that cover one marker alone count for them. py-ctcmetrics computes CCA; the
others are computed here, for it says neither which cells they are made of nor ends in a time that grows with
the number of markers alone.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import Track
from cosembed.metrics.comparison import Comparison, Integers, TrackColumns
from cosembed.metrics.measure import Measure, ratio

NO_DIVISION = "the truth has no division"


def complete_tracks(comparison: Comparison) -> tuple[Measure, NDArray[np.bool_]]:
    """Computes CT, the F1 score of tracks that are complete, from beginning to end and no longer.

    Args:
        comparison: The tracks.

    Returns:
        CT, and for every true track [N] whether it is complete.
    """
    truth, result, runs = comparison.truth, comparison.result, comparison.runs
    whole = (runs.length == truth.length[runs.row]) & (runs.length == result.length[runs.track])
    complete = np.zeros(len(truth.label), bool)
    complete[runs.row[whole]] = True
    counts = {
        "complete": int(complete.sum()),
        "true_tracks": len(truth.label),
        "result_tracks": len(result.label),
    }
    total = counts["true_tracks"] + counts["result_tracks"]
    return ratio(2 * counts["complete"], total, counts, "there is no track"), complete


def track_fractions(comparison: Comparison) -> Measure:
    """Computes TF, how much of a true track one result track follows without a gap, at most.

    It is the mean over the true tracks that are followed at all; 0 if none is. As in the challenge's
    programs, a result track that follows a true track completely is not tried on those of higher labels.
    """
    runs, lengths = comparison.runs, comparison.truth.length
    best = np.zeros(len(lengths), np.int64)
    pairs, which = np.unique(runs.track * len(lengths) + runs.row, return_inverse=True)
    longest = np.zeros(len(pairs), np.int64)
    np.maximum.at(longest, which, runs.length)
    spent = -1
    for pair, length in zip(pairs.tolist(), longest.tolist(), strict=True):
        track, row = divmod(pair, len(lengths))
        if track == spent or best[row] == lengths[row]:
            continue
        best[row] = max(best[row], length)
        if length == lengths[row]:
            spent = track
    followed = best > 0
    counts = {
        "followed": int(followed.sum()),
        "completely": int((best == lengths).sum()),
        "true_tracks": len(lengths),
    }
    return Measure(float(np.mean(best[followed] / lengths[followed])) if followed.any() else 0.0, counts)


def find_divisions(comparison: Comparison, tolerance: int) -> set[int]:
    """Finds the divisions of the truth that a result has, too, at most so many frames earlier or later.

    They are the same if as many daughters follow, the mothers are matched in the last frame that both have,
    and each true daughter is matched with another daughter of the result in the first frame that both have.
    Each division of the result is used once.

    Args:
        comparison: The tracks.
        tolerance: The i of BC(i), in frames, for ends of mothers and beginnings of daughters.

    Returns:
        The rows of the true mothers.
    """
    truth, result = comparison.truth, comparison.result
    mothers = np.flatnonzero(truth.daughters > 1)
    daughters, found_daughters = _daughters(truth), _daughters(result)
    found: set[int] = set()
    for track in np.flatnonzero(result.daughters > 1).tolist():
        alike = truth.daughters[mothers] == result.daughters[track]
        near = mothers[alike & (abs(truth.end[mothers] - result.end[track]) <= tolerance)]
        both_alive = np.minimum(truth.end[near], result.end[track])
        for row in near[comparison.follows(track, near, both_alive)].tolist():
            matched = _match_daughters(comparison, daughters[row], found_daughters[track], tolerance)
            if row not in found and matched:
                found.add(row)
                break
    return found


def division_measures(comparison: Comparison, tolerance: int, found: int) -> dict[str, Measure]:
    """Computes BC(i), and precision, recall and F1 of divisions, which are made of the same counts.

    BC(i) is that F1 score where the truth divides, and undefined elsewhere.

    Args:
        comparison: The tracks.
        tolerance: i, in frames.
        found: How many true divisions `find_divisions` found.

    Returns:
        Name -> measure.
    """
    true, all_found = (int((tracks.daughters > 1).sum()) for tracks in (comparison.truth, comparison.result))
    counts = {"correct": found, "false": all_found - found, "missed": true - found}
    nowhere = "neither truth nor result has a division"
    f1 = ratio(2 * found, true + all_found, counts, nowhere)
    return {
        f"BC({tolerance})": f1 if true else Measure(None, counts, NO_DIVISION),
        f"division_precision({tolerance})": ratio(found, all_found, counts, "the result has no division"),
        f"division_recall({tolerance})": ratio(found, true, counts, NO_DIVISION),
        f"division_f1({tolerance})": f1,
    }


def cell_cycle_accuracy(
    comparison: Comparison, true_tracks: Iterable[Track], tracks: Iterable[Track]
) -> Measure:
    """Computes CCA, how alike the lengths of complete cell cycles are distributed.

    A cycle is complete from division to division. CCA is 1 minus the largest difference of the two
    cumulative distributions.
    """
    from ctc_metrics.metrics import cca

    counts = {"true_cycles": _cycles(comparison.truth), "result_cycles": _cycles(comparison.result)}
    if not counts["true_cycles"]:
        return Measure(None, counts, "the truth has no complete cell cycle")
    tables = [np.array(sorted(table), int).reshape(-1, 4) for table in (tracks, true_tracks)]
    return Measure(float(cca(*tables)), counts)


def fragmentation(comparison: Comparison) -> Measure:
    """Counts the pieces in which a result follows the true tracks that it follows: their mean number.

    A piece ends where another result track goes on, and where the cell has no mask of its own. The latter is
    an interruption if the cell is found again (`Frag` of the MOTChallenge; Li, Huang and Nevatia 2009).
    """
    runs = comparison.runs
    followed = len(np.unique(runs.row))
    interruptions = len(comparison.interrupted)
    counts = {"pieces": len(runs.row), "followed": followed, "interruptions": interruptions}
    return ratio(counts["pieces"], followed, counts, "the result follows no true track")


def _match_daughters(
    comparison: Comparison, daughters: Integers, found_daughters: Integers, tolerance: int
) -> bool:
    truth, result = comparison.truth, comparison.result
    matched: dict[int, int] = {}
    for daughter in found_daughters.tolist():
        near = daughters[abs(truth.begin[daughters] - result.begin[daughter]) <= tolerance]
        both_alive = np.maximum(truth.begin[near], result.begin[daughter])
        for row in near[comparison.follows(daughter, near, both_alive)].tolist():
            matched.setdefault(row, daughter)
    return len(set(matched.values())) == len(daughters)


def _daughters(tracks: TrackColumns) -> dict[int, Integers]:
    """Returns row of the mother -> rows of her daughters, of the tracks that divide."""
    return {
        row: np.flatnonzero(tracks.parent == row) for row in np.flatnonzero(tracks.daughters > 1).tolist()
    }


def _cycles(tracks: TrackColumns) -> int:
    """Counts the tracks that begin and end with a division."""
    divides = tracks.daughters > 1
    return int(np.sum(divides & (tracks.parent >= 0) & divides[tracks.parent]))

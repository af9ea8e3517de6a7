"""Computes how well cells keep their identity over time: CHOTA, IDF1 and MOTA.

All look at cells rather than tracks: a track that alone continues another one is the same cell, as
py-ctcmetrics has it, which counts MOTA. CHOTA and IDF1 are computed from sparse matrices, for py-ctcmetrics
fills one of all true and all found cells for every pair of the two (CHOTA), and one of both together squared
(IDF1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import min_weight_full_bipartite_matching

from cosembed.metrics.comparison import Comparison, Integers, TrackColumns
from cosembed.metrics.measure import Measure, ratio

# What py-ctcmetrics calls its counts -> what they are called here.
_MOTA_COUNTS = {"TP": "TP", "FP": "FP", "FN": "FN", "IDSW": "IDSW", "MULTI-ASSIGNMENTS": "multiple"}


class CellOverlap(NamedTuple):
    """Holds in how many frames true cells and those of the result meet.

    A cell has the number of the row where it begins.

    Attributes:
        shared: int64 [true, found], frames in which the found cell's mask covers the true cell's marker.
        true: int64 [true], markers of each true cell.
        found: int64 [found], of each found cell the markers that its masks cover, and its masks that cover
            none.
        missed: Markers that no mask covers.
        false: Masks that cover no marker.
    """

    shared: sparse.csr_array
    true: Integers
    found: Integers
    missed: int
    false: int


def cells_of(tracks: TrackColumns) -> Integers:
    """Joins tracks that alone continue another one; gives the row where every row's cell begins, [N]."""
    cell = np.arange(len(tracks.label))
    for row in tracks.by_birth:
        parent = tracks.parent[row]
        if parent >= 0 and tracks.daughters[parent] == 1:
            cell[row] = cell[parent]
    return cell


def cell_overlap(comparison: Comparison) -> CellOverlap:
    """Counts in how many frames each true cell is covered by each found one."""
    truth, result, covers = comparison.truth, comparison.result, comparison.covers
    true_cell, cell = cells_of(truth), cells_of(result)
    at = np.flatnonzero(comparison.covering >= 0)
    pairs = (true_cell[truth.row[at]], cell[comparison.covering[at]])
    size = (len(true_cell), len(cell))
    shared = sparse.coo_array((np.ones(len(at), np.int64), pairs), size).tocsr()
    masks = np.maximum(covers, 1)
    return CellOverlap(
        shared,
        np.bincount(true_cell[truth.row], minlength=size[0]),
        np.bincount(cell[result.row], masks, minlength=size[1]).astype(np.int64),
        len(truth.row) - len(at),
        int((covers == 0).sum()),
    )


def chota(comparison: Comparison, overlap: CellOverlap) -> Measure:
    """Computes CHOTA, the higher order tracking accuracy for cells that divide (Kaiser et al. 2024).

    Every pair of a marker and its mask has the association of the two cells' families: the frames in which
    their ancestors, their descendants and they themselves meet, by those in which either family is there.
    CHOTA is the root of the sum of these by the number of pairs, missed markers and false masks.
    """
    family, found_family = _families(comparison.truth), _families(comparison.result)
    cell, found = overlap.shared.nonzero()
    meetings = ((family @ overlap.shared)[cell] * found_family[found]).sum(axis=1)
    size, found_size = (family @ overlap.true)[cell], (found_family @ overlap.found)[found]
    association = meetings / (size + found_size - meetings)
    pairs = overlap.shared.data
    counts = {"TP": int(pairs.sum()), "FP": overlap.false, "FN": overlap.missed}
    return Measure(float(np.sqrt((pairs * association).sum() / sum(counts.values()))), counts)


def idf1(overlap: CellOverlap) -> Measure:
    """Computes IDF1, the F1 score of markers under the best assignment of cells (Ristani et al. 2016).

    Each true cell is given to one found cell at most, so that as many markers as possible are with their
    own; these are IDTP.
    """
    # Every true cell has a dummy of its own, too; the 1 that all assignments gain changes none of them.
    dummies = sparse.diags_array(np.ones(len(overlap.true)))
    weights = overlap.shared.astype(float)
    weights.data += 1
    rows, columns = min_weight_full_bipartite_matching(
        sparse.hstack([weights, dummies], format="csr"), maximize=True
    )
    real = columns < len(overlap.found)
    shared = int(overlap.shared[rows[real], columns[real]].sum())
    true, found = int(overlap.true.sum()), int(overlap.found.sum())
    counts = {"IDTP": shared, "IDFP": found - shared, "IDFN": true - shared}
    return ratio(2 * shared, true + found, counts, "there is no cell")


def mota(comparison: Comparison, labels: Sequence[Sequence[Sequence[int]]]) -> Measure:
    """Computes MOTA, the accuracy of multiple object tracking (Bernardin and Stiefelhagen 2008).

    It is 1 minus missed markers, false masks, changes of identity (`IDSW`) and further markers of masks that
    cover several (`multiple`), by the number of markers; it may be below 0. The last is py-ctcmetrics' own.

    Args:
        comparison: The tracks.
        labels: For each frame the labels of its markers and of its masks, and those of matched markers and
            their masks, as py-ctcmetrics takes them.

    Returns:
        MOTA.
    """
    from ctc_metrics.metrics import mota as count

    if not len(comparison.result.label):
        missed = len(comparison.truth.row)
        return Measure(0.0, dict.fromkeys(_MOTA_COUNTS.values(), 0) | {"FN": missed})
    cells, found = (
        dict(zip(tracks.label.tolist(), (cells_of(tracks) + 1).tolist(), strict=True))
        for tracks in (comparison.truth, comparison.result)
    )
    result = count(
        *(
            [[names[label] for label in frame] for frame in frames]
            for names, frames in zip((cells, found, cells, found), labels, strict=True)
        )
    )
    return Measure(float(result["MOTA"]), {name: int(result[key]) for key, name in _MOTA_COUNTS.items()})


def _families(tracks: TrackColumns) -> sparse.csr_array:
    """Marks the ancestors and descendants of every cell, and itself, in a matrix [N, N] of 0 and 1."""
    cell = cells_of(tracks)
    lines: dict[int, list[int]] = {}
    for row in tracks.by_birth:
        if cell[row] == row:
            parent = tracks.parent[row]
            lines[row] = [*(lines[int(cell[parent])] if parent >= 0 else []), row]
    descendants = np.repeat(list(lines), [len(line) for line in lines.values()])
    ancestors = np.array([row for line in lines.values() for row in line], np.int64)
    size = (len(cell), len(cell))
    related = sparse.coo_array((np.ones(len(ancestors), np.int64), (descendants, ancestors)), size).tocsr()
    return (related + related.T).minimum(1)

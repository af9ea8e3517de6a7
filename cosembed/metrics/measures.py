"""Names all measures of a result folder, and computes those of its tracks. Knows no files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cosembed.datasets.ctc.track_table import Track
from cosembed.metrics.biology import (
    cell_cycle_accuracy,
    complete_tracks,
    division_measures,
    find_divisions,
    fragmentation,
    track_fractions,
)
from cosembed.metrics.comparison import Comparison
from cosembed.metrics.identity import cell_overlap, chota, idf1, mota
from cosembed.metrics.links import complete_lineages
from cosembed.metrics.measure import Measure

# BC(i) is computed up to the largest i of the challenge (Ulman et al. 2017), the others up to two frames.
BC_TOLERANCES, DIVISION_TOLERANCES = range(4), range(3)
_OF_DIVISIONS = ("division_precision", "division_recall", "division_f1")
MEASURES = (
    *("SEG", "DET", "TRA", "OP", "LNK", "CT", "TF"),
    *(f"BC({tolerance})" for tolerance in BC_TOLERANCES),
    *("CCA", "CHOTA", "IDF1", "MOTA"),
    *(f"{name}({tolerance})" for tolerance in DIVISION_TOLERANCES for name in _OF_DIVISIONS),
    *("complete_lineages", "fragmentation"),
)


def measure_tracks(
    comparison: Comparison,
    true_tracks: Iterable[Track],
    tracks: Iterable[Track],
    labels: Sequence[Sequence[Sequence[int]]],
) -> dict[str, Measure]:
    """Computes the measures that look at whole tracks, cells and lineages.

    Args:
        comparison: The tracks; the truth has a marker at least.
        true_tracks: The tables that were compared.
        tracks: The table of the result.
        labels: As `identity.mota` takes them.

    Returns:
        Name -> measure: all of `MEASURES` but SEG, DET, TRA, OP and LNK.
    """
    overlap = cell_overlap(comparison)
    divisions: dict[str, Measure] = {}
    for tolerance in BC_TOLERANCES:
        divisions |= division_measures(comparison, tolerance, len(find_divisions(comparison, tolerance)))
    found = {
        "CT": complete_tracks(comparison)[0],
        "TF": track_fractions(comparison),
        "CCA": cell_cycle_accuracy(comparison, true_tracks, tracks),
        "CHOTA": chota(comparison, overlap),
        "IDF1": idf1(overlap),
        "MOTA": mota(comparison, labels),
        "complete_lineages": complete_lineages(comparison)[0],
        "fragmentation": fragmentation(comparison),
    }
    return {name: measure for name, measure in (found | divisions).items() if name in MEASURES}

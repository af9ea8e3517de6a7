"""Figures are drawn for any numbers, and families stay together in a lineage."""

import imagecodecs
import numpy as np

from cosembed.datasets.ctc.track_table import Track
from cosembed.reporting import figures


def test_figures_are_pngs():
    tracks = [Track(1, 0, 4, 0), Track(2, 5, 9, 1), Track(3, 5, 9, 1), Track(4, 7, 9, 2), Track(5, 0, 9, 0)]
    steps = np.arange(1, 201)
    for png in (
        figures.lineage(tracks, 10, "a division"),
        figures.lineage([], 10, "nothing"),
        figures.training_curves(steps, 1 / steps, np.full(200, 1e-3)),
        figures.training_curves(steps[:1], np.ones(1), np.ones(1)),
        figures.frame_scores([0, 1], [0.5, float("nan")], None),
    ):
        assert imagecodecs.png_decode(png).ndim == 3


def test_families_stay_together_in_the_lineage():
    rows = figures._lineage_rows(
        [Track(1, 0, 4, 0), Track(2, 5, 9, 1), Track(3, 5, 9, 1), Track(4, 0, 9, 0), Track(5, 0, 9, 77)]
    )
    assert sorted(rows.values()) == [0, 1, 2, 3, 4]
    assert (rows[2], rows[1], rows[3]) == (0, 1, 2)

"""The benchmark of mean shift finds what was drawn."""

from benchmarks.mean_shift import CELLS, NOISE_AND_BLUR, measure


def test_one_row_for_every_number_of_cells_and_noise():
    rows = list(measure(96))
    assert [(row.cells, row.noise) for row in rows] == [
        (cells, noise) for cells in CELLS for noise, _ in NOISE_AND_BLUR
    ]
    assert rows[0].instances == 12
    assert all(0 < row.points < 2 * 96**2 and row.seconds > 0 for row in rows)

"""The benchmark of the data measures either augmenter."""

import json

from benchmarks.data import measure


def test_the_benchmark_of_the_data_gives_a_row_for_either_augmenter():
    rows = measure(quick=True)
    assert [(row["profile"], row["augmenter"], row["clip"]) for row in rows] == [
        ("smoke", "simpleitk", "3 x 32 x 32"), ("smoke", "graph", "3 x 32 x 32"),
    ]  # fmt: skip
    assert all(0 < row["clips_per_second"] < 1e5 and 0 < row["clips_per_core_second"] < 1e5 for row in rows)
    assert json.loads(json.dumps(rows)) == rows

"""The benchmark of workers measures clips made by none, one and two, and says what follows."""

import json

from benchmarks.workers import conclusion, measure


def test_the_benchmark_of_workers_has_a_row_for_each_number_of_them():
    rows = measure(quick=True)
    assert [(row["clips"], row["workers"]) for row in rows] == [
        ("made", 0), ("made", 1), ("made", 2), ("ready", 2),
    ]  # fmt: skip
    assert all(0 < row["clips_per_second"] < 1e5 and 0 < row["megabytes"] < 1 for row in rows)
    assert [row["parent_ms"] is None for row in rows] == [True, False, False, False]
    assert json.loads(json.dumps(rows)) == rows


def test_what_follows_from_the_rows_is_computed_from_them():
    row = {"clips": "made", "workers": 0, "clips_per_second": 10.0, "maker_ms": 100.0, "parent_ms": None}
    one = row | {"workers": 1, "clips_per_second": 9.0, "parent_ms": 2.0}
    two = one | {"workers": 2, "clips_per_second": 18.0, "maker_ms": 125.0}
    found = conclusion([row, one, two, two | {"clips": "ready", "clips_per_second": 400.0}])
    assert "Two workers made 2.00 times the clips of one by the clock, 1.60 by the processor's time" in found
    assert "14 workers on cores of their own make 140 clips a second; 60 are the goal" in found
    assert "hand on 500 by its processor's time" in found and "do 400 that were ready" in found

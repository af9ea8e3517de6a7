"""The benchmark of the clustering, on its small case and in this process."""

import pytest

from benchmarks import clustering


def test_rows_compare_both_modes_with_the_released_call(monkeypatch):
    monkeypatch.setattr(clustering, "_measure_apart", clustering._measure_here)
    fast, exact = clustering.measure(quick=True)
    assert (fast["mode"], exact["mode"]) == ("fast", "exact")
    assert fast["chosen_by_auto"] and not exact["chosen_by_auto"]
    # The released call's approximate tree is as good as the exact one here, so that the comparison itself can
    # be seen to work. A point that is as near to one cluster as to another may go to either.
    assert 0.999 < exact["index"] <= 1
    assert exact["noise"] == pytest.approx(exact["noise_released"], abs=0.001) and exact["noise"] > 0
    # So few points are clustered one by one in mode fast, too.
    assert fast["index"] == exact["index"]
    for row in (fast, exact):
        assert row["points"] == 3528 and row["seconds"] > 0 and row["ratio"] > 0

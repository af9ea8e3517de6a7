"""Steps are compared by turns."""

import pytest

from benchmarks import turns


def test_checkouts_are_compared_with_the_first_one():
    first, second = turns.compare(
        {"first": (turns.ROOT, "ours"), "second": (turns.ROOT, "ours")}, "smoke", rounds=3
    )
    assert (first["name"], first["time_ratio"], first["memory_ratio"]) == ("first", 1.0, 1.0)
    assert 0 < second["step_seconds"] < second["first_step_seconds"]
    assert second["time_ratio"] == pytest.approx(second["processor_seconds"] / first["processor_seconds"])
    assert second["memory_ratio"] == pytest.approx(1, abs=0.3)

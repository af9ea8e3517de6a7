"""Work and time of training steps are measured as they are described."""

import pytest

from benchmarks import training
from benchmarks.rows import table
from benchmarks.training_step import SIZES


def test_work_of_a_step_is_counted_as_multiplications_and_additions():
    size = SIZES["middle"]._replace(levels=1, length=1)
    pixels, kernel = 128 * 128, 9 * 32 * 32
    assert training.step_gigaflop(size) == pytest.approx(
        2 * 3 * 2 * pixels * (5 * kernel + 9 * 32 * 16) / 1e9
    )
    with_state = training.step_gigaflop(size._replace(length=2)) - 2 * training.step_gigaflop(size)
    assert with_state == pytest.approx(2 * 3 * 2 * pixels * 3 * kernel / 1e9)


def test_a_step_is_measured_in_a_process_of_its_own():
    (row,) = training.measure(quick=True)
    assert (row["size"], row["variant"]) == ("smoke", "ours")
    assert 0 < row["step_seconds"] < row["first_step_seconds"]
    assert 0 < row["peak_gigabytes"] < 2
    assert "ours" in table([row])

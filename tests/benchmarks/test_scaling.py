"""Exponents say how costs grow."""

import pytest

from benchmarks import scaling


def test_exponents_are_slopes_between_logarithms():
    rows = [
        {"cost": "c", "quantity": "q", "value": value, "seconds": 2.0 * value**1.5} for value in (1, 10, 100)
    ]
    (found,) = scaling.exponents(rows)
    assert found["exponent"] == pytest.approx(1.5)
    assert (found["from"], found["to"], found["seconds_to"]) == (1, 100, 2000)
    assert scaling.plot(rows).startswith(b"\x89PNG")

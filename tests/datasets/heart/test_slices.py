"""Heart slices: which ones of a patient are central, and whose they are."""

import numpy as np
import pytest

from cosembed.datasets.heart.slices import HeartSlice, central_indices, patients


@pytest.mark.parametrize(
    ("indices", "count", "expected"),
    [
        ([0, 1, 2, 3, 4], 3, [1, 2, 3]),
        ([0, 1, 2, 3, 4], 2, [1, 2]),
        ([2, 3, 5, 8], 3, [2, 3, 5]),
        ([2, 3, 5, 8], 2, [3, 5]),
        ([4, 6], 3, [4, 6]),
        ([4], 1, [4]),
    ],
)
def test_central_slices(indices: list[int], count: int, expected: list[int]) -> None:
    assert central_indices(indices, count) == expected


def test_patients_are_named_once_and_in_order() -> None:
    nothing = np.zeros((1, 2, 2), np.uint8)
    slices = [HeartSlice(name, 0, nothing, nothing, np.ones(1, bool)) for name in ("b", "a", "b")]
    assert patients(slices) == ["a", "b"]

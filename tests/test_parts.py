"""What the steps of an experiment read back from a run's folder: damaged files are named, and nothing in them is run."""

import numpy as np
import pytest

from cosembed.errors import DataError
from experiments.parts import read_arrays, read_record


@pytest.mark.parametrize(
    "content", ["", '{"SEG": 0.5', "[]", '{"SEG": 0.5}', "\0" * 9, '{"SEG": 0.5, "TRA": 1} x']
)
def test_a_damaged_record_is_named(content, tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text('{"SEG": 0.5, "TRA": 1}')
    assert read_record(path, "SEG", "TRA") == {"SEG": 0.5, "TRA": 1}
    path.write_text(content)
    with pytest.raises(DataError, match=r"metrics\.json: is damaged .*; remove it"):
        read_record(path, "SEG", "TRA")


def test_damaged_arrays_are_named_and_objects_are_not_loaded(tmp_path):
    path = tmp_path / "01_samples.npz"
    arrays = {"0": np.arange(300).reshape(10, 30), "1": np.ones((2, 3), np.float16)}
    np.savez_compressed(path, **arrays)
    found = read_arrays(path)
    assert found.keys() == arrays.keys()
    np.testing.assert_array_equal(found["0"], arrays["0"])
    content = path.read_bytes()
    spoilt = [content[:length] for length in range(0, len(content), len(content) // 20)]
    spoilt += [
        content[:at] + bytes(8) + content[at + 8 :] for at in range(0, len(content) - 30, len(content) // 20)
    ]
    refused = 0
    for damaged in spoilt:
        path.write_bytes(damaged)
        try:
            found = read_arrays(path)
        except DataError as error:
            assert f"{path}: is damaged" in str(error)  # noqa: PT017
            refused += 1
        else:
            np.testing.assert_array_equal(found["0"], arrays["0"])
    assert refused > len(spoilt) // 2
    np.savez(path, trap=np.array([print], object))
    with pytest.raises(DataError, match=r"Object arrays cannot be loaded"):
        read_arrays(path)

"""Results are complete and of this very spec, or absent.

Damaged files are named, and nothing in them is run.
"""

import numpy as np
import pytest

from cosembed.errors import DataError
from cosembed.study.result_store import (
    read_arrays,
    read_record,
    seconds_of_results,
    stored_result,
    write_arrays,
)
from tests.helpers.builders import small_spec


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


def test_a_result_counts_only_with_the_record_of_what_made_it(tmp_path):
    result = stored_result(tmp_path, "patient1.npz", "patient1", small_spec())
    with pytest.raises(DataError, match=r"patient1\.npz: there are no results to score; run --mode=predict"):
        result.require()
    write_arrays(result.path, {"classes": np.arange(3)})
    # Killed before the record was written.
    assert not result.is_complete()
    result.complete({"segmentation": 1.5}, frames=3)
    assert result.is_complete() and result.require() == tmp_path / "results" / "patient1.npz"
    assert read_record(result.record, "seconds")["frames"] == 3
    result.record.write_text("{")
    assert not result.is_complete()
    result.discard()
    assert list((tmp_path / "results").iterdir()) == []


def test_results_of_other_values_or_frames_are_not_taken_for_these(tmp_path):
    first = stored_result(tmp_path, "01_RES", "01", small_spec(), "0 5")
    first.path.mkdir(parents=True)
    first.complete({})
    others = [
        stored_result(tmp_path, "01_RES", "01", small_spec("training.seed=2"), "0 5"),
        stored_result(tmp_path, "01_RES", "01", small_spec("training.iterations=9"), "0 5"),
        stored_result(tmp_path, "01_RES", "01", small_spec(), "0 6"),
    ]
    assert first.is_complete() and not any(other.is_complete() for other in others)


def test_seconds_are_summed_over_results(tmp_path):
    assert seconds_of_results(tmp_path) == {}
    for name, seconds in (("a", {"network": 1.0, "tracking": 2.0}), ("b", {"network": 0.5})):
        stored_result(tmp_path, name, name, small_spec()).complete(seconds)
    assert seconds_of_results(tmp_path) == {"network": 1.5, "tracking": 2.0}

"""Objects and arrays pass through shared memory unchanged, once, and leave nothing behind."""

import os
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed.processes.shared_memory import Slot, create_file, share, write_arrays

ANY_ARRAY = hnp.arrays(
    st.sampled_from([np.uint8, np.uint16, np.float32, np.int64]), hnp.array_shapes(min_dims=1, min_side=0)
)


def sum_of(shared):
    return float(shared.load()["frames"].sum()), shared.load() is shared.load()


@settings(max_examples=50, deadline=None)
@given(arrays=st.lists(ANY_ARRAY, max_size=4))
def test_an_object_is_loaded_as_it_was(arrays):
    value = {"name": "01", "arrays": arrays, "turned": [array.T for array in arrays]}
    shared = share(value)
    found = shared.load()
    assert found["name"] == "01"
    for key in ("arrays", "turned"):
        for first, second in zip(value[key], found[key], strict=True):
            assert first.dtype == second.dtype
            np.testing.assert_array_equal(first, second)
    shared.close()


def test_loaded_arrays_are_views_of_the_shared_memory_and_cannot_be_written():
    shared = share(np.arange(1000))
    with pytest.raises(ValueError, match="read-only"):
        shared.load()[0] = 1
    descriptor = shared.file.open()
    size, place = os.fstat(descriptor).st_size, shared.buffers[0]
    os.pwrite(descriptor, np.array([77]).tobytes(), place.begin)
    os.close(descriptor)
    assert shared.load()[0] == 77 and place.size == 8000 and size < 9000
    shared.close()


def test_another_process_loads_it_once():
    frames = np.random.default_rng(0).normal(size=(50, 40))
    shared = share({"frames": frames})
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor:
        assert executor.submit(sum_of, shared).result() == (pytest.approx(frames.sum()), True)
    shared.close()


@settings(max_examples=50, deadline=None)
@given(batches=st.lists(st.lists(ANY_ARRAY, min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_slot_gives_back_what_was_written_whatever_was_in_it_before(batches):
    slot = Slot()
    for batch in batches:
        arrays = {str(number): array for number, array in enumerate(batch)}
        found = slot.read(write_arrays(slot.file, arrays))
        assert list(found) == list(arrays)
        for name, array in arrays.items():
            assert found[name].dtype == array.dtype
            np.testing.assert_array_equal(found[name], array)
    slot.close()


def test_what_was_read_does_not_change_when_the_slot_is_used_again():
    slot = Slot()
    first = slot.read(write_arrays(slot.file, {"a": np.arange(9)}))["a"]
    slot.read(write_arrays(slot.file, {"a": np.zeros(9, int)}))
    np.testing.assert_array_equal(first, np.arange(9))
    slot.close()


def test_a_closed_file_is_never_taken_for_the_one_that_got_its_number(tmp_path):
    slot = Slot()
    slot.close()
    precious = os.open(tmp_path / "precious", os.O_CREAT | os.O_RDWR)
    assert precious == slot.file.descriptor
    with pytest.raises(FileNotFoundError):
        write_arrays(slot.file, {"a": np.arange(9)})
    assert os.fstat(precious).st_size == 0
    os.close(precious)


@pytest.mark.parametrize("has_memory", [True, False])
def test_nothing_is_left_in_any_folder(has_memory, tmp_path, monkeypatch):
    if not has_memory:
        monkeypatch.setattr(os, "memfd_create", _refuse)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(Path("/dev/shm").iterdir())
    shared = share(np.arange(10))
    file = create_file()
    assert set(Path("/dev/shm").iterdir()) == before and not list(tmp_path.iterdir())
    np.testing.assert_array_equal(shared.load(), np.arange(10))
    shared.close()
    os.close(file.descriptor)


def _refuse(name):
    raise OSError(38, "Function not implemented")

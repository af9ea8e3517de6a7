"""Packed arrays come back as they were, from memory and from the temporary file, which leaves nothing."""

import errno
import os
import subprocess
import sys
import tempfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed.errors import OutputError
from cosembed.files.packed_arrays import PackedArrays

any_arrays = st.lists(
    hnp.arrays(st.sampled_from([np.int32, np.uint16, np.float64]), hnp.array_shapes(min_side=0)), max_size=6
)


@settings(max_examples=100, deadline=None)
@given(any_arrays, st.sampled_from([1, 40, 10**6]))
def test_arrays_come_back_in_any_order_with_type_and_shape(arrays, in_memory):
    packed = PackedArrays(in_memory)
    for array in arrays:
        packed.append(array)
        # Reading in between must not misplace what follows.
        np.testing.assert_array_equal(packed[0], arrays[0])
    assert len(packed) == len(arrays)
    for index in reversed(range(len(arrays))):
        assert packed[index].dtype == arrays[index].dtype and packed[index].shape == arrays[index].shape
        np.testing.assert_array_equal(packed[index], arrays[index])
    for array, back in zip(arrays, packed, strict=True):
        np.testing.assert_array_equal(array, back)


def test_label_maps_take_a_tenth_at_most():
    labels = np.zeros((256, 256), np.int32)
    labels[20:90, 30:120], labels[100:220, 40:200] = 3, 70000
    packed = PackedArrays()
    packed.append(labels)
    assert packed.packed_bytes < labels.nbytes / 10


def test_a_view_that_is_not_contiguous_is_packed_as_it_looks():
    packed, array = PackedArrays(), np.arange(24).reshape(4, 6)
    packed.append(array[::2, 1:].T)
    np.testing.assert_array_equal(packed[0], array[::2, 1:].T)


KILLED = """
import os, signal, sys
import numpy as np
from cosembed.files.packed_arrays import PackedArrays
packed = PackedArrays(1000)
packed.append(np.random.default_rng(0).integers(0, 2**30, 10**5))
assert int(np.max(packed[0])) > 0
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_temporary_file_is_gone_after_kill_9(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    code = subprocess.run([sys.executable, "-c", KILLED], env=environment, check=False).returncode
    assert code == -9
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_in_a_sentence(monkeypatch):
    packed = PackedArrays(10)

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(packed._file, "write", full)
    with pytest.raises(OutputError, match=rf"{tempfile.gettempdir()}: .*No space left.*TMPDIR"):
        packed.append(np.zeros(3))

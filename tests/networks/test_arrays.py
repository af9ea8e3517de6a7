"""Arrays of a network's folder: nothing is unpickled, and nothing is unpacked that is not expected."""

import io
import zipfile

import numpy as np
import pytest

from cosembed.errors import CheckpointError
from cosembed.networks.arrays import file_sha256, read_arrays, write_arrays

SHAPES = {"a/kernel": (2, 3), "a/bias": (3,)}
ARRAYS = {"a/kernel": np.arange(6, dtype=np.float16).reshape(2, 3), "a/bias": np.ones(3, np.float16)}


def lying_header(shape: tuple[int, ...]) -> bytes:
    """An npy file that states a shape and holds no values."""
    content = io.BytesIO()
    header = {"descr": "<f2", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(content, header)
    return content.getvalue()


def write_members(path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"a/{name}.npy", content)


def npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array)
    return content.getvalue()


def test_what_is_written_is_read_and_the_bytes_are_always_the_same(tmp_path):
    write_arrays(tmp_path / "one.npz", ARRAYS)
    write_arrays(tmp_path / "two.npz", ARRAYS)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    found = read_arrays(tmp_path / "one.npz", SHAPES)
    assert {name: array.dtype for name, array in found.items()} == dict.fromkeys(SHAPES, np.float32)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)


class Bomb:
    """Unpickled, it would do something."""

    def __reduce__(self):
        return (pytest.fail, ("was unpickled",))


def spoil(kind: str, path) -> None:
    """Writes a file that is not what is expected."""
    if kind == "truncated":
        write_arrays(path, ARRAYS)
        path.write_bytes(path.read_bytes()[:-40])
    elif kind == "flipped":
        write_members(path, kernel=npy(ARRAYS["a/kernel"]), bias=npy(ARRAYS["a/bias"]))
        content = bytearray(path.read_bytes())
        content[60] ^= 255
        path.write_bytes(content)
    elif kind == "no zip":
        path.write_bytes(b"weights")
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pickled":
        write_members(path, kernel=npy(np.array([[Bomb()] * 3] * 2)), bias=npy(ARRAYS["a/bias"]))
    elif kind == "whole numbers":
        write_arrays(path, ARRAYS | {"a/bias": np.ones(3, np.int32)})
    elif kind == "not finite":
        write_arrays(path, ARRAYS | {"a/bias": np.array([1, np.nan, 1])})
    elif kind == "one missing":
        write_arrays(path, {"a/kernel": ARRAYS["a/kernel"]})
    elif kind == "one more":
        write_arrays(path, ARRAYS | {"b": np.ones(1)})
    elif kind == "another shape":
        write_arrays(path, ARRAYS | {"a/bias": np.ones(2, np.float16)})
    elif kind == "unfolds":
        write_members(path, kernel=npy(ARRAYS["a/kernel"]), bias=npy(np.zeros(10**6)))
    elif kind == "states more":
        write_members(path, kernel=npy(ARRAYS["a/kernel"]), bias=lying_header((2**50,)))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("missing", "No such file"),
        ("truncated", "not a zip file"),
        ("flipped", "is damaged"),
        ("no zip", "not a zip file"),
        ("empty", "not a zip file"),
        ("folder", "it is a folder"),
        ("pickled", "allow_pickle=False"),
        ("whole numbers", "'a/bias' holds int32"),
        ("not finite", "'a/bias' holds values that are not finite"),
        ("one missing", "'a/bias' is missing"),
        ("one more", "'b' is unknown"),
        ("another shape", r"'a/bias' has the shape \(2,\)"),
        ("unfolds", "it holds more than"),
        ("states more", "is damaged"),
    ],
)
def test_what_is_not_expected_is_refused_in_one_sentence(tmp_path, kind, words):
    path = tmp_path / "weights.npz"
    spoil(kind, path)
    with pytest.raises(CheckpointError, match=words) as refused:
        read_arrays(path, SHAPES)
    assert str(refused.value).startswith(f"{path}: ") and "\n" not in str(refused.value)


def test_the_hash_is_that_of_sha256sum(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    assert file_sha256(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(CheckpointError, match="No such file"):
        file_sha256(tmp_path / "nothing")

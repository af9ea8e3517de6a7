"""PNG files: round trips through an independent encoder, and everything that can be wrong with one."""

import struct
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from cosembed.errors import DataError
from cosembed.images.reading import read_headers, read_image


@pytest.mark.parametrize("shape", [(6, 7), (6, 7, 3), (6, 7, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_png_round_trip(tmp_path: Path, shape: tuple[int, ...], dtype: type) -> None:
    image = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    (tmp_path / "a.png").write_bytes(imagecodecs.png_encode(image))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), image)
    name = np.dtype(dtype).name
    assert read_headers(tmp_path / "a.png") == [(6, 7, name, shape[2] if len(shape) == 3 else 1)]


def test_truncated_png(tmp_path: Path) -> None:
    content = imagecodecs.png_encode(np.arange(720, dtype=np.uint16).reshape(24, 30))
    for length in (0, 20, len(content) // 2):
        (tmp_path / "a.png").write_bytes(content[:length])
        with pytest.raises(DataError, match=r"a\.png: cannot be read"):
            read_image(tmp_path / "a.png")


def test_huge_sizes_are_refused_from_the_header(tmp_path: Path) -> None:
    size = struct.pack(">IIBBBBB", 2**16, 2**16, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + size
    header = struct.pack(">I", len(size)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header)
    with pytest.raises(DataError, match=r"a\.png: states a size of 65536 x 65536"):
        read_image(tmp_path / "a.png")

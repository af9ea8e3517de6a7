"""Hostile PNG files: damaged bytes with and without correct checksums, bombs, and other kinds of pixels."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cosembed.datasets.leaves import find_plants
from cosembed.images.reading import read_headers, read_image
from tests.robustness.fuzz.case import Case, Rng, odd_file, pick
from tests.robustness.fuzz.mutate import INTEGERS, damage, truncate

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# All that the pixels depend on; IEND is empty.
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT")


def png_case(rng: Rng, box: Path) -> Case:
    """One PNG file, read as a frame."""
    path = box / "t000.png"
    refuse = _write(rng, path)

    def check(image: NDArray) -> None:
        header = read_headers(path)[0]
        assert image.shape[:2] == header[:2] and image.dtype.kind == "u"
        _check_against_pillow(path, image)

    return Case(lambda: read_image(path), check, refuse)


def leaf_case(rng: Rng, box: Path) -> Case:
    """A plant of which image, labels or foreground are hostile."""
    (box / "A1").mkdir()
    image, labels, foreground = (box / "A1" / f"plant001_{part}.png" for part in ("rgb", "label", "fg"))
    image.write_bytes(imagecodecs.png_encode(rng.integers(0, 255, (9, 12, 3)).astype(np.uint8)))
    for path in (labels, foreground):
        path.write_bytes(imagecodecs.png_encode(rng.integers(0, 5, (9, 12)).astype(np.uint8)))
    hostile = pick(rng, [image, labels, foreground])
    refuse = _write(rng, hostile, (9, 12))
    if hostile == foreground and not foreground.is_file():
        # It is not needed.
        refuse = ""

    def read() -> tuple[NDArray, NDArray]:
        (plant,) = find_plants(box)
        plant.foreground()
        return plant.image(), plant.labels()

    def check(read: tuple[NDArray, NDArray]) -> None:
        assert (
            read[0].shape == (*read[1].shape, 3) and read[0].dtype == np.uint8 and read[1].dtype == np.uint16
        )

    return Case(read, check, refuse)


def _write(rng: Rng, path: Path, shape: tuple[int, int] | None = None) -> str:
    """Writes a hostile file and says why it must be refused, if it must."""
    way = rng.random()
    if way < 0.05:
        return odd_file(rng, path)
    if way < 0.08:
        path.write_bytes(_bomb())
        return "it unpacks to more than half a gigabyte"
    content = _valid(rng, shape or (int(rng.integers(1, 24)), int(rng.integers(1, 24))))
    if way < 0.2:
        cut = truncate(rng, content)
        path.write_bytes(cut)
        # Without its last chunk all pixels are there.
        return "it is truncated" if len(cut) < len(content) - 16 else ""
    if way < 0.6:
        path.write_bytes(_edit_chunks(rng, content))
        return ""
    path.write_bytes(damage(rng, content))
    return "a checksum is wrong" if _has_wrong_checksum(path.read_bytes()) else ""


def _valid(rng: Rng, shape: tuple[int, int]) -> bytes:
    colours = pick(rng, [(), (), (2,), (3,), (4,)])
    dtype = pick(rng, [np.uint8, np.uint8, np.uint16])
    if rng.random() < 0.7:
        return imagecodecs.png_encode(rng.integers(0, np.iinfo(dtype).max, (*shape, *colours)).astype(dtype))
    stream = io.BytesIO()
    mode = pick(rng, ["1", "P", "L", "LA", "RGBA", "I;16"])
    image = Image.fromarray(rng.integers(0, 5, shape).astype(np.uint16 if mode == "I;16" else np.uint8))
    (image if mode == "I;16" else image.convert(mode)).save(stream, "PNG")
    return stream.getvalue()


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    """Name, data and checksum of all complete chunks."""
    at = len(_SIGNATURE)
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        if at + 12 + length > len(content):
            return
        yield (
            content[at + 4 : at + 8],
            content[at + 8 : at + 8 + length],
            struct.unpack_from(">I", content, at + 8 + length)[0],
        )
        at += 12 + length


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _has_wrong_checksum(content: bytes) -> bool:
    found = []
    for name, data, checksum in _chunks(content):
        found.append(name in _CRITICAL and zlib.crc32(name + data) != checksum)
        if name == b"IEND":
            break
    return any(found)


def _edit_chunks(rng: Rng, content: bytes) -> bytes:
    """Changed chunks whose checksums are right."""
    chunks = [(name, data) for name, data, _ in _chunks(content)]
    at = int(rng.integers(len(chunks)))
    name, data = chunks[at]
    match pick(rng, ["size", "size", "kind", "pixels", "raw", "drop", "repeat", "text", "animation"]):
        case "size":
            header = bytearray(chunks[0][1])
            struct.pack_into(">I", header, pick(rng, [0, 4]), pick(rng, INTEGERS) % 2**32)
            chunks[0] = (b"IHDR", bytes(header))
        case "kind":
            header = bytearray(chunks[0][1])
            header[int(rng.integers(8, 13))] = int(rng.integers(0, 20))
            chunks[0] = (b"IHDR", bytes(header))
        case "pixels":
            raw = zlib.decompress(b"".join(data for name, data in chunks if name == b"IDAT"))
            chunks = [chunk for chunk in chunks if chunk[0] != b"IDAT"]
            chunks.insert(-1, (b"IDAT", zlib.compress(damage(rng, raw))))
        case "raw":
            chunks[at] = (name, damage(rng, data))
        case "drop":
            del chunks[at]
        case "repeat":
            chunks.insert(at, chunks[at])
        case "text":
            chunks.insert(1, (b"zTXt", b"Comment\0\0" + _long_text()))
        case "animation":
            chunks.insert(1, (b"acTL", struct.pack(">II", pick(rng, INTEGERS) % 2**32, 0)))
    return _SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks)


@functools.cache
def _long_text() -> bytes:
    return zlib.compress(bytes(2**28), 9)


@functools.cache
def _bomb() -> bytes:
    width, height = 2**15, 2**14 + 1
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(bytes((width + 1) * height), 9)
    return _SIGNATURE + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


def _check_against_pillow(path: Path, image: NDArray) -> None:
    """Another decoder must see the same pixels, where both take the file and need not convert."""
    try:
        with Image.open(path, formats=["PNG"]) as other:
            mode, pixels = other.mode, np.array(other)
    except Exception:
        return
    if (
        mode in ("L", "LA", "RGB", "RGBA", "I;16")
        and pixels.shape == image.shape
        and pixels.dtype == image.dtype
    ):
        depth = path.read_bytes()[24]
        if depth in (8, 16) and (depth == 8 or mode == "I;16"):
            np.testing.assert_array_equal(image, pixels)

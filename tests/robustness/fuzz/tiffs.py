"""Hostile TIFF frames: damaged bytes, edited tags, bombs, loops of pages, and pixels of other kinds."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from cosembed.images.frames import open_frames
from cosembed.images.reading import read_headers, read_image
from tests.robustness.fuzz.case import Case, Rng, odd_file, pick
from tests.robustness.fuzz.mutate import INTEGERS, damage, truncate

_COMPRESSIONS = [None, None, "zlib", "lzw", "packbits", "zstd"]
_LOSSY = ["jpeg", "jpeg2000", "webp"]
# Tags of sizes, layout, offsets and pixel types.
_TAGS = (
    256,
    257,
    258,
    259,
    262,
    266,
    273,
    277,
    278,
    279,
    284,
    317,
    322,
    323,
    324,
    325,
    338,
    339,
    32997,
    34677,
)


def tiff_case(rng: Rng, box: Path) -> Case:
    """One TIFF file, read page by page or as a video."""
    path = box / "t000.tif"
    pages = [
        _pixels(rng, (int(rng.integers(1, 24)), int(rng.integers(1, 24))))
        for _ in range(int(rng.integers(1, 4)))
    ]
    way = rng.random()
    if way < 0.05:
        return Case(lambda: _read(path), refuse=odd_file(rng, path))
    if way < 0.08:
        path.write_bytes(_bomb(pick(rng, ["zlib", "lzw", "zstd"]), 2**15, 2**14 + 1))
        return Case(lambda: _read(path), refuse="it unpacks to more than half a gigabyte")
    if way < 0.1:
        path.write_bytes(_loop(int(rng.integers(1, 400)), rng))
        return Case(lambda: _read(path), refuse="its pages run in a circle")
    if way < 0.14:
        path.write_bytes(_described(rng))
        return Case(lambda: [*_read(path), *open_frames(path)], _plausible)
    if way < 0.22:
        path.write_bytes(_other_kind(rng))
        return Case(lambda: _read(path), _plausible)
    content = _encode(rng, pages)
    if way < 0.36:
        path.write_bytes(truncate(rng, content))
        return Case(lambda: _read(path), functools.partial(_same, pages))
    content = _edit_tags(rng, content) if way < 0.7 else damage(rng, content)
    path.write_bytes(content)
    if way > 0.95:
        return Case(lambda: list(open_frames(path)), _plausible)
    return Case(lambda: _read(path), _plausible)


def _read(path: Path) -> list[NDArray]:
    headers = read_headers(path)
    images = []
    for page, header in enumerate(headers[:5]):
        image = read_image(path, page)
        assert image.shape[:2] == header[:2] and image.dtype == header.dtype, (
            f"{image.shape} {image.dtype} is not {header}"
        )
        assert header.channels == (image.shape[2] if image.ndim == 3 else 1), f"{image.shape} is not {header}"
        images.append(image)
    return images


def _plausible(images: list[NDArray]) -> None:
    for image in images:
        assert image.ndim in (2, 3) and image.size and image.dtype.kind in "uif"


def _same(pages: list[NDArray], images: list[NDArray]) -> None:
    """A file cut off may be read only if what is missing is of no account."""
    assert len(images) == len(pages), f"{len(images)} of {len(pages)} pages"
    for image, page in zip(images, pages, strict=True):
        np.testing.assert_array_equal(image, page)


def _pixels(rng: Rng, shape: tuple[int, ...]) -> NDArray:
    dtype = pick(rng, [np.uint8, np.uint16, np.uint16, np.int16, np.float32])
    return rng.integers(0, 120, shape).astype(dtype)


def _encode(rng: Rng, pages: list[NDArray]) -> bytes:
    stream = io.BytesIO()
    compression = pick(rng, _COMPRESSIONS)
    layout: dict[str, Any] = (
        {"tile": (16, 16)} if rng.random() < 0.2 else {"rowsperstrip": int(rng.integers(1, 9))}
    )
    predictor = bool(compression in ("zlib", "lzw") and rng.random() < 0.3)
    with tifffile.TiffWriter(stream, bigtiff=rng.random() < 0.2, byteorder=pick(rng, ["<", ">"])) as file:
        for page in pages:
            file.write(page, compression=compression, predictor=predictor, metadata=None, **layout)
    return stream.getvalue()


def _edit_tags(rng: Rng, content: bytes) -> bytes:
    """Other values, types and counts in one to three tags of the first page."""
    changed = bytearray(content)
    order = "<" if content[:2] == b"II" else ">"
    if content[2:4] in (b"+\0", b"\0+"):
        start, size, count_form = struct.unpack_from(order + "Q", content, 8)[0], 20, "Q"
    else:
        start, size, count_form = struct.unpack_from(order + "I", content, 4)[0], 12, "H"
    count = struct.unpack_from(order + count_form, content, start)[0]
    first = start + struct.calcsize(count_form)
    entries = [first + index * size for index in range(count)]
    known = [entry for entry in entries if struct.unpack_from(order + "H", content, entry)[0] in _TAGS]
    for _ in range(int(rng.integers(1, 4))):
        entry = pick(rng, known)
        value_at, form = entry + (12 if size == 20 else 8), "Q" if size == 20 else "I"
        match pick(rng, ["value", "value", "value", "type", "count", "code", "next"]):
            case "value":
                small = struct.unpack_from(order + "H", content, entry + 2)[0] == 3
                wide = "H" if small else form
                value = pick(rng, (*INTEGERS, 8, 16, 32, 64, len(content), len(content) - 1))
                struct.pack_into(order + wide, changed, value_at, value % 2 ** (8 * struct.calcsize(wide)))
            case "type":
                struct.pack_into(order + "H", changed, entry + 2, int(rng.integers(0, 20)))
            case "count":
                struct.pack_into(
                    order + form, changed, entry + 4, pick(rng, INTEGERS) % 2 ** (8 * struct.calcsize(form))
                )
            case "code":
                struct.pack_into(order + "H", changed, entry, pick(rng, _TAGS))
            case "next":
                struct.pack_into(
                    order + form, changed, first + count * size, int(rng.integers(len(content) + 9))
                )
    return bytes(changed)


@functools.cache
def _bomb(compression: str, width: int, height: int) -> bytes:
    """A valid file of some kilobytes with one strip of zeros."""
    import imagecodecs

    size = width * height
    pixels = {
        "zlib": lambda: zlib.compress(bytes(size), 9),
        "lzw": lambda: imagecodecs.lzw_encode(bytes(size)),
        "zstd": lambda: imagecodecs.zstd_encode(bytes(size)),
    }[compression]()
    code = {"zlib": 8, "lzw": 5, "zstd": 50000}[compression]
    return _simple(width, height, code, pixels)


def _simple(width: int, height: int, compression: int, pixels: bytes, bits: int = 8) -> bytes:
    """One page in one strip; TIFF 6.0, little endian."""
    values = [
        (256, width),
        (257, height),
        (258, bits),
        (259, compression),
        (262, 1),
        (273, 8),
        (277, 1),
        (278, height),
    ]
    values.append((279, len(pixels)))
    tags = b"".join(struct.pack("<HHII", code, 4, 1, value) for code, value in values)
    return (
        b"II*\0"
        + struct.pack("<I", 8 + len(pixels))
        + pixels
        + struct.pack("<H", len(values))
        + tags
        + bytes(4)
    )


def _loop(length: int, rng: Rng) -> bytes:
    """Small pages of which the last is followed by one of the others."""
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as file:
        for _ in range(length):
            file.write(np.zeros((2, 3), np.uint8) + 1, metadata=None)
    content = bytearray(stream.getvalue())
    (offset,), offsets = struct.unpack_from("<I", content, 4), []
    while offset:
        offsets.append(offset)
        (count,) = struct.unpack_from("<H", content, offset)
        at = offset + 2 + 12 * count
        (offset,) = struct.unpack_from("<I", content, at)
    struct.pack_into("<I", content, at, pick(rng, offsets))
    return bytes(content)


def _described(rng: Rng) -> bytes:
    """A stack whose metadata (ImageJ, OME, tifffile) say something else."""
    sizes = {
        name: pick(rng, ("1", "2", "3", "6", "0", "-1", "x", "1e9", "99999999999", "2147483648"))
        for name in "TCZ"
    }
    description = pick(rng, [
        "ImageJ=1.54\nimages={T}\nframes={T}\nslices={Z}\nchannels={C}\nhyperstack=true\n",
        "ImageJ=1.54\nimages={T}\n",
        '{{"shape": [{T}, {C}, {Z}, 5, 4], "axes": "TCZYX"}}',
        '{{"shape": [{T}, 5, 4]}}',
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "{T}">]><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image>'
        '<Pixels DimensionOrder="XYCZT" SizeX="4" SizeY="5" SizeC="{C}" SizeZ="{Z}" SizeT="{T}" Type="uint8">'
        '<TiffData IFD="{C}" PlaneCount="{T}"><UUID FileName="../../{T}.tif">urn:uuid:1</UUID></TiffData></Pixels></Image></OME>',
    ]).format(**sizes)  # fmt: skip
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as file:
        for page in range(6):
            text = description if page == 0 else None
            file.write(
                np.arange(20, dtype=np.uint8).reshape(5, 4), description=text, metadata=None, contiguous=False
            )
    return stream.getvalue()


def _other_kind(rng: Rng) -> bytes:
    """A valid file of another kind of pixels, axes or compression."""
    stream = io.BytesIO()
    shape = (int(rng.integers(1, 20)), int(rng.integers(1, 20)))
    match pick(
        rng,
        ["dtype", "colour", "volume", "bits", "lossy", "palette", "stack", "truncated stack", "no pixels"],
    ):
        case "dtype":
            kind = pick(
                rng, [np.complex64, np.complex128, np.float16, np.float64, np.int64, np.uint32, np.int8, bool]
            )
            tifffile.imwrite(stream, np.ones(shape, kind))
        case "colour":
            planar = pick(rng, ["contig", "separate"])
            colours = (*shape, 3) if planar == "contig" else (3, *shape)
            tifffile.imwrite(
                stream, _pixels(rng, colours).astype(np.uint8), photometric="rgb", planarconfig=planar
            )
        case "volume":
            tifffile.imwrite(
                stream,
                np.ones((16, 16, 16), np.uint8),
                photometric="minisblack",
                volumetric=True,
                tile=(16, 16, 16),
            )
        case "bits":
            bits = int(rng.integers(1, 8))
            return _simple(16, 16, 1, bytes(16 * 2 * bits), bits)
        case "lossy":
            colours = np.zeros((16, 16, 3), np.uint8)
            tifffile.imwrite(
                stream, colours, photometric="rgb", planarconfig="contig", compression=pick(rng, _LOSSY)
            )
        case "palette":
            colour_map = rng.integers(0, 65535, (3, 256)).astype(np.uint16)
            tifffile.imwrite(stream, np.ones(shape, np.uint8), photometric="palette", colormap=colour_map)
        case "stack":
            tifffile.imwrite(stream, np.ones((2, 3, *shape), np.uint16), imagej=True)
        case "truncated stack":
            tifffile.imwrite(stream, np.ones((3, *shape), np.uint8), photometric="minisblack", truncate=True)
        case "no pixels":
            return damage(rng, b"II*\0" + bytes(int(rng.integers(0, 40))))
    return damage(rng, stream.getvalue()) if rng.random() < 0.3 else stream.getvalue()

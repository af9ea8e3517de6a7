"""Hostile volumes: ACDC patients (NIfTI and Info.cfg), STACOM frames (DICOM)."""

from __future__ import annotations

import functools
import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.heart.acdc import read_acdc
from cosembed.datasets.heart.slices import HeartSlice
from cosembed.datasets.heart.stacom import read_stacom
from tests.helpers.cardiac_studies import write_acdc, write_stacom
from tests.robustness.fuzz.case import Case, Rng, odd_file, pick
from tests.robustness.fuzz.mutate import damage, damaged_text, truncate

_TYPES = {
    2: "u1",
    4: "i2",
    8: "i4",
    16: "f4",
    64: "f8",
    256: "i1",
    512: "u2",
    768: "u4",
    1024: "i8",
    1280: "u8",
}
# Offset and struct of fields of the NIfTI-1 header.
_FIELDS = [
    (0, "i"),
    (70, "h"),
    (72, "h"),
    (108, "f"),
    (112, "f"),
    (116, "f"),
    (123, "b"),
    (252, "h"),
    (254, "h"),
    (344, "i"),
]
_FIELDS += [(40 + 2 * axis, "h") for axis in range(8)] * 2 + [(76 + 4 * axis, "f") for axis in range(8)]
_FIELDS += [(offset, "f") for offset in (280, 296, 312)]


def nifti_case(rng: Rng, box: Path) -> Case:
    """A patient of which one file is hostile."""
    write_acdc(box / "patient001", frames=3, with_heart=(0, 1), slices=2)
    names = ["patient001_4d.nii.gz", "patient001_4d.nii.gz", "patient001_frame01_gt.nii.gz", "Info.cfg"]
    path = box / "patient001" / pick(rng, names)
    refuse = "" if path.name != "Info.cfg" else _damage_info(rng, path)
    if path.name != "Info.cfg":
        refuse = _damage_volume(rng, path)
    return Case(
        lambda: read_acdc(box),
        functools.partial(_check_video, box / "patient001" / "patient001_4d.nii.gz"),
        refuse,
    )


def dicom_case(rng: Rng, box: Path) -> Case:
    """A study of which one frame is hostile."""
    write_stacom(box, slices=(1,), phases=1)
    (path,) = box.rglob("*.dcm")
    content = path.read_bytes()
    way = rng.random()
    if way < 0.06:
        return Case(lambda: read_stacom(box), refuse=odd_file(rng, path))
    path.write_bytes(truncate(rng, content) if way < 0.2 else damage(rng, content))
    if way < 0.2 and len(path.read_bytes()) < len(content):
        return Case(lambda: read_stacom(box), refuse="it is truncated")
    return Case(lambda: read_stacom(box), _check_slices)


def _damage_info(rng: Rng, path: Path) -> str:
    if rng.random() < 0.1:
        return odd_file(rng, path)
    path.write_bytes(damaged_text(rng, path.read_text()))
    return ""


def _damage_volume(rng: Rng, path: Path) -> str:
    content = path.read_bytes()
    raw = gzip.decompress(content)
    way = rng.random()
    if way < 0.06:
        return odd_file(rng, path)
    if way < 0.08:
        path.write_bytes(_bomb())
        return "it unpacks to more than half a gigabyte"
    if way < 0.2:
        path.write_bytes(truncate(rng, content))
        return "it is truncated"
    if way < 0.35:
        path.write_bytes(damage(rng, content))
        return "" if _unpacks_to(path, raw) else "its checksum is wrong"
    if way < 0.5:
        cut = truncate(rng, raw)
        path.write_bytes(gzip.compress(cut, 1))
        return "it is truncated" if len(cut) < len(raw) else ""
    changed = bytearray(raw)
    if way < 0.85:
        for _ in range(int(rng.integers(1, 4))):
            offset, form = pick(rng, _FIELDS)
            values = {"f": [np.nan, np.inf, -1.0, 0.0, 1e30, 352.0, 500.0, 1.5], "b": [0, 1, 2, 10, -1]}
            value = pick(
                rng,
                values.get(
                    form, [0, 1, 2, 3, 4, 5, 8, 16, 32, 64, 128, 255, 512, 1024, 2048, 32767, -1, -32768]
                ),
            )
            struct.pack_into("<" + form, changed, offset, value)
    else:
        changed = bytearray(damage(rng, raw))
    path.write_bytes(gzip.compress(bytes(changed), 1))
    return ""


def _unpacks_to(path: Path, raw: bytes) -> bool:
    try:
        return gzip.decompress(path.read_bytes()) == raw
    except (OSError, EOFError, zlib.error):
        return False


@functools.cache
def _bomb() -> bytes:
    """Half a gigabyte of zeros and one slice more."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 4, 1024, 1024, 8, 65, 1, 1, 1)
    struct.pack_into("<hh", header, 70, 2, 8)
    struct.pack_into("<8f", header, 76, *[1.0] * 8)
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = b"n+1\0"
    return gzip.compress(bytes(header) + bytes(2**20 * 8 * 65), 1)


def _check_slices(slices: list[HeartSlice]) -> None:
    for cine in slices:
        assert cine.frames.shape == cine.labels.shape and cine.frames.size and np.isfinite(cine.frames).all()
        assert (
            cine.labels.dtype == np.uint8
            and cine.labels.max() <= 2
            and len(cine.labelled) == len(cine.frames)
        )


def _check_video(path: Path, slices: list[HeartSlice]) -> None:
    """Frames must be those that a reader of a few lines finds."""
    _check_slices(slices)
    raw = gzip.decompress(path.read_bytes())
    expected = _voxels(raw)
    for cine in slices:
        wanted = np.nan_to_num(expected[:, cine.index].astype(np.float64), nan=0, posinf=0, neginf=0)
        np.testing.assert_allclose(cine.frames.astype(np.float64), wanted, rtol=1e-5, atol=1e-3)


def _voxels(raw: bytes) -> NDArray:
    """[time, slice, y, x] of a NIfTI-1 file, by its definition."""
    order = "<" if struct.unpack_from("<h", raw, 40)[0] in range(1, 8) else ">"
    count, *sizes = struct.unpack_from(order + "8h", raw, 40)
    shape = ([*sizes[:count], 1, 1, 1, 1])[:4][::-1]
    kind = np.dtype(order + _TYPES[struct.unpack_from(order + "h", raw, 70)[0]])
    offset, slope, intercept = struct.unpack_from(order + "3f", raw, 108)
    voxels = np.frombuffer(raw, kind, math.prod(shape), max(352, int(offset))).reshape(shape)
    scaled = np.isfinite([slope, intercept]).all() and slope != 0 and (slope, intercept) != (1, 0)
    return voxels * np.float64(slope) + intercept if scaled else voxels

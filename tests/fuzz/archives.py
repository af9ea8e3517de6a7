"""Hostile zip archives of data sets: members that point elsewhere, bombs, damage; and archives of arrays."""

from __future__ import annotations

import functools
import io
import stat
import struct
import warnings
import zipfile
from pathlib import Path

from cosembed.data.fetch import fetch
from cosembed.specs import DatasetSpec
from tests.fuzz.case import Case, Rng, odd_file, pick
from tests.fuzz.mutate import INTEGERS, damage, truncate

_SPEC = DatasetSpec(
    name="tiny", paper_name="tiny", archive="tiny.zip", licence="-", videos=("01",), tra_masks="markers", complete_frames={},
    loss_border=0, image_shape=(4, 4),
)  # fmt: skip
_MEMBERS = {"tiny/01/t000.tif": b"pixels" * 40, "tiny/01_GT/TRA/man_track.txt": b"1 0 0 0\n"}


def zip_case(rng: Rng, box: Path) -> Case:
    """An archive beside which a data set is to be unpacked."""
    data = box / "data"
    data.mkdir()
    archive = data / "tiny.zip"

    def read() -> Path:
        return fetch(_SPEC, data, "http://127.0.0.1:9/training-datasets")

    way = rng.random()
    if way < 0.05:
        return Case(read, refuse=odd_file(rng, archive), output=data)
    if way < 0.08:
        archive.write_bytes(_bomb())
        return Case(read, refuse="it unpacks to gigabytes", output=data)
    if way < 0.45:
        members = dict(_MEMBERS)
        members[_elsewhere(rng, box)] = b"escaped"
        archive.write_bytes(_packed(rng, members))
        return Case(read, functools.partial(_check, data), output=data)
    content = _packed(rng, _MEMBERS)
    if way < 0.6:
        archive.write_bytes(truncate(rng, content))
        return Case(read, refuse="it is truncated", output=data)
    archive.write_bytes(_edit(rng, content) if way < 0.8 else damage(rng, content))
    return Case(read, functools.partial(_check, data), output=data)


def _check(data: Path, folder: Path) -> None:
    """Only what belongs there is there, and what is there is whole."""
    assert folder == data / "tiny" and {path.name for path in data.iterdir()} == {
        "tiny",
        "tiny.zip",
        "checksums.json",
    }
    for path in folder.rglob("*"):
        assert not path.is_symlink() and (path.is_file() or path.is_dir())
        content = _MEMBERS.get(str(path.relative_to(data)))
        assert (
            path.is_dir()
            or content is None
            or path.read_bytes() in (content, b"escaped", b"/etc", b"../../..", b"")
        ), f"{path} is another"


def _elsewhere(rng: Rng, box: Path) -> str:
    return pick(rng, [
        "../../escaped", "tiny/../../../escaped", f"{box.parent}/escaped", "..\\..\\escaped", "tiny/01/..", "tiny/./../x", "/",
        "C:\\escaped", "//escaped", "tiny//etc/escaped", "tiny/" + "a" * 300, "tiny/" + "a/" * 3000 + "b", "tiny/01/t000.tif/x", "tiny/01",
        "tiny/\x00/../x", "", ".", "..", "tiny", "tiny/é\u202e", "tiny/01/t000.tif", "other/01/x", "tiny/con", "tiny/ ", "~/x", "$HOME/x",
    ])  # fmt: skip


def _packed(rng: Rng, members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    method = pick(rng, [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as file:
        warnings.simplefilter("ignore")
        for name, content in members.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = method
            if rng.random() < 0.15:
                entry.external_attr = (
                    pick(rng, [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_ISUID | stat.S_IFREG, 0])
                    << 16
                )
                content = pick(rng, [content, b"/etc", b"../../.."])
            file.writestr(entry, content)
    return stream.getvalue()


def _edit(rng: Rng, content: bytes) -> bytes:
    """Other values in the fields of a local header, an entry of the directory, or its end."""
    changed = bytearray(content)
    mark, fields = pick(rng, [
        (b"PK\3\4", [(4, 2), (6, 2), (8, 2), (14, 4), (18, 4), (22, 4), (26, 2), (28, 2)]),
        (b"PK\1\2", [(6, 2), (8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4)]),
        (b"PK\5\6", [(4, 2), (8, 2), (10, 2), (12, 4), (16, 4), (20, 2)]),
    ])  # fmt: skip
    for _ in range(int(rng.integers(1, 4))):
        offset, size = pick(rng, fields)
        form = "<H" if size == 2 else "<I"
        struct.pack_into(
            form, changed, content.find(mark) + offset, pick(rng, (*INTEGERS, 8, 9, 12, 14)) % 2 ** (8 * size)
        )
    return bytes(changed)


@functools.cache
def _bomb() -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file,
        file.open("tiny/01/t000.tif", "w", force_zip64=True) as member,
    ):
        for _ in range(2**11):
            member.write(bytes(2**20))
    return stream.getvalue()

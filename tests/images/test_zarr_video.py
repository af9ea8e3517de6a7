"""OME-Zarr is read frame by frame, in every order of axes, and a store that was cut off is named."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import zarr
from zarr.storage import LocalStore

from cosembed.errors import DataError, InputError
from cosembed.images.calibration import Calibration, settle
from cosembed.images.frame_files import FrameChoice
from cosembed.images.video_files import open_video, stated_by
from cosembed.images.zarr_video import open_zarr

PIXELS = np.random.default_rng(0).integers(1, 60000, (6, 2, 10, 12)).astype(np.uint16)
UNITS = {"t": "second", "y": "micrometer", "x": "micrometer"}
SCALES = {"t": 300.0, "c": 1.0, "z": 2.0, "y": 0.65, "x": 0.65}


def write_image(
    path: Path, pixels: np.ndarray, axes: str, version: str = "0.4", units: dict | None = None, **options
) -> Path:
    """An OME-Zarr image as its specification has it, with two levels."""
    form = 2 if version == "0.4" else 3
    group = zarr.open_group(path, mode="w", zarr_format=form)
    chunks = options.pop("chunks", tuple(1 if axis in "tcz" else 6 for axis in axes))
    for level, step in (("0", 1), ("1", 2)):
        small = pixels[..., ::step, ::step]
        kept = tuple(min(chunk, size) for chunk, size in zip(chunks, small.shape, strict=True))
        zarr.create_array(path / level, data=small, chunks=kept, zarr_format=form, **options)
    kinds = {"t": "time", "c": "channel"}
    named = [
        {"name": axis, "type": kinds.get(axis, "space")}
        | ({"unit": (units or UNITS)[axis]} if axis in (units or UNITS) else {})
        for axis in axes
    ]
    levels = [
        {
            "path": level,
            "coordinateTransformations": [
                {"type": "scale", "scale": [SCALES[axis] * (step if axis in "yx" else 1) for axis in axes]}
            ],
        }
        for level, step in (("0", 1), ("1", 2))
    ]
    image = {"axes": named, "datasets": levels, "name": "cells"}
    group.attrs.update(
        {"multiscales": [{"version": "0.4", **image}]}
        if version == "0.4"
        else {"ome": {"version": "0.5", "multiscales": [image]}}
    )
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("axes", ["tcyx", "tczyx", "tyx", "cyx", "yx"])
def test_frames_are_those_of_the_highest_resolution(tmp_path, version, axes):
    pixels = {
        "tcyx": PIXELS,
        "tczyx": PIXELS[:, :, None],
        "tyx": PIXELS[:, 0],
        "cyx": PIXELS[0],
        "yx": PIXELS[0, 0],
    }[axes]
    frames = open_video(write_image(tmp_path / "video.zarr", pixels, axes, version))
    assert len(frames) == (6 if "t" in axes else 1)
    assert (
        frames.shape == (10, 12) and frames.dtype == "uint16" and frames.channels == (2 if "c" in axes else 1)
    )
    for index, frame in enumerate(frames):
        expected = np.moveaxis(PIXELS[index], 0, -1) if "c" in axes else PIXELS[index, 0]
        np.testing.assert_array_equal(frame, expected)
    if "c" in axes:
        np.testing.assert_array_equal(frames.only_channel(2)[0], PIXELS[0, 1])
    calibration, doubts = settle("video", stated_by(frames))
    assert calibration == (0.65, 5.0 if "t" in axes else None) and doubts == []


class CountingStore(LocalStore):
    """A store that counts the chunks that are read."""

    chunks_read: list[str] = []  # noqa: RUF012

    async def get(self, key, prototype, byte_range=None):
        if not key.endswith((".zarray", ".zattrs", ".zgroup", "zarr.json", ".zmetadata")):
            self.chunks_read.append(key)
        return await super().get(key, prototype, byte_range)


@pytest.mark.parametrize("frames_in_a_chunk", [1, 4])
def test_a_frame_is_read_when_it_is_asked_for_and_no_chunk_twice(tmp_path, monkeypatch, frames_in_a_chunk):
    path = write_image(
        tmp_path / "video.zarr", PIXELS[:, 0], "tyx", "0.5", chunks=(frames_in_a_chunk, 10, 12)
    )
    monkeypatch.setattr("zarr.storage.LocalStore", CountingStore)
    monkeypatch.setattr("zarr.storage._common.LocalStore", CountingStore)
    CountingStore.chunks_read.clear()
    frames = open_video(path)
    assert CountingStore.chunks_read == []
    for index, _ in enumerate(frames, start=1):
        assert len(CountingStore.chunks_read) == -(-index // frames_in_a_chunk)


def test_a_long_video_is_opened_without_reading_it(tmp_path):
    """5,000 frames of 2048 x 2048 pixels, of which two were written: their chunks alone are on the disk."""
    group = zarr.open_group(tmp_path / "long.zarr", mode="w", zarr_format=2)
    array = group.create_array("0", shape=(5000, 2048, 2048), chunks=(1, 1024, 1024), dtype="uint16")
    array[17, :1024, :1024] = 5
    array[4999] = np.broadcast_to(np.arange(2048, dtype=np.uint16), (2048, 2048))
    group.attrs["multiscales"] = [{"axes": ["t", "y", "x"], "datasets": [{"path": "0"}]}]
    frames = open_video(tmp_path / "long.zarr")
    assert len(frames) == 5000 and frames[17].sum() == 5 * 1024**2
    assert frames[4999][0, 3] == 3
    with pytest.raises(DataError, match=r"long\.zarr: nothing of frame 18 is there; .*cut off"):
        frames[18]


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_store_that_was_cut_off_is_named(tmp_path, version):
    path = write_image(tmp_path / "video.zarr", PIXELS[:, 0], "tyx", version)
    files = sorted(file for file in (path / "0").rglob("*") if file.is_file() and file.suffix != ".json")
    chunks = [file for file in files if not file.name.startswith(".")]
    last = [file for file in chunks if zarr_frame(file, path, version) >= 4]
    for file in last:
        file.unlink()
    frames = open_video(path)
    assert frames[3].shape == (10, 12)
    with pytest.raises(DataError, match="nothing of frame 4 is there; the store is damaged or was cut off"):
        frames[4]
    # A chunk of which only the first bytes arrived.
    half = next(file for file in chunks if zarr_frame(file, path, version) == 2)
    half.write_bytes(half.read_bytes()[:5])
    with pytest.raises(DataError, match=r"video\.zarr: frame 2 cannot be read"):
        frames[2]
    metadata = path / "0" / (".zarray" if version == "0.4" else "zarr.json")
    metadata.write_bytes(metadata.read_bytes()[:40])
    with pytest.raises(DataError, match=r"video\.zarr: its OME-Zarr image cannot be opened"):
        open_video(path)
    metadata.unlink()
    with pytest.raises(DataError, match=r"video\.zarr: its OME-Zarr image cannot be opened"):
        open_video(path)


def zarr_frame(file: Path, path: Path, version: str) -> int:
    """The frame of a chunk by its file's name: 0/4.0.1, or 0/c/4/0/1."""
    parts = file.relative_to(path / "0").parts
    return int(parts[0].split(".")[0] if version == "0.4" else parts[1])


def test_a_sharded_array_is_read(tmp_path):
    path = tmp_path / "video.zarr"
    write_image(path, PIXELS[:, 0], "tyx", "0.5", chunks=(1, 5, 6), shards=None)
    zarr.create_array(
        path / "0", data=PIXELS[:, 0], chunks=(1, 5, 6), shards=(2, 10, 12), zarr_format=3, overwrite=True
    )
    np.testing.assert_array_equal(np.stack(list(open_video(path))), PIXELS[:, 0])


def test_a_single_array_and_an_image_within_a_store_are_found(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", data=PIXELS[:, 0], zarr_format=2)
    np.testing.assert_array_equal(open_video(tmp_path / "a.zarr")[5], PIXELS[5, 0])
    zarr.open_group(tmp_path / "b.zarr", mode="w", zarr_format=2).attrs["bioformats2raw.layout"] = 3
    write_image(tmp_path / "b.zarr" / "0", PIXELS[:, 0], "tyx")
    np.testing.assert_array_equal(open_video(tmp_path / "b.zarr")[1], PIXELS[1, 0])
    write_image(tmp_path / "b.zarr" / "1", PIXELS[:, 0], "tyx")
    with pytest.raises(DataError, match="holds several images; name one of them: 0, 1"):
        open_video(tmp_path / "b.zarr")
    named = zarr.create_array(
        tmp_path / "c.zarr", data=PIXELS, zarr_format=3, dimension_names=["t", "c", "y", "x"]
    )
    assert named.shape == PIXELS.shape and open_video(tmp_path / "c.zarr").channels == 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: zarr.open_group(path, mode="w"), "holds no OME-Zarr image"),
        (lambda path: zarr.create_array(path, data=PIXELS), "whose axes have no names"),
        (lambda path: write_image(path, PIXELS, "tzyx"), r"holds 2 slices \(axis z\)"),
        (lambda path: path.mkdir(), "cannot be opened as a Zarr store"),
        (
            lambda path: zarr.open_group(path, mode="w").attrs.update(geff={"directed": True}),
            "is a GEFF graph of cells, not a video",
        ),
        (
            lambda path: zarr.open_group(path, mode="w").attrs.update(multiscales=[{"axes": 3}]),
            "its OME-Zarr image cannot be opened",
        ),
        (
            lambda path: zarr.open_group(path, mode="w").attrs.update(multiscales="none"),
            "its OME-Zarr image cannot be opened",
        ),
    ],
)
def test_what_is_no_video_is_named(tmp_path, make, message):
    make(tmp_path / "x.zarr")
    with pytest.raises(DataError, match=rf"x\.zarr: .*{message}|x\.zarr: {message}"):
        open_video(tmp_path / "x.zarr")


def test_pixels_that_are_not_square_contradict_each_other(tmp_path):
    path = write_image(tmp_path / "video.zarr", PIXELS[:, 0], "tyx")
    attributes = json.loads((path / ".zattrs").read_text())
    attributes["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]["scale"][1] = 0.7
    (path / ".zattrs").write_text(json.dumps(attributes))
    stated = stated_by(open_video(path))
    with pytest.raises(DataError, match=r"state pixels of 0\.7 micrometres and pixels of 0\.65 micrometres"):
        settle("video.zarr", stated)
    calibration, doubts = settle("video.zarr", stated, Calibration(0.65))
    assert calibration.pixel_size == 0.65
    assert doubts == ["video.zarr states pixels of 0.7 micrometres; --pixel_size=0.65 counts."]


def test_axes_without_units_state_nothing(tmp_path):
    frames = open_video(write_image(tmp_path / "video.zarr", PIXELS[:, 0], "tyx", units={"z": "micrometer"}))
    assert settle("video", stated_by(frames)) == ((None, None), [])


def test_choices_for_folders_are_refused(tmp_path):
    path = write_image(tmp_path / "video.zarr", PIXELS[:, 0], "tyx")
    with pytest.raises(InputError, match="--order: is for a folder of frames"):
        open_video(path, FrameChoice(order="name"))


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    path = write_image(tmp_path / "video.zarr", PIXELS[:, 0], "tyx")
    monkeypatch.setitem(sys.modules, "zarr", None)
    with pytest.raises(InputError, match=r"Zarr stores need the package zarr, .*'cosembed\[exchange\]'"):
        open_zarr(path)

"""Videos on disk: order, numbering, equal sizes, and frames that cannot be used."""

import re
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from cosembed.errors import DataError
from cosembed.images import frames as frames_module
from cosembed.images.frame_files import file_number
from cosembed.images.frames import open_frames


def write_frames(
    folder: Path, numbers: list[int], name: str = "t{:03d}.tif", dtype: type = np.uint16
) -> None:
    """Frame n holds the value n everywhere but in one corner."""
    folder.mkdir(exist_ok=True)
    for number in numbers:
        image = np.full((6, 8), number, dtype)
        image[0, 0] += 1
        tifffile.imwrite(folder / name.format(number), image)


@pytest.mark.parametrize("name", ["t{:03d}.tif", "{}.TIF", "exp7_t{}.tiff"])
def test_frames_come_in_natural_order(tmp_path: Path, name: str) -> None:
    write_frames(tmp_path, list(range(12)), name)
    (tmp_path / "notes.txt").write_text("not a frame")
    (tmp_path / "._t000.tif").write_text("a file manager's leftover")
    frames = open_frames(tmp_path)
    assert len(frames) == 12
    assert frames.shape == (6, 8)
    assert [int(frame[1, 1]) for frame in frames] == list(range(12))
    assert frames.numbers == list(range(12))


def test_frames_are_decoded_on_access_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_frames(tmp_path, [0, 1, 2])
    read: list[Path] = []
    monkeypatch.setattr(
        frames_module, "read_image", lambda path, page: read.append(path) or np.arange(48).reshape(6, 8)
    )
    frames = open_frames(tmp_path)
    assert read == []
    _ = frames[1]
    assert read == [tmp_path / "t001.tif"]


def test_cut_keeps_the_videos_own_numbers(tmp_path: Path) -> None:
    write_frames(tmp_path, list(range(4, 14)))
    frames = open_frames(tmp_path).cut(3, 6)
    assert frames.numbers == [7, 8, 9]
    assert [int(frame[1, 1]) for frame in frames] == [7, 8, 9]
    assert frames.paths[0] == tmp_path / "t007.tif"
    assert int(frames[-1][1, 1]) == 9
    with pytest.raises(IndexError):
        frames[3]


def test_a_multipage_tiff_is_a_video(tmp_path: Path) -> None:
    stack = np.random.default_rng(0).integers(0, 99, (5, 6, 8)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "video01.tif", stack, photometric="minisblack")
    frames = open_frames(tmp_path / "video01.tif")
    assert frames.numbers == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(np.stack(list(frames)), stack)
    np.testing.assert_array_equal(np.stack(list(frames.cut(1, 3))), stack[1:3])


def test_a_folder_without_numbers_goes_by_name(tmp_path: Path) -> None:
    for value, name in enumerate(("after.png", "before.png")):
        (tmp_path / name).write_bytes(imagecodecs.png_encode(np.array([[value, 9]], np.uint8)))
    frames = open_frames(tmp_path)
    assert [int(frame[0, 0]) for frame in frames] == [0, 1]
    assert frames.numbers == [0, 1]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["t000.tif", "t002.tif"], r"t001\.tif: is missing; t002\.tif follows t000\.tif"),
        (["a9_x.tif", "a12_x.tif"], r"a10_x\.tif: is missing"),
        (["t001.tif", "x01.tif"], r"x01\.tif: has the same number as t001\.tif"),
        (["t000.tif", "mean.tif"], r"mean\.tif: has no frame number, unlike t000\.tif"),
    ],
)
def test_faults_of_numbering(tmp_path: Path, names: list[str], sentence: str) -> None:
    for name in names:
        tifffile.imwrite(tmp_path / name, np.arange(12, dtype=np.uint8).reshape(3, 4))
    with pytest.raises(DataError, match=sentence):
        open_frames(tmp_path)


def test_missing_and_empty_folders_say_what_to_put_where(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"01: does not exist; put the frames there, as t000\.tif"):
        open_frames(tmp_path / "01")
    with pytest.raises(
        DataError, match=re.escape(f"{tmp_path}: holds no TIFF or PNG frames; put them there")
    ):
        open_frames(tmp_path)


def test_other_sizes_and_types_are_found_on_opening(tmp_path: Path) -> None:
    write_frames(tmp_path, [0, 1])
    tifffile.imwrite(tmp_path / "t002.tif", np.zeros((6, 9), np.uint16))
    with pytest.raises(DataError, match=r"t002\.tif: is 9 x 6 pixels, but t000\.tif is 8 x 6 pixels"):
        open_frames(tmp_path)
    write_frames(tmp_path, [2], dtype=np.uint8)
    with pytest.raises(DataError, match=r"t002\.tif: is of type uint8, but t000\.tif of uint16"):
        open_frames(tmp_path)
    tifffile.imwrite(tmp_path / "t002.tif", np.zeros((6, 8, 3), np.uint16), photometric="rgb")
    with pytest.raises(DataError, match=r"t002\.tif: is of type uint16 x 3"):
        open_frames(tmp_path)


def test_pages_of_another_size(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "video.tif") as writer:
        writer.write(np.zeros((6, 8), np.uint8))
        writer.write(np.zeros((3, 4), np.uint8))
    with pytest.raises(DataError, match=r"video\.tif, page 1: is 4 x 3 pixels, but page 0 is 8 x 6"):
        open_frames(tmp_path / "video.tif")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_frames_that_are_not_finite(tmp_path: Path, value: float) -> None:
    image = np.arange(48, dtype=np.float32).reshape(6, 8)
    tifffile.imwrite(tmp_path / "t000.tif", image)
    image[2, 3] = value
    tifffile.imwrite(tmp_path / "t001.tif", image)
    frames = open_frames(tmp_path)
    assert frames[0].dtype == np.float32
    with pytest.raises(DataError, match=r"t001\.tif: holds values that are not finite"):
        frames[1]


def test_constant_frames(tmp_path: Path) -> None:
    write_frames(tmp_path, [0])
    tifffile.imwrite(tmp_path / "t001.tif", np.full((6, 8), 7, np.uint16))
    with pytest.raises(DataError, match=r"t001\.tif: every pixel has the value 7"):
        open_frames(tmp_path)[1]
    tifffile.imwrite(tmp_path / "video.tif", np.zeros((3, 6, 8), np.uint8), photometric="minisblack")
    with pytest.raises(DataError, match=r"video\.tif, page 2: every pixel"):
        open_frames(tmp_path / "video.tif")[2]


@pytest.mark.parametrize(
    ("name", "number"), [("t012.tif", 12), ("exp2_t0040.tif", 40), ("mean.tif", None), ("3b.tif", 3)]
)
def test_file_number(name: str, number: int | None) -> None:
    assert file_number(Path(name)) == number

"""Files that are of another kind than their names say."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from cosembed.errors import DataError
from cosembed.images.frames import open_frames
from cosembed.images.reading import read_headers, read_image

IMAGE = np.arange(64, dtype=np.uint8).reshape(8, 8)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        (
            "t000.tif",
            imagecodecs.jpeg8_encode(IMAGE),
            "is a JPEG file, though its name says TIFF; convert it",
        ),
        ("t000.tif", imagecodecs.png_encode(IMAGE), "is a PNG file, though its name says TIFF; rename it"),
        ("t000.png", imagecodecs.jpeg8_encode(IMAGE), "is a JPEG file, though its name says PNG; convert it"),
    ],
)
def test_a_file_of_another_kind_than_its_name_says_what_it_is(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    (tmp_path / name).write_bytes(content)
    for reads in (lambda: read_image(tmp_path / name), lambda: read_headers(tmp_path / name)):
        with pytest.raises(DataError, match=f"{name}: {sentence}"):
            reads()


def test_a_tiff_named_png_is_renamed_and_a_damaged_one_stays_damaged(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", IMAGE)
    (tmp_path / "a.png").write_bytes((tmp_path / "a.tif").read_bytes())
    with pytest.raises(DataError, match=r"a\.png: is a TIFF file, though its name says PNG; rename it"):
        read_image(tmp_path / "a.png")
    (tmp_path / "a.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:20])
    with pytest.raises(DataError, match=r"a\.tif: cannot be read .*damaged or truncated"):
        read_image(tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("name", "inside"),
    [("video.zarr", "0"), ("video", ".zarray"), ("video", ".zgroup"), ("video", "zarr.json")],
)
def test_a_zarr_folder_says_so(tmp_path: Path, name: str, inside: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / inside).touch()
    with pytest.raises(DataError, match=rf"{name}: is a Zarr store, .*cosembed\.track"):
        open_frames(tmp_path / name)

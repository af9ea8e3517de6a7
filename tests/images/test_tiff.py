"""TIFF files: round trips through an independent encoder, and everything that can be wrong with one."""

import io
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cosembed.errors import DataError
from cosembed.images.reading import image_shape, read_headers, read_image
from cosembed.images.tiff import write_mask

IMAGE = np.random.default_rng(3).integers(0, 60000, (24, 30)).astype(np.uint16)


@pytest.mark.parametrize("compression", [None, "zlib", "lzw", "packbits", "zstd"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_tiff_round_trip(tmp_path: Path, compression: str | None, dtype: type) -> None:
    image = (IMAGE % 251).astype(dtype)
    tifffile.imwrite(tmp_path / "t000.tif", image, compression=compression, rowsperstrip=5)
    read = read_image(tmp_path / "t000.tif")
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, image)
    assert image_shape(tmp_path / "t000.tif") == (24, 30)
    assert read_headers(tmp_path / "t000.tif")[0].dtype == np.dtype(dtype).name


def test_planar_colours_come_last(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (3, 8, 9)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif"), np.moveaxis(image, 0, -1))


def test_pages(tmp_path: Path) -> None:
    stack = np.stack([IMAGE, IMAGE // 2, IMAGE // 3])
    tifffile.imwrite(tmp_path / "video.tif", stack, photometric="minisblack")
    assert len(read_headers(tmp_path / "video.tif")) == 3
    np.testing.assert_array_equal(read_image(tmp_path / "video.tif", 2), stack[2])


def test_images_hidden_in_one_page_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "video.tif", np.stack([IMAGE, IMAGE]), photometric="minisblack", truncate=True
    )
    with pytest.raises(DataError, match=r"video\.tif: holds several images"):
        read_headers(tmp_path / "video.tif")


def test_masks_are_written_as_zlib_uint16_and_replace_atomically(tmp_path: Path) -> None:
    path = tmp_path / "RES" / "mask000.tif"
    write_mask(path, IMAGE)
    write_mask(path, IMAGE[::-1])
    with tifffile.TiffFile(path) as file:
        assert file.pages[0].compression in (tifffile.COMPRESSION.ADOBE_DEFLATE, tifffile.COMPRESSION.DEFLATE)
        assert file.pages[0].dtype == np.uint16
    np.testing.assert_array_equal(read_image(path), IMAGE[::-1])
    assert [file.name for file in path.parent.iterdir()] == ["mask000.tif"]


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("part", [0.0, 0.02, 0.1, 0.6, 0.97])
def test_truncated_tiffs_are_named_on_opening_and_leave_no_noise(
    tmp_path: Path, compression: str | None, part: float, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = io.BytesIO()
    tifffile.imwrite(stream, IMAGE, compression=compression, rowsperstrip=4, metadata=None)
    path = tmp_path / "t007.tif"
    path.write_bytes(stream.getvalue()[: int(part * len(stream.getvalue()))])
    for read in (read_image, read_headers):
        with pytest.raises(
            DataError, match=r"t007\.tif: cannot be read \(.+\); the file is damaged or truncated"
        ):
            read(path)
    assert capfd.readouterr() == ("", "")


def test_pixels_without_a_value_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", IMAGE, metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        file.pages[0].aspage().tags["SamplesPerPixel"].overwrite(0)
    for read in (read_image, read_headers):
        with pytest.raises(
            DataError, match=r"a\.tif: cannot be read \(it states that a pixel has no value\)"
        ):
            read(tmp_path / "a.tif")


def test_damaged_pixels(tmp_path: Path) -> None:
    path = tmp_path / "t000.tif"
    tifffile.imwrite(path, IMAGE, compression="zlib", metadata=None)
    content = bytearray(path.read_bytes())
    content[-400:-200] = bytes(200)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"t000\.tif: cannot be read"):
        read_image(path)


def test_huge_sizes_are_refused_from_the_header(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", IMAGE, compression="zlib", metadata=None)
    with tifffile.TiffFile(tmp_path / "a.tif", mode="r+") as file:
        for tag in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            file.pages[0].aspage().tags[tag].overwrite(40000)
    with pytest.raises(DataError, match=r"a\.tif: states a size of 40000 x 40000"):
        read_image(tmp_path / "a.tif")


def test_pixels_that_are_no_plain_numbers_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "c.tif", np.zeros((4, 5), np.complex64))
    with pytest.raises(DataError, match=r"c\.tif: its pixels are of type complex64; save it with"):
        read_image(tmp_path / "c.tif")

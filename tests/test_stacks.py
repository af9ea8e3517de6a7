"""Which page is which time point and channel, in files as ImageJ, OME and tifffile write them."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from cosembed.data.frames import open_frames
from cosembed.errors import DataError, InputError

# [T, C, H, W]; every pixel differs.
STACK = np.arange(3 * 2 * 6 * 8).reshape(3, 2, 6, 8).astype(np.uint16)


@pytest.mark.parametrize(
    ("stack", "options"),
    [
        (STACK, {"imagej": True, "metadata": {"axes": "TCYX"}}),
        (STACK, {"ome": True, "metadata": {"axes": "TCYX"}}),
        (STACK.swapaxes(0, 1), {"ome": True, "metadata": {"axes": "CTYX"}}),
        (STACK, {"photometric": "minisblack", "metadata": {"axes": "TCYX"}}),
    ],
    ids=["imagej", "ome", "ome with channels first", "tifffile"],
)
def test_channels_of_a_hyperstack(tmp_path: Path, stack: np.ndarray, options: dict) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", stack, **options)
    frames = open_frames(tmp_path / "stack.tif")
    assert (len(frames), frames.shape, frames.channels) == (3, (6, 8), 2)
    np.testing.assert_array_equal(np.stack(list(frames)), np.moveaxis(STACK, 1, -1))
    second = frames.only_channel(2)
    assert second.channels == 1
    np.testing.assert_array_equal(np.stack(list(second)), STACK[:, 1])
    np.testing.assert_array_equal(second.cut(1, 3)[1], STACK[2, 1])


def test_channels_of_colour_frames(tmp_path: Path) -> None:
    colours = np.arange(4 * 5 * 3).reshape(4, 5, 3).astype(np.uint8)
    (tmp_path / "t0.png").write_bytes(imagecodecs.png_encode(colours))
    frames = open_frames(tmp_path)
    assert frames.channels == 3
    for number in (1, 2, 3):
        np.testing.assert_array_equal(frames.only_channel(number)[0], colours[..., number - 1])


def test_each_file_of_a_folder_may_hold_its_channels_as_pages(tmp_path: Path) -> None:
    for time, image in enumerate(STACK):
        tifffile.imwrite(tmp_path / f"t{time}.tif", image, imagej=True, metadata={"axes": "CYX"})
    np.testing.assert_array_equal(np.stack(list(open_frames(tmp_path).only_channel(1))), STACK[:, 0])


@pytest.mark.parametrize("number", [0, 3, -1])
def test_a_channel_that_is_not_there_is_refused(tmp_path: Path, number: int) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", STACK, imagej=True, metadata={"axes": "TCYX"})
    with pytest.raises(
        InputError, match=rf"--channel={number}: .*stack\.tif holds 2 channels, counted from 1"
    ):
        open_frames(tmp_path / "stack.tif").only_channel(number)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"imagej": True, "metadata": {"axes": "TZYX"}},
            r"stack\.tif: holds 2 slices \(axis Z\).*Image > Properties",
        ),
        ({"photometric": "minisblack"}, r"stack\.tif: holds 3 x 2 pages along unnamed axes; name them"),
        ({"photometric": "minisblack", "metadata": {"axes": "TRYX"}}, "3 x 2 pages along T and R axes"),
    ],
)
def test_what_is_not_one_video_is_refused(tmp_path: Path, options: dict, sentence: str) -> None:
    tifffile.imwrite(tmp_path / "stack.tif", STACK, **options)
    with pytest.raises(DataError, match=sentence):
        open_frames(tmp_path / "stack.tif")


def test_a_video_among_the_files_of_a_folder_is_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "t0.tif", STACK[0, 0])
    tifffile.imwrite(tmp_path / "t1.tif", STACK[:, 0], imagej=True, metadata={"axes": "TYX"})
    with pytest.raises(DataError, match=r"t1\.tif: holds 3 images, but each file of a folder is one frame"):
        open_frames(tmp_path)

"""Which files of a folder are frames, in which order, and what is said of the others."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cosembed.datasets.ctc.validation import check_frames
from cosembed.errors import DataError, InputError
from cosembed.images.frame_files import FrameChoice
from cosembed.images.frames import Frames, open_frames
from cosembed.video_job.quality_warnings import warnings_about_files


def fill(folder: Path, *names: str) -> Path:
    """File n holds the value n everywhere but in one corner; other kinds than TIFF hold nothing."""
    for value, name in enumerate(names):
        image = np.full((6, 8), value, np.uint8)
        image[0, 0] += 1
        if name.endswith(("tif", "tiff")):
            tifffile.imwrite(folder / name, image)
        else:
            (folder / name).touch()
    return folder


def values(frames: Frames) -> list:
    return [frame[1, 1].tolist() for frame in frames]


def test_every_image_that_is_left_out_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "t000.tif", "t001.tif", "preview.jpg", "movie.AVI", "notes.txt", "t001.jpg", "._t000.jpg")
    frames = open_frames(tmp_path)
    assert len(frames) == 2
    assert [path.name for path in frames.left_out] == ["movie.AVI", "preview.jpg", "t001.jpg"]
    assert frames.cut(0, 1).left_out == frames.left_out
    (sentence,) = warnings_about_files(frames)
    assert sentence.endswith(": movie.AVI, preview.jpg, t001.jpg.")
    assert [(fault.file, fault.warning) for fault in check_frames(tmp_path)] == [
        ("movie.AVI", True),
        ("preview.jpg", True),
        ("t001.jpg", True),
    ]


@pytest.mark.parametrize("last", [("t002.jpg", "t003.jpg"), ("t002.png", "t003.png")])
def test_frames_of_mixed_kinds_are_an_error(tmp_path: Path, last: tuple[str, str]) -> None:
    fill(tmp_path, "t000.tif", "t001.tiff", *last)
    with pytest.raises(DataError, match=rf"mixed kinds: t000\.tif is TIFF.* also {', '.join(last)}; convert"):
        open_frames(tmp_path)
    assert any("mixed kinds" in str(fault) and not fault.warning for fault in check_frames(tmp_path))


def test_a_folder_of_another_kind_alone_is_named(tmp_path: Path) -> None:
    fill(tmp_path, "t000.jpg", "t001.jpg")
    with pytest.raises(DataError, match=r"no TIFF or PNG frames, but t000\.jpg, t001\.jpg; convert them"):
        open_frames(tmp_path)


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (["t000_ch00.tif", "t001_ch00.tif", "t002_ch00.tif"], [0, 1, 2]),
        (["exp3_t004_c1.tif", "exp3_t005_c1.tif"], [4, 5]),
        (["t007_ch01.tif"], [7]),
        # No channels: the numbers of the frames.
        (["video_c001.tif", "video_c002.tif"], [1, 2]),
        (["exp3_c001.tif", "exp3_c002.tif"], [1, 2]),
    ],
)
def test_the_channel_part_of_a_name_is_understood(
    tmp_path: Path, names: list[str], numbers: list[int]
) -> None:
    frames = open_frames(fill(tmp_path, *names))
    assert (frames.numbers, frames.channels) == (numbers, 1)
    assert values(frames) == list(range(len(names)))


def test_files_of_several_channels_are_one_frame(tmp_path: Path) -> None:
    frames = open_frames(fill(tmp_path, "t1_ch00.tif", "t1_ch01.tif", "t2_ch00.tif", "t2_ch01.tif"))
    assert (frames.numbers, frames.channels) == ([1, 2], 2)
    assert values(frames) == [[0, 1], [2, 3]]
    assert values(frames.only_channel(2)) == [1, 3]
    assert values(open_frames(tmp_path, FrameChoice("t{frame}_ch00.tif"))) == [0, 2]
    (tmp_path / "t2_ch01.tif").unlink()
    with pytest.raises(DataError, match=r"t2_ch00\.tif: its frame has 1 channel, but that of t1_ch00\.tif 2"):
        open_frames(tmp_path)


def test_the_missing_frame_of_names_with_channels_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t001_ch00\.tif: is missing.*--gaps=hold.*--order=name"):
        open_frames(fill(tmp_path, "t000_ch00.tif", "t002_ch00.tif"))


def test_the_order_of_names_knows_no_gaps(tmp_path: Path) -> None:
    fill(tmp_path, "2024-03-01_09h55.tif", "2024-03-01_10h05.tif", "2024-03-02_00h05.tif", "x10.tif")
    frames = open_frames(tmp_path, FrameChoice(order="name"))
    assert (frames.numbers, values(frames)) == ([0, 1, 2, 3], [0, 1, 2, 3])
    dated = open_frames(tmp_path, FrameChoice("2024*.tif", order="name"))
    assert (dated.numbers, values(dated), dated.left_out) == ([0, 1, 2], [0, 1, 2], [])
    every_fifth = tmp_path / "fifth"
    every_fifth.mkdir()
    fill(every_fifth, "t0.tif", "t5.tif", "t10.tif")
    assert values(open_frames(every_fifth, FrameChoice(order="name"))) == [0, 1, 2]


def test_a_pattern_chooses_the_frames_and_their_numbers(tmp_path: Path) -> None:
    fill(tmp_path, "a_t1_v2.tif", "a_t2_v2.tif", "b_t1_v2.tif", "mean.tif", "see.jpg")
    frames = open_frames(tmp_path, FrameChoice("a_t{frame}_v*.tif"))
    assert (frames.numbers, values(frames), frames.left_out) == ([1, 2], [0, 1], [])
    with pytest.raises(
        DataError, match=re.escape("no TIFF or PNG file named c{frame}.tif; correct --pattern")
    ):
        open_frames(tmp_path, FrameChoice("c{frame}.tif"))
    with pytest.raises(InputError, match=r"must hold \{frame\} once"):
        FrameChoice("a_t*.tif")


def test_a_missing_or_blank_frame_is_held(tmp_path: Path) -> None:
    fill(tmp_path, "t003.tif", "t004.tif", "t007.tif")
    tifffile.imwrite(tmp_path / "t008.tif", np.zeros((6, 8), np.uint8))
    tifffile.imwrite(tmp_path / "t009.tif", np.zeros((6, 8), np.uint8))
    with pytest.raises(DataError, match=r"t005\.tif: is missing"):
        open_frames(tmp_path)
    frames = open_frames(tmp_path, FrameChoice(gaps="hold"))
    assert (frames.numbers, frames.held) == ([3, 4, 5, 6, 7, 8, 9], [5, 6])
    assert values(frames) == [0, 1, 1, 1, 2, 2, 2]
    assert frames.held == [5, 6, 8, 9]
    (sentence,) = warnings_about_files(frames)
    assert sentence.startswith("Frames 5, 6, 8, 9 are missing or blank")


def test_the_message_of_a_blank_frame_offers_to_hold(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "t000.tif", np.zeros((6, 8), np.uint8))
    with pytest.raises(DataError, match="--gaps=hold"):
        open_frames(tmp_path)[0]
    # Before the first frame there is none.
    with pytest.raises(DataError, match="every pixel has the value 0"):
        open_frames(tmp_path, FrameChoice(gaps="hold"))[0]

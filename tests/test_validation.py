"""Every fault of a folder is found, with its file; a good folder has none."""

import subprocess
import sys

import numpy as np
import pytest
import tifffile
from builders import moving_squares, write_ctc

from cosembed.data.validation import check_result, check_truth

TRACKS = [(1, 0, 5, 0), (2, 0, 5, 0), (3, 0, 2, 0), (4, 3, 5, 3), (5, 3, 5, 3)]


@pytest.fixture
def result(tmp_path):
    folder = tmp_path / "01_RES"
    folder.mkdir()
    for index, labels in enumerate(moving_squares()[1]):
        tifffile.imwrite(folder / f"mask{index:03d}.tif", labels)
    write_table(folder, TRACKS)
    return folder


def write_table(folder, rows):
    (folder / "res_track.txt").write_text("".join(" ".join(map(str, row)) + "\n" for row in rows))


def edit(folder, frame, change):
    path = folder / f"mask{frame:03d}.tif"
    labels = tifffile.imread(path)
    tifffile.imwrite(path, change(labels))


def faults_of(folder):
    return [str(fault) for fault in check_result(folder)]


def test_a_good_result_has_no_fault(result):
    assert faults_of(result) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(1, 0, 1, 0), *TRACKS[1:]], "mask002.tif: label 1 is used after its end in res_track.txt"),
        ([(1, 0, 4, 0), *TRACKS[1:]], "mask005.tif: label 1 is used after its end in res_track.txt"),
        ([(1, 1, 5, 0), *TRACKS[1:]], "mask000.tif: label 1 is used before its beginning in res_track.txt"),
        (TRACKS[1:], "mask000.tif: label 1 is not listed in res_track.txt"),
        ([*TRACKS, (1, 0, 5, 0)], "res_track.txt: line 6: label 1 is listed twice"),
        ([(1, 5, 0, 0), *TRACKS[1:]], "res_track.txt: label 1 ends in frame 0, before it begins in frame 5"),
        ([*TRACKS[:4], (5, 3, 5, 8)], "res_track.txt: label 5 has the parent 8, which is not listed"),
        ([*TRACKS[:4], (5, 3, 5, 1)], "res_track.txt: label 5 begins in frame 3, but its parent 1 ends in 5"),
        ([*TRACKS, (6, 0, 0, 0)], "mask000.tif: label 6 is missing, though res_track.txt lists it there"),
        ([*TRACKS[:4], (5, 3, 6, 3)], "res_track.txt: label 5 ends in frame 6, but the last mask is mask005.tif"),
        ([*TRACKS, ("six", 0, 0, 0)], "res_track.txt: line 6 is not four whole numbers (label begin end parent)"),
    ],
)
def test_faults_of_the_table(result, rows, expected):
    write_table(result, rows)
    assert expected in faults_of(result)


def test_faults_of_the_masks_are_all_listed(result):
    edit(result, 1, lambda labels: labels[:-1])
    edit(result, 2, lambda labels: labels.astype(np.float32))
    edit(result, 4, lambda labels: np.where(labels == 2, 0, labels))
    (result / "mask003.tif").unlink()
    path = result / "mask005.tif"
    path.write_bytes(path.read_bytes()[:100])
    faults = faults_of(result)
    assert "mask003.tif: is missing" in faults
    assert "mask004.tif: label 2 is missing, though res_track.txt lists it there" in faults
    for start in ("mask001.tif: is 48 x 39 pixels", "mask002.tif: is of type float32", "mask005.tif: cannot be read"):
        assert any(fault.startswith(start) for fault in faults), start


def test_labels_in_parts_are_a_warning(result):
    def cut(labels):
        labels = labels.copy()
        labels[:, 24] = 0
        return labels

    edit(result, 0, cut)
    (fault,) = check_result(result)
    assert fault.warning
    assert str(fault) == "mask000.tif: warning: label 2 consists of 2 parts"


def test_an_empty_folder_and_a_missing_table_are_faults(result, tmp_path):
    assert "holds no masks" in faults_of(tmp_path / "nothing")[0]
    (result / "res_track.txt").unlink()
    assert any("is missing or not a text file" in fault for fault in faults_of(result))
    assert check_result(result, tracked=False) == []


def test_truth_is_checked_against_its_frames(tmp_path):
    images, labels, tracks = moving_squares()
    root = write_ctc(tmp_path, images, labels, tracks)
    assert check_truth(root / "01_GT", root / "01") == []
    tifffile.imwrite(root / "01_GT" / "SEG" / "man_seg009.tif", labels[0])
    mask = tifffile.imread(root / "01_GT" / "SEG" / "man_seg001.tif")
    tifffile.imwrite(root / "01_GT" / "SEG" / "man_seg001.tif", np.where(mask == 101, 0, mask))
    faults = [str(fault) for fault in check_truth(root / "01_GT", root / "01")]
    assert "man_seg009.tif: there is no frame 9 in 01" in faults
    assert "man_seg001.tif: warning: marker 1 of man_track001.tif lies in no mask" in faults


def test_the_command_lists_faults_exits_2_and_paints_masks(result, tmp_path):
    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "cosembed.validate", *arguments], capture_output=True, text=True, check=False
        )

    good = run(f"--result_dir={result}", f"--overlays={tmp_path / 'pictures'}")
    assert good.returncode == 0, good.stderr
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 6
    write_table(result, [(1, 0, 1, 0), *TRACKS[1:]])
    bad = run(f"--result_dir={result}")
    assert bad.returncode == 2
    lines = bad.stderr.splitlines()
    assert lines == [f"mask{frame:03d}.tif: label 1 is used after its end in res_track.txt" for frame in (2, 3, 4, 5)]

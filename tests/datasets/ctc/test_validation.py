"""Every fault of a folder is found, with its file; a good folder has none."""

import imagecodecs
import numpy as np
import pytest
import tifffile

from cosembed.commands.main import main
from cosembed.datasets.ctc.validation import check_frames, check_result, check_truth
from tests.helpers.builders import moving_squares, run_command, write_ctc

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
        (
            [(1, 5, 0, 0), *TRACKS[1:]],
            "res_track.txt: line 1: label 1 ends in frame 0, before it begins in frame 5",
        ),
        ([*TRACKS[:4], (5, 3, 5, 8)], "res_track.txt: line 5: label 5 has the parent 8, which is not listed"),
        ([*TRACKS[:4], (5, 3, 5, 1)], "res_track.txt: label 5 begins in frame 3, but its parent 1 ends in 5"),
        (
            [(1, 0, 5, 2), (2, 0, 5, 1), *TRACKS[2:]],
            "res_track.txt: label 1 begins in frame 0, but its parent 2 ends in 5",
        ),
        ([*TRACKS, (6, 0, 0, 0)], "mask000.tif: label 6 is missing, though res_track.txt lists it there"),
        (
            [*TRACKS[:4], (5, 3, 6, 3)],
            "res_track.txt: label 5 ends in frame 6, but the last mask is mask005.tif",
        ),
        (
            [*TRACKS, ("six", 0, 0, 0)],
            "res_track.txt: line 6: 'six 0 0 0' is not four whole numbers (label begin end parent)",
        ),
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
    for start in (
        "mask001.tif: is 48 x 39 pixels",
        "mask002.tif: is of type float32",
        "mask005.tif: cannot be read",
    ):
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
    assert "is not a folder" in faults_of(tmp_path / "nothing")[0]
    assert "holds no masks" in faults_of(tmp_path)[0]
    (result / "res_track.txt").unlink()
    assert "res_track.txt: is missing; a track table belongs there (label begin end parent)" in faults_of(
        result
    )
    assert check_result(result, tracked=False) == []


def run_validate(*flags):
    """The command in this process; its exit status."""
    with pytest.raises(SystemExit) as ended:
        main(["cosembed", "validate", *flags])
    return ended.value.code or 0


def test_the_command_lists_faults_exits_2_and_paints_masks(result, tmp_path):
    good = run_command(
        "cosembed", "validate", f"--result_dir={result}", f"--overlays={tmp_path / 'pictures'}"
    )
    assert good.returncode == 0, good.stderr
    assert len(list((tmp_path / "pictures").glob("*.png"))) == 6
    write_table(result, [(1, 0, 1, 0), *TRACKS[1:]])
    bad = run_command("cosembed", "validate", f"--result_dir={result}")
    assert bad.returncode == 2
    lines = bad.stderr.splitlines()
    assert lines == [
        f"mask{frame:03d}.tif: label 1 is used after its end in res_track.txt" for frame in (2, 3, 4, 5)
    ]


def test_an_unreadable_table_is_one_fault(result):
    for content, words in (
        (b"\xff\xfe1 0 5 0", "codec can't decode"),
        (b"\n" * 2**22, "larger than 2048 kB"),
    ):
        (result / "res_track.txt").write_bytes(content)
        (fault,) = faults_of(result)
        assert fault.startswith("res_track.txt: is not a track table")
        assert words in fault


def test_an_empty_table_is_valid_only_with_empty_masks(result):
    write_table(result, [])
    assert "mask000.tif: label 1 is not listed in res_track.txt" in faults_of(result)
    for frame in range(6):
        edit(result, frame, lambda labels: labels * 0)
    assert faults_of(result) == []


def test_a_delay_between_parent_and_child_is_legal_and_a_track_is_not_its_own_parent(result):
    for frame in (3, 4):
        edit(result, frame, lambda labels: np.where(labels == 5, 0, labels))
    write_table(result, [*TRACKS[:4], (5, 5, 5, 3)])
    assert faults_of(result) == []
    write_table(result, [*TRACKS[:4], (5, 5, 5, 5)])
    assert faults_of(result) == ["res_track.txt: line 5: label 5 is its own parent"]


def test_file_names_gaps_and_duplicate_numbers(result):
    mask = (result / "mask005.tif").read_bytes()
    (result / "mask0005.tif").write_bytes(mask)
    (result / "mask_6.tif").write_bytes(mask)
    for frame in (1, 2, 3):
        (result / f"mask00{frame}.tif").unlink()
    assert set(faults_of(result)) == {
        "mask005.tif: has the same number as mask0005.tif",
        "mask_6.tif: is not named maskNNN.tif after its frame (at least three digits)",
        "mask001.tif: is missing, and so are all up to mask003.tif",
    }
    (result / "mask000.tif").unlink()
    # A result may begin at any frame, but not behind its table.
    assert any("begins in frame 0, but the first mask is mask004.tif" in fault for fault in faults_of(result))


def test_types_and_shapes_of_masks(result):
    edit(result, 0, lambda labels: labels.astype(np.uint8))
    edit(result, 1, lambda labels: labels.astype(np.int32))
    edit(result, 2, lambda labels: np.stack([labels] * 2))
    edit(result, 3, lambda labels: np.stack([labels] * 3, axis=-1).astype(np.uint8))
    assert faults_of(result) == [
        "mask000.tif: warning: is of type uint8; the challenge asks for uint16",
        "mask001.tif: is of type int32; masks must be uint16",
        "mask002.tif: holds 2 images; a mask is one image of one channel",
        "mask003.tif: holds 3 channels; a mask is one image of one channel",
    ]
    assert not [fault for fault in check_result(result, warnings=False) if fault.warning]


def test_truth_and_result_must_have_the_frames_and_their_size(tmp_path, result):
    images, labels, tracks = moving_squares()
    root = write_ctc(tmp_path / "data", images, labels, tracks)
    assert check_result(result, frames_dir=root / "01") == []
    tifffile.imwrite(root / "01" / "t006.tif", images[0])
    assert [str(fault) for fault in check_result(result, frames_dir=root / "01")] == [
        "mask006.tif: is missing, though there is such a frame"
    ]
    assert "man_track006.tif: is missing, though there is such a frame" in map(
        str, check_truth(root / "01_GT", root / "01")
    )
    (root / "01" / "t006.tif").unlink()
    (root / "01_GT" / "TRA" / "man_track002.tif").unlink()
    assert [str(fault) for fault in check_truth(root / "01_GT", root / "01")] == [
        "man_track002.tif: is missing"
    ]
    other = write_ctc(tmp_path / "other", images[:, 1:], labels[:, 1:], tracks)
    faults = [str(fault) for fault in check_result(result, frames_dir=other / "01")]
    assert faults[0] == "mask000.tif: is 48 x 40 pixels, but the frames are 48 x 39 pixels"
    assert len(faults) == 6
    (other / "01" / "t003.tif").unlink()
    assert [str(fault) for fault in check_result(result, frames_dir=other / "01")] == [
        "t003.tif: is missing; t004.tif follows t002.tif, add it (for a video that is only tracked, "
        "--gaps=hold puts the frame before in its place, and --order=name ignores the numbers)"
    ]


def spoil_frames(root):
    """Of six frames, one is cut off, one is empty, one is absent, one is of another size."""
    (root / "t001.tif").write_bytes((root / "t001.tif").read_bytes()[:300])
    tifffile.imwrite(root / "t002.tif", np.zeros((40, 48), np.uint16))
    (root / "t003.tif").unlink()
    tifffile.imwrite(root / "t005.tif", np.eye(9, dtype=np.uint16))


def test_every_fault_of_the_frames_is_listed(tmp_path):
    root = write_ctc(tmp_path, *moving_squares()) / "01"
    assert check_frames(root) == []
    spoil_frames(root)
    assert [str(fault).partition(";")[0] for fault in check_frames(root)] == [
        "t003.tif: is missing",
        "t001.tif: cannot be read (its pixels reach beyond the end of the file)",
        "t002.tif: every pixel has the value 0",
        "t005.tif: is 9 x 9 pixels, but t000.tif is 48 x 40 pixels",
    ]
    stack = np.stack([moving_squares()[0][0], np.zeros((40, 48), np.uint16)])
    tifffile.imwrite(tmp_path / "video.tif", stack, photometric="minisblack")
    (fault,) = check_frames(tmp_path / "video.tif")
    assert fault.file == "video.tif, page 1"
    assert "does not exist" in str(check_frames(tmp_path / "nothing")[0])


def test_overlays_show_frames_and_leave_unreadable_masks_out(result, tmp_path, capsys):
    images, labels, tracks = moving_squares()
    root = write_ctc(tmp_path / "data", images, labels, tracks)
    (result / "mask001.tif").write_bytes(b"II*\0")
    flags = [f"--result_dir={result}", f"--ground_truth_dir={root / '01_GT'}", f"--frames_dir={root / '01'}"]
    assert run_validate(*flags, f"--overlays={tmp_path / 'pictures'}") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("mask001.tif: cannot be read")
    names = {path.name for path in (tmp_path / "pictures").iterdir()}
    assert len(names) == 5 + 6 + 6
    assert "mask001.png" not in names
    picture = imagecodecs.png_decode((tmp_path / "pictures" / "mask000.png").read_bytes())
    assert picture.shape == (40, 48, 3)
    assert picture[labels[0] == 0].any()
    assert run_validate(*flags, f"--overlays={tmp_path / 'pictures'}") == 2
    assert "exists already" in capsys.readouterr().err
    # Without frames that can be used, labels are painted on black; a fault of the frames is one line.
    tifffile.imwrite(root / "01" / "t000.tif", np.zeros((40, 48), np.uint16))
    assert run_validate(*flags, f"--overlays={tmp_path / 'empty'}") == 2
    (root / "01" / "t003.tif").unlink()
    capsys.readouterr()
    assert run_validate(*flags, f"--overlays={tmp_path / 'gap'}") == 2
    assert [line.partition(":")[0] for line in capsys.readouterr().err.splitlines()] == [
        "t003.tif",
        "t000.tif",
        "mask001.tif",
    ]
    for folder, frame in (("empty", 0), ("gap", 2)):
        picture = imagecodecs.png_decode((tmp_path / folder / f"mask{frame:03d}.png").read_bytes())
        assert picture[labels[frame] > 0].any()
        assert not picture[labels[frame] == 0].any()

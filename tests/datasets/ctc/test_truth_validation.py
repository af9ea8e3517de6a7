"""Every fault of a ground truth is found, with its file; good truth has none."""

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from cosembed.datasets.ctc.validation import check_truth
from cosembed.datasets.suggestion import measure_annotation
from cosembed.errors import DataError
from tests.helpers.builders import moving_squares, run_command, write_ctc


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


@pytest.fixture
def truth(tmp_path) -> Path:
    """SEG of three frames, every cell with a label of its own, and no TRA."""
    images, labels, _ = moving_squares(3)
    for folder, prefix, stack in (("01", "t", images), ("01_GT/SEG", "man_seg", labels)):
        (tmp_path / folder).mkdir(parents=True)
        for frame, image in enumerate(stack):
            tifffile.imwrite(tmp_path / folder / f"{prefix}{frame:03d}.tif", image)
    return tmp_path / "01_GT"


def test_binary_masks_are_a_fault_that_a_flag_cures(truth, tmp_path):
    names = sorted(path.name for path in (truth / "SEG").iterdir())
    cells = {name: tifffile.imread(truth / "SEG" / name) for name in names}
    counts = {name: ndimage.label(cells[name] > 0, np.ones((3, 3)))[1] for name in names}
    assert min(counts.values()) > 1
    for name in names:
        tifffile.imwrite(truth / "SEG" / name, (255 * (cells[name] > 0)).astype(np.uint8))
    faults = [fault for fault in check_truth(truth) if not fault.warning]
    assert [(fault.file, fault.sentence.partition(":")[0]) for fault in faults] == [
        (name, f"label 255 covers {counts[name]} separate parts") for name in names
    ]
    assert "--connected_components" in faults[0].sentence
    with pytest.raises(DataError, match=r"man_seg000\.tif: label 255 covers .*connected_components"):
        measure_annotation(tmp_path)
    cured = tmp_path / "cured"
    done = run_command(
        "cosembed", "validate", f"--ground_truth_dir={truth}", f"--connected_components={cured}"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert [fault for fault in check_truth(cured) if not fault.warning] == []
    for name in names:
        mask = tifffile.imread(cured / "SEG" / name)
        np.testing.assert_array_equal(mask > 0, cells[name] > 0)
        assert len(np.unique(mask)) - 1 == counts[name]


def test_one_cell_of_few_parts_or_with_specks_is_no_binary_mask(truth):
    mask = np.zeros((40, 48), np.uint16)
    mask[5:15, 5:15], mask[25:35, 5:15] = 1, 1
    mask[2, ::2] = 1
    tifffile.imwrite(truth / "SEG" / "man_seg000.tif", mask)
    assert [fault for fault in check_truth(truth) if not fault.warning] == []
    mask[25:35, 25:35], mask[5:15, 25:35] = 1, 1
    tifffile.imwrite(truth / "SEG" / "man_seg000.tif", mask)
    (fault,) = (fault for fault in check_truth(truth) if not fault.warning)
    assert fault.sentence.startswith("label 1 covers 4 separate parts")


def test_an_empty_seg_folder_is_a_fault(tmp_path):
    images, labels, tracks = moving_squares()
    truth = write_ctc(tmp_path, images, labels, tracks) / "01_GT"
    for path in (truth / "SEG").glob("*"):
        path.unlink()
    (truth / "SEG").mkdir(exist_ok=True)
    assert [str(fault) for fault in check_truth(truth)] == [
        "SEG: holds no man_segNNN.tif; add the masks, or remove the folder"
    ]


@pytest.mark.parametrize(
    "name", ["man_seg00.tif", "man_seg000.tiff", "mask000.tif", "man_seg007.png", "a.jpg"]
)
def test_misnamed_files_of_the_truth_are_named(truth, name, tmp_path):
    (truth / "SEG" / "man_seg000.tif").rename(truth / "SEG" / name)
    sentence = f"{name}: is not named man_segNNN.tif after its frame (at least three digits)"
    assert sentence in [str(fault) for fault in check_truth(truth)]
    with pytest.raises(DataError, match=re.escape(sentence)):
        measure_annotation(tmp_path)


def test_seg_truth_alone_and_markers_half_outside(tmp_path):
    images, labels, tracks = moving_squares(frames=2)
    tracks = [track for track in tracks if track.begin < 2]
    root = write_ctc(tmp_path, images, labels, [track._replace(end=1) for track in tracks])
    seg = root / "01_GT" / "SEG" / "man_seg000.tif"
    mask = tifffile.imread(seg)
    mask[4:10][mask[4:10] == 101] = 0
    tifffile.imwrite(seg, mask)
    assert [str(fault) for fault in check_truth(root / "01_GT")] == [
        "man_seg000.tif: warning: marker 1 of man_track000.tif lies mostly outside its mask"
    ]
    for path in (root / "01_GT" / "TRA").iterdir():
        path.unlink()
    assert check_truth(root / "01_GT", root / "01") == []
    assert "holds neither" in str(check_truth(root / "01_GT" / "TRA")[0])


def test_truth_by_itself_covers_every_frame_that_it_names(tmp_path):
    root = write_ctc(tmp_path, *moving_squares())
    (root / "01_GT" / "TRA" / "man_track000.tif").unlink()
    assert [str(fault) for fault in check_truth(root / "01_GT")] == [
        *(
            f"man_track.txt: label {n} begins in frame 0, but the first mask is man_track001.tif"
            for n in (1, 2, 3)
        ),
        "man_seg000.tif: is of a frame that has no man_track file",
    ]
    for path in (root / "01_GT" / "TRA").glob("*.tif"):
        path.unlink()
    assert [str(fault) for fault in check_truth(root / "01_GT")] == [
        "man_track.txt: lists tracks, but there is no man_track000.tif"
    ]
    (root / "01_GT" / "TRA" / "man_track.txt").write_text("")
    assert check_truth(root / "01_GT") == []
    assert [str(fault) for fault in check_truth(root / "02_GT")] == [f"{root / '02_GT'}: is not a folder"]


def test_real_truth_is_valid(test_data):
    for folder in (test_data / "ctc" / "PhC-C2DH-U373", test_data / "ctc" / "Fluo-N2DL-HeLa"):
        assert [fault for fault in check_truth(folder / "01_GT", folder / "01") if not fault.warning] == []

"""Names of masks: which files count, under which frame, and what is said of the others."""

from pathlib import Path

import numpy as np
import pytest
import tifffile

from cosembed.datasets.ctc.mask_files import mask_files, misnamed_files, read_labels
from cosembed.errors import DataError


def test_masks_are_listed_by_the_numbers_of_their_frames(tmp_path: Path) -> None:
    names = ["mask010.tif", "mask002.tif", "mask0011.tif", "mask100000000.tif"]
    others = ["t000.tif", "mask003.png", "man_track001.tif", "res_track.txt"]
    for name in names + others:
        (tmp_path / name).touch()
    found = mask_files(tmp_path, "mask")
    assert list(found) == [2, 10, 11, 100000000]
    assert found[11] == tmp_path / "mask0011.tif"
    assert [path.name for path, _ in misnamed_files(tmp_path, "mask")] == ["mask003.png"]
    assert mask_files(tmp_path / "nowhere", "mask") == {}


@pytest.mark.parametrize(
    "name",
    [
        "mask1.tif",
        "mask01.tif",
        "mask.tif",
        "mask_001.tif",
        "mask\u0661\u0662\u0663.tif",
        "mask0000000001.tif",
    ],
)
def test_files_of_other_names_are_left_out_and_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert mask_files(tmp_path, "mask") == {}
    ((path, problem),) = misnamed_files(tmp_path, "mask")
    assert path.name == name and problem.startswith("is not named maskNNN.tif after its frame")


def test_two_files_of_one_frame_are_named(tmp_path: Path) -> None:
    for name in ("man_seg0007.tif", "man_seg007.tif"):
        (tmp_path / name).touch()
    assert misnamed_files(tmp_path, "man_seg") == [
        (tmp_path / "man_seg007.tif", "has the same number as man_seg0007.tif")
    ]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.uint32])
def test_labels_of_any_integer_type_come_as_uint16(tmp_path: Path, dtype: type) -> None:
    labels = np.array([[0, 1], [2, 255]], dtype)
    tifffile.imwrite(tmp_path / "mask000.tif", labels)
    found = read_labels(tmp_path / "mask000.tif")
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, labels)


@pytest.mark.parametrize(
    "image",
    [
        np.full((2, 2), 65536, np.uint32),
        np.full((2, 2), -1, np.int16),
        np.ones((2, 2), np.float32),
        np.zeros((4, 4, 3), np.uint8),
    ],
)
def test_what_is_no_label_image_is_refused(tmp_path: Path, image: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "mask000.tif", image)
    with pytest.raises(DataError, match=r"mask000\.tif: is not a label image"):
        read_labels(tmp_path / "mask000.tif")

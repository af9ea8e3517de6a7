"""Corrected labels become a truth that the package's own check accepts, and that a training reads."""

import numpy as np
import pytest
import tifffile

from cosembed.datasets.ctc.track_table import read_tracks
from cosembed.datasets.ctc.validation import check_truth
from cosembed.errors import InputError, OutputError
from cosembed.napari_plugin.truth import parse_frames, unbroken_tracks, write_truth
from tests.helpers.builders import moving_squares
from tests.helpers.result_folders import drawn_video


def test_a_whole_correction_is_a_valid_truth_with_its_lineage(tmp_path):
    images, labels, tracks = moving_squares()
    parents = {track.label: track.parent for track in tracks if track.parent}
    write_truth(tmp_path / "new", images, labels, parents, range(len(labels)))
    assert check_truth(tmp_path / "new" / "01_GT", tmp_path / "new" / "01") == []
    assert set(read_tracks(tmp_path / "new" / "01_GT" / "TRA" / "man_track.txt")) == set(tracks)
    for index, image in enumerate(images):
        np.testing.assert_array_equal(tifffile.imread(tmp_path / "new" / "01" / f"t{index:03d}.tif"), image)


def test_of_some_complete_frames_only_outlines_are_truth(tmp_path):
    images, labels, _ = moving_squares()
    write_truth(tmp_path / "new", images, labels, {}, [1, 3])
    truth = tmp_path / "new" / "01_GT"
    assert sorted(path.name for path in truth.rglob("*.tif")) == ["man_seg001.tif", "man_seg003.tif"]
    np.testing.assert_array_equal(tifffile.imread(truth / "SEG" / "man_seg003.tif"), labels[3])
    assert check_truth(truth, tmp_path / "new" / "01") == []


def test_after_a_gap_a_cell_goes_on_as_its_own_daughter():
    labels = np.zeros((6, 2, 4), np.int64)
    for frame in (0, 1, 4):
        labels[frame, 0, 0] = 3
    labels[5, 0, 0] = 8
    labels[:, 1, 3] = 5
    # 8 came from 3; 5 can't have come from 8, which begins later; 9 was erased.
    numbered, tracks = unbroken_tracks(labels, {8: 3, 5: 8, 9: 3})
    assert tracks == [(3, 0, 1, 0), (5, 0, 5, 0), (8, 5, 5, 9), (9, 4, 4, 3)]
    assert [int(mask[0, 0]) for mask in numbered] == [3, 3, 0, 0, 9, 8]


def test_a_valid_table_comes_back_unchanged():
    labels, tracks = drawn_video()
    numbered, found = unbroken_tracks(labels, {track.label: track.parent for track in tracks if track.parent})
    np.testing.assert_array_equal(numbered, labels)
    assert found == tracks


@pytest.mark.parametrize(
    ("text", "frames"), [("all", [0, 1, 2, 3]), ("", [0, 1, 2, 3]), ("0-1, 3", [0, 1, 3]), ("2", [2])]
)
def test_frames_are_all_or_numbers_and_ranges(text, frames):
    assert parse_frames(text, 4) == frames


@pytest.mark.parametrize("text", ["4", "2-9", "3-1", "one", "1,,2", "-1"])
def test_frames_that_are_not_there_are_refused(text):
    with pytest.raises(InputError, match="names no frames from 0 to 3"):
        parse_frames(text, 4)


def test_what_is_no_truth_is_refused_and_nothing_written(tmp_path):
    images, labels, _ = moving_squares()
    cases = (
        (images[:-1], labels, [0], "choose their own frames"),
        (images, labels * 0, [0], "no complete frame has a cell"),
        (images, labels.astype(np.int32) * 65535, [0], "renumber the cells"),
        (images, -labels.astype(np.int32), [0], "renumber the cells"),
    )
    for frames, wrong, complete, sentence in cases:
        with pytest.raises(InputError, match=sentence):
            write_truth(tmp_path / "new", frames, wrong, {}, complete)
        assert list(tmp_path.iterdir()) == []
    write_truth(tmp_path / "new", images, labels, {}, [0])
    with pytest.raises(OutputError, match="exists"):
        write_truth(tmp_path / "new", images, labels, {}, [0])

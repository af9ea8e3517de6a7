"""Challenge folders as annotated videos: reading, cutting, contradictions, and the six real videos."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray

from cosembed.datasets.ctc.mask_files import read_labels
from cosembed.datasets.ctc.reader import cut_video, read_annotated_video, write_truth_cut
from cosembed.datasets.ctc.track_table import Track, read_tracks
from cosembed.errors import DataError, OutputError
from cosembed.specs import CellsDatasetSpec

Labels = NDArray[np.uint16]
SHAPE = (16, 20)
# A cell that divides: 1 lives in frames 0-1, its daughters 2 and 3 in frames 2-4; 4 stays all the time.
TRACKS = (Track(1, 0, 1, 0), Track(2, 2, 4, 1), Track(3, 2, 4, 1), Track(4, 0, 4, 0))
BOXES = {1: (2, 2, 6, 8), 2: (2, 2, 4, 8), 3: (5, 2, 7, 8), 4: (10, 10, 15, 18)}


def spec(**changes: object) -> CellsDatasetSpec:
    values: dict = {
        "name": "tiny", "paper_name": "tiny", "archive": "", "licence": "free", "videos": ("01",),
        "tra_masks": "markers",
        "complete_frames": {}, "loss_border": 0, "image_shape": SHAPE,
    }  # fmt: skip
    return CellsDatasetSpec(**{**values, **changes})


def masks_of(frame: int) -> Labels:
    labels = np.zeros(SHAPE, np.uint16)
    for label, begin, end, _ in TRACKS:
        if begin <= frame <= end:
            top, left, bottom, right = BOXES[label]
            labels[top:bottom, left:right] = label
    return labels


def markers_of(frame: int) -> Labels:
    """One pixel per cell, in the middle of its mask."""
    masks, markers = masks_of(frame), np.zeros(SHAPE, np.uint16)
    for label in np.unique(masks[masks > 0]):
        pixels = np.argwhere(masks == label)
        markers[tuple(pixels[len(pixels) // 2])] = label
    return markers


def write(root: Path, kinds: str = "TRA SEG", first: int = 0, segmented: tuple[int, ...] = (0, 2)) -> None:
    """Five frames from number `first`: markers in all, masks with other ids in the `segmented`."""
    for folder in ("01", "01_GT/TRA", "01_GT/SEG"):
        (root / folder).mkdir(parents=True)
    generator = np.random.default_rng(1)
    for frame in range(5):
        number = f"{first + frame:03d}.tif"
        tifffile.imwrite(root / f"01/t{number}", generator.integers(0, 255, SHAPE).astype(np.uint8))
        if "TRA" in kinds:
            tifffile.imwrite(root / f"01_GT/TRA/man_track{number}", markers_of(frame))
        if "SEG" in kinds and frame in segmented:
            masks = masks_of(frame)
            tifffile.imwrite(
                root / f"01_GT/SEG/man_seg{number}", np.where(masks > 0, 9 - masks, 0).astype(np.uint16)
            )
    if "TRA" in kinds:
        lines = [f"{label} {begin + first} {end + first} {parent}" for label, begin, end, parent in TRACKS]
        (root / "01_GT/TRA/man_track.txt").write_text("\n".join(lines))


def test_markers_and_masks_are_merged(tmp_path: Path) -> None:
    write(tmp_path)
    sequence = read_annotated_video(tmp_path, "01", spec())
    for frame in range(5):
        np.testing.assert_array_equal(
            sequence.labels[frame], masks_of(frame) if frame in (0, 2) else markers_of(frame)
        )
    assert sequence.labels.dtype == np.uint16
    assert sequence.complete.tolist() == [True, False, True, False, False]
    assert sequence.tracks == TRACKS
    assert sequence.segments == ((0, 5),)
    assert (sequence.name, len(sequence), sequence.frames[4].shape) == ("01", 5, SHAPE)
    assert sequence.loss_mask.all() and sequence.loss_mask.shape == SHAPE


def test_full_markers_make_every_frame_complete(tmp_path: Path) -> None:
    write(tmp_path)
    assert read_annotated_video(tmp_path, "01", spec(tra_masks="full")).complete.all()


def test_a_frame_with_a_cell_that_has_no_mask_is_not_complete(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "01_GT/SEG/man_seg002.tif"
    masks = tifffile.imread(path)
    tifffile.imwrite(path, np.where(masks == 9 - 3, 0, masks))
    sequence = read_annotated_video(tmp_path, "01", spec())
    assert sequence.complete.tolist() == [True, False, False, False, False]
    assert sequence.segmented is not None and sequence.segmented.tolist() == [True, False, True, False, False]
    assert (sequence.labels[2] == 3).sum() == 1, "the cell keeps its marker"


def test_markers_alone(tmp_path: Path) -> None:
    write(tmp_path, "TRA")
    sequence = read_annotated_video(tmp_path, "01", spec())
    np.testing.assert_array_equal(sequence.labels, np.stack([markers_of(frame) for frame in range(5)]))
    assert not sequence.complete.any() and sequence.tracks == TRACKS
    assert sequence.segmented is not None and not sequence.segmented.any()


def test_masks_alone_are_linked_where_frames_are_neighbours(tmp_path: Path) -> None:
    write(tmp_path, "SEG", segmented=(0, 1, 4))
    sequence = read_annotated_video(tmp_path, "01", spec())
    assert sequence.segments == ((0, 2), (4, 5))
    assert sequence.complete.tolist() == [True, True, False, False, True]
    np.testing.assert_array_equal(sequence.labels[0], sequence.labels[1])
    np.testing.assert_array_equal(sequence.labels[0] > 0, masks_of(0) > 0)
    assert not sequence.labels[2:4].any()
    assert sequence.tracks == ()


def test_without_truth(tmp_path: Path) -> None:
    write(tmp_path, "")
    sequence = read_annotated_video(tmp_path, "01", spec(), truth=False)
    assert sequence.labels.shape == (5, *SHAPE) and not sequence.labels.any() and not sequence.complete.any()
    with pytest.raises(
        DataError, match=r"01_GT: holds neither TRA/man_track000\.tif nor SEG/man_seg000\.tif"
    ):
        read_annotated_video(tmp_path, "01", spec())


def test_videos_need_not_begin_with_frame_0(tmp_path: Path) -> None:
    write(tmp_path, first=7)
    sequence = read_annotated_video(tmp_path, "01", spec(tra_masks="full"))
    # Frames with a file of masks, whatever else is known of the others.
    assert sequence.complete.all()
    assert sequence.segmented is not None and sequence.segmented.tolist() == [True, False, True, False, False]
    np.testing.assert_array_equal(sequence.labels[2], masks_of(2))
    assert sequence.tracks == TRACKS
    write_truth_cut(tmp_path, "01", 2, 4, tmp_path / "cut")
    assert sorted(path.name for path in (tmp_path / "cut/TRA").glob("*.tif")) == [
        "man_track000.tif",
        "man_track001.tif",
    ]
    np.testing.assert_array_equal(read_labels(tmp_path / "cut/TRA/man_track000.tif"), markers_of(2))


def test_masks_alone_of_a_video_that_begins_later(tmp_path: Path) -> None:
    write(tmp_path, "SEG", first=7, segmented=(1, 2))
    sequence = read_annotated_video(tmp_path, "01", spec())
    assert sequence.segments == ((1, 3),)
    np.testing.assert_array_equal(sequence.labels[2] > 0, masks_of(2) > 0)


def test_a_multipage_video_with_truth(tmp_path: Path) -> None:
    write(tmp_path)
    frames = [tifffile.imread(path) for path in sorted((tmp_path / "01").iterdir())]
    for path in (tmp_path / "01").iterdir():
        path.unlink()
    tifffile.imwrite(tmp_path / "01.tif", np.stack(frames), photometric="minisblack")
    (tmp_path / "01.tif_GT").symlink_to(tmp_path / "01_GT")
    np.testing.assert_array_equal(read_annotated_video(tmp_path, "01.tif", spec()).labels[2], masks_of(2))


def test_the_loss_mask_leaves_out_the_border(tmp_path: Path) -> None:
    write(tmp_path)
    expected = np.zeros(SHAPE, bool)
    for y in range(SHAPE[0]):
        for x in range(SHAPE[1]):
            expected[y, x] = min(y, SHAPE[0] - 1 - y, x, SHAPE[1] - 1 - x) >= 3
    np.testing.assert_array_equal(
        read_annotated_video(tmp_path, "01", spec(loss_border=3)).loss_mask, expected
    )
    with pytest.raises(DataError, match=r"01: frames of 20 x 16 pixels lie within dataset\.loss_border=8"):
        read_annotated_video(tmp_path, "01", spec(loss_border=8))


def test_other_complete_frames_than_listed_are_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path)
    read_annotated_video(tmp_path, "01", spec(complete_frames={"01": (0, 2, 77)}))
    assert caplog.messages == [], "frames beyond the end do not count"
    sequence = read_annotated_video(tmp_path, "01", spec(complete_frames={"01": (0, 3)}))
    assert sequence.complete.tolist() == [True, False, True, False, False]
    (message,) = caplog.messages
    assert "found but not listed in the spec: 2; listed but not found: 3" in message and "01_GT" in message


def test_cut_sequence(tmp_path: Path) -> None:
    write(tmp_path)
    sequence = read_annotated_video(tmp_path, "01", spec())
    part = cut_video(sequence, 2, 4)
    assert len(part) == len(part.frames) == 2
    np.testing.assert_array_equal(part.frames[1], sequence.frames[3])
    np.testing.assert_array_equal(part.labels, sequence.labels[2:4])
    assert part.complete.tolist() == [True, False]
    assert part.segmented is not None and part.segmented.tolist() == [True, False]
    assert part.tracks == (Track(2, 0, 1, 0), Track(3, 0, 1, 0), Track(4, 0, 1, 0))
    assert part.segments == ((0, 2),)


def test_cut_segments(tmp_path: Path) -> None:
    write(tmp_path, "SEG", segmented=(0, 1, 4))
    sequence = read_annotated_video(tmp_path, "01", spec())
    assert cut_video(sequence, 1, 5).segments == ((0, 1), (3, 4))
    assert cut_video(sequence, 2, 4).segments == ()


def test_truth_cut(tmp_path: Path) -> None:
    write(tmp_path)
    write_truth_cut(tmp_path, "01", 1, 4, tmp_path / "cut")
    files = sorted(str(path.relative_to(tmp_path / "cut")) for path in (tmp_path / "cut").rglob("*.*"))
    assert files == [
        "SEG/man_seg001.tif",
        "TRA/man_track.txt",
        *(f"TRA/man_track{n:03d}.tif" for n in range(3)),
    ]
    np.testing.assert_array_equal(read_labels(tmp_path / "cut/TRA/man_track002.tif"), markers_of(3))
    np.testing.assert_array_equal(read_labels(tmp_path / "cut/SEG/man_seg001.tif") > 0, masks_of(2) > 0)
    expected = (Track(1, 0, 0, 0), Track(2, 1, 2, 1), Track(3, 1, 2, 1), Track(4, 0, 2, 0))
    assert read_tracks(tmp_path / "cut/TRA/man_track.txt") == expected
    with pytest.raises(OutputError, match="exists already"):
        write_truth_cut(tmp_path, "01", 1, 4, tmp_path / "cut")


def test_truth_cut_keeps_four_digits_and_refuses_a_range_without_truth(tmp_path: Path) -> None:
    write(tmp_path, "SEG")
    for path in (tmp_path / "01_GT/SEG").iterdir():
        path.rename(path.with_name(path.name.replace("man_seg", "man_seg0")))
    write_truth_cut(tmp_path, "01", 1, 4, tmp_path / "cut")
    assert [path.name for path in (tmp_path / "cut/SEG").iterdir()] == ["man_seg0001.tif"]
    with pytest.raises(DataError, match="holds no truth for frames 3 to 4"):
        write_truth_cut(tmp_path, "01", 3, 5, tmp_path / "none")
    assert not (tmp_path / "none").exists()
    assert not list(tmp_path.glob(".none*"))


def spoil_size(root: Path) -> None:
    tifffile.imwrite(root / "01_GT/SEG/man_seg002.tif", np.zeros((16, 21), np.uint16))


def spoil_type(root: Path) -> None:
    tifffile.imwrite(root / "01_GT/TRA/man_track001.tif", np.zeros(SHAPE, np.float32))


def spoil_range(root: Path) -> None:
    tifffile.imwrite(root / "01_GT/TRA/man_track001.tif", np.full(SHAPE, 70000, np.uint32))


def spoil_number(root: Path) -> None:
    tifffile.imwrite(root / "01_GT/SEG/man_seg005.tif", masks_of(4))


def spoil_gap(root: Path) -> None:
    (root / "01_GT/TRA/man_track003.tif").unlink()


def spoil_table(root: Path) -> None:
    (root / "01_GT/TRA/man_track.txt").unlink()


def spoil_truncated(root: Path) -> None:
    path = root / "01_GT/SEG/man_seg000.tif"
    path.write_bytes(path.read_bytes()[:-300])


def spoil_unlisted(root: Path) -> None:
    table = root / "01_GT/TRA/man_track.txt"
    table.write_text("1 0 1 0\n2 2 4 1\n4 0 4 0\n")


def spoil_span(root: Path) -> None:
    (root / "01_GT/TRA/man_track.txt").write_text("1 0 1 0\n2 2 4 1\n3 2 3 1\n4 0 4 0\n")


def spoil_absent(root: Path) -> None:
    with (root / "01_GT/TRA/man_track.txt").open("a") as table:
        table.write("\n17 0 4 0\n")


def spoil_double(root: Path) -> None:
    masks = np.where(markers_of(2) == 3, 6, 0).astype(np.uint16)
    marker = np.argwhere(markers_of(2) == 4)[0]
    masks[marker[0], marker[1]] = 5
    tifffile.imwrite(root / "01_GT/SEG/man_seg002.tif", masks)
    markers = markers_of(2)
    markers[markers == 3] = 4
    tifffile.imwrite(root / "01_GT/TRA/man_track002.tif", markers)


def spoil_name(root: Path) -> None:
    (root / "01_GT/SEG/man_seg002.tif").rename(root / "01_GT/SEG/man_seg2.tif")


def spoil_twice(root: Path) -> None:
    tifffile.imwrite(root / "01_GT/TRA/man_track0003.tif", markers_of(3))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (spoil_name, r"man_seg2\.tif: is not named man_segNNN\.tif after its frame .*; rename it or move it"),
        (spoil_twice, r"man_track003\.tif: has the same number as man_track0003\.tif"),
        (spoil_size, r"man_seg002\.tif: is 21 x 16 pixels, its frame 20 x 16; make them equal"),
        (spoil_type, r"man_track001\.tif: is not a label image"),
        (spoil_range, r"man_track001\.tif: is not a label image"),
        (spoil_number, r"man_seg005\.tif: there is no frame 5"),
        (spoil_gap, r"TRA: has no man_track file for frame 3"),
        (spoil_table, r"man_track\.txt: does not exist"),
        (spoil_truncated, r"man_seg000\.tif: cannot be read"),
        (spoil_unlisted, r"man_track002\.tif: label 3 is not listed for this frame in man_track\.txt"),
        (spoil_span, r"man_track004\.tif: label 3 is not listed for this frame in man_track\.txt"),
        (spoil_absent, r"man_track\.txt: label 17 is in no mask of"),
        (spoil_double, r"man_seg002\.tif: labels 5 and 6 both cover marker 4 of TRA"),
    ],
)
def test_contradictions_name_the_file(tmp_path: Path, spoil: Callable[[Path], None], sentence: str) -> None:
    write(tmp_path)
    spoil(tmp_path)
    with pytest.raises(DataError, match=sentence):
        read_annotated_video(tmp_path, "01", spec())


@pytest.mark.parametrize(
    ("name", "frames", "complete", "tracks"),
    [
        ("DIC-C2DH-HeLa", 84, range(84), 42),
        ("Fluo-N2DH-SIM+", 65, range(65), 95),
        ("Fluo-N2DH-GOWT1", 46, (21, 31, 33, 39), 25),
        ("Fluo-C2DL-MSC", 48, (5, 7, 11, 19, 24, 25, 29, 33, 34, 35), 15),
        ("Fluo-N2DL-HeLa", 40, (), 139),
        ("PhC-C2DH-U373", 15, range(15), 8),
    ],
)
def test_real_sequences(
    test_data: Path, name: str, frames: int, complete: tuple[int, ...], tracks: int
) -> None:
    sequence = read_annotated_video(test_data / "ctc" / name, "01", spec())
    assert (len(sequence), len(sequence.tracks)) == (frames, tracks)
    assert np.flatnonzero(sequence.complete).tolist() == list(complete)
    assert sequence.frames[frames - 1].shape == sequence.labels.shape[1:]
    for track in sequence.tracks:
        assert (sequence.labels[track.begin] == track.label).any()

"""Result folders: upsampling, repair, files that other programs read."""

import csv

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from cosembed import specs
from cosembed.data.preprocessing import frame_grid
from cosembed.data.sequence import Track
from cosembed.data.tracks import read_tracks
from cosembed.data.validation import check_result
from cosembed.errors import OutputError
from cosembed.specs import UpsamplingSpec
from cosembed.tracking import TrackingResult, write_result
from cosembed.tracking.upsample import upsample_labels
from cosembed.tracking.writer import Region, measure_regions, repair_tracks

PREPROCESSING = specs.resolve("simulated").preprocessing
NEAREST = UpsamplingSpec(method="nearest_gaussian", sigma=0.0)
SMOOTH = UpsamplingSpec(method="nearest_gaussian", sigma=2.0)
GAUSSIAN = UpsamplingSpec(method="label_gaussian", sigma=1.0)


def disc_labels(side=32):
    rows, columns = np.mgrid[:side, :side]
    labels = np.zeros((side, side), np.uint16)
    labels[(rows - 10) ** 2 + (columns - 9) ** 2 < 36] = 1
    labels[(rows - 20) ** 2 + (columns - 22) ** 2 < 49] = 2
    return labels


def test_a_whole_factor_repeats_pixels():
    labels = disc_labels()
    grid = frame_grid((96, 64), PREPROCESSING, 32)
    np.testing.assert_array_equal(upsample_labels(labels, grid, (96, 64), NEAREST), labels.repeat(3, axis=0).repeat(2, axis=1))


@pytest.mark.parametrize("upsampling", [SMOOTH, GAUSSIAN])
def test_smooth_upsampling_keeps_labels_and_rounds_corners(upsampling):
    labels = disc_labels()
    grid = frame_grid((128, 128), PREPROCESSING, 32)
    smooth, blocky = (upsample_labels(labels, grid, (128, 128), spec) for spec in (upsampling, NEAREST))
    assert set(np.unique(smooth)) == {0, 1, 2}
    for label in (1, 2):
        both = np.count_nonzero((smooth == label) & (blocky == label))
        assert both / np.count_nonzero((smooth == label) | (blocky == label)) > 0.93
        rows, columns = np.mgrid[:128, :128]
        centre, radius = {1: ((41.5, 37.5), 24), 2: ((81.5, 89.5), 28)}[label]
        ideal = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
        assert np.count_nonzero(ideal ^ (smooth == label)) < np.count_nonzero(ideal ^ (blocky == label))


def test_where_the_zoom_looked_away_there_is_background():
    spec = specs.resolve("Fluo-C2DL-MSC").preprocessing
    assert spec.test_zoom == 0.95
    grid = frame_grid((200, 400), spec, 32)
    full = upsample_labels(np.full((32, 32), 7, np.uint16), grid, (200, 400), NEAREST)
    assert (full[5:195, 10:390] == 7).all()
    assert full.sum() == 7 * 190 * 380


def test_regions_are_centroids_and_areas():
    mask = disc_labels()
    regions = measure_regions(mask)
    for label in (1, 2):
        y, x = ndimage.center_of_mass(mask == label)
        assert regions[label] == pytest.approx(Region(y, x, np.count_nonzero(mask == label)))
    assert measure_regions(np.zeros((4, 4), np.uint16)) == {}


def test_repair_drops_empty_tracks_and_gaps_and_follows_the_masks():
    region = Region(0.0, 0.0, 1)
    tracks = [Track(1, 0, 3, 0), Track(2, 0, 3, 0), Track(3, 2, 3, 1), Track(4, 4, 5, 2), Track(5, 4, 5, 6), Track(6, 1, 2, 0)]
    regions = {
        1: dict.fromkeys([0, 1], region),
        2: dict.fromkeys([0, 2, 3], region),
        3: dict.fromkeys([3], region),
        4: dict.fromkeys([4, 5], region),
        5: dict.fromkeys([4, 5], region),
    }
    assert repair_tracks(tracks, regions) == [Track(1, 0, 1, 0), Track(3, 3, 3, 1), Track(4, 4, 5, 0), Track(5, 4, 5, 0)]


@pytest.fixture
def result():
    labels = np.zeros((4, 16, 16), np.uint16)
    labels[:2, 2:8, 2:14] = 1
    labels[2:, 2:8, 2:7] = 2
    labels[2:, 2:8, 9:14] = 3
    labels[[0, 1, 3], 11:14, 4:8] = 4
    tracks = [Track(1, 0, 1, 0), Track(2, 2, 3, 1), Track(3, 2, 3, 1), Track(4, 0, 3, 0)]
    return TrackingResult(labels, tracks)


def test_a_written_result_is_valid_and_holds_what_was_tracked(result, tmp_path):
    output = tmp_path / "01_RES"
    grid = frame_grid((32, 48), PREPROCESSING, 16)
    tracks = write_result(output, result, grid, (32, 48), NEAREST)
    # Track 4 has a gap: it is erased.
    assert tracks == [Track(1, 0, 1, 0), Track(2, 2, 3, 1), Track(3, 2, 3, 1)]
    assert check_result(output) == []
    assert list(read_tracks(output / "res_track.txt")) == tracks
    masks = [tifffile.imread(output / f"mask{frame:03d}.tif") for frame in range(4)]
    expected = np.where(result.labels == 4, 0, result.labels).repeat(2, axis=1).repeat(3, axis=2)
    np.testing.assert_array_equal(masks, expected)
    assert masks[0].dtype == np.uint16
    with tifffile.TiffFile(output / "mask000.tif") as file:
        assert file.pages[0].compression.name == "ADOBE_DEFLATE"
    with (output / "tracks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6
    assert rows[0] == {"label": "1", "parent": "0", "frame": "0", "y": "9.50", "x": "23.50", "area": "432"}
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["01_RES"]


def test_traccuracy_reads_the_result_as_the_same_lineage(result, tmp_path):
    from traccuracy.loaders import load_ctc_data

    grid = frame_grid((16, 16), PREPROCESSING, 16)
    write_result(tmp_path / "RES", result, grid, (16, 16), NEAREST)
    graph = load_ctc_data(str(tmp_path / "RES"), str(tmp_path / "RES" / "res_track.txt"), run_checks=True).graph
    assert graph.number_of_nodes() == 6
    assert {graph.out_degree(node) for node in graph} == {0, 1, 2}
    (mother,) = [node for node in graph if graph.out_degree(node) == 2]
    assert graph.nodes[mother]["t"] == 1


def test_an_empty_result_is_valid(tmp_path):
    empty = TrackingResult(np.zeros((2, 8, 8), np.uint16), [])
    write_result(tmp_path / "RES", empty, frame_grid((16, 16), PREPROCESSING, 8), (16, 16), SMOOTH)
    assert (tmp_path / "RES" / "res_track.txt").read_text() == ""
    assert check_result(tmp_path / "RES") == []


def test_nothing_is_overwritten_and_nothing_half_written(result, tmp_path, monkeypatch):
    grid = frame_grid((16, 16), PREPROCESSING, 16)
    output = tmp_path / "RES"
    output.mkdir()
    (output / "mine.txt").write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        write_result(output, result, grid, (16, 16), NEAREST)
    assert [path.name for path in output.iterdir()] == ["mine.txt"]

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("cosembed.tracking.writer.write_tracks", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_result(tmp_path / "OTHER", result, grid, (16, 16), NEAREST)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["RES"]

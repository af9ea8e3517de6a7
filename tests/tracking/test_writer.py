"""Result folders hold what was tracked, are valid, and can be read by other programs."""

import csv

import numpy as np
import pytest
import tifffile
from skimage.measure import regionprops

from cosembed import specs
from cosembed.datasets.ctc.track_table import Track, read_tracks
from cosembed.datasets.ctc.validation import check_result
from cosembed.errors import OutputError
from cosembed.images.calibration import Calibration
from cosembed.preprocessing.geometry import Grid, frame_grid
from cosembed.specs import UpsamplingSpec
from cosembed.tracking import TrackingResult, track_embeddings, write_result
from cosembed.tracking.cell_tables import cells_table, lineages_table
from cosembed.tracking.regions import Region, Shape
from cosembed.tracking.writer import MaskFolder, repair_tracks, restore_resolution, write_tables
from tests.helpers.builders import moving_squares
from tests.helpers.label_videos import tracking_spec
from tests.helpers.synthetic_embeddings import SPEC, embeddings_of, moving_discs

PREPROCESSING = specs.resolve("simulated").preprocessing
NEAREST = UpsamplingSpec(method="nearest_gaussian", sigma=0.0)
SMOOTH = UpsamplingSpec(method="nearest_gaussian", sigma=2.0)


def test_repair_drops_empty_tracks_and_gaps_and_follows_the_masks():
    region = Region(0.0, 0.0, 1)
    tracks = [
        Track(1, 0, 3, 0),
        Track(2, 0, 3, 0),
        Track(3, 2, 3, 1),
        Track(4, 4, 5, 2),
        Track(5, 4, 5, 6),
        Track(6, 1, 2, 0),
    ]
    regions = {
        1: dict.fromkeys([0, 1], region),
        2: dict.fromkeys([0, 2, 3], region),
        3: dict.fromkeys([3], region),
        4: dict.fromkeys([4, 5], region),
        5: dict.fromkeys([4, 5], region),
    }
    assert repair_tracks(tracks, regions) == [
        Track(1, 0, 1, 0),
        Track(3, 3, 3, 1),
        Track(4, 4, 5, 0),
        Track(5, 4, 5, 0),
    ]


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
    grid = frame_grid((32, 48), PREPROCESSING, (16, 16))
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
    first = {"label": "1", "parent": "0", "frame": "0", "y": "9.50", "x": "23.50", "area": "432"}
    assert list(rows[0].items())[:6] == list(first.items())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["01_RES"]


@pytest.mark.parametrize("clean_up", ["network", "original"])
@pytest.mark.parametrize("channels", [(), (2,)])
def test_tables_are_those_of_the_masks_and_frames_read_again(clean_up, channels, tmp_path):
    """Cells are measured before they are renamed; the tables are, byte by byte, as if afterwards."""
    spec = tracking_spec(clean_up=clean_up, border=(3, 3), parent_dilation=3)
    found = track_embeddings(embeddings_of(moving_discs()), spec)
    images = (
        np.random.default_rng(3).integers(0, 4000, (len(found.maps), 96, 96, *channels)).astype(np.uint16)
    )
    folder = MaskFolder(tmp_path, len(images), first=7)
    restored = restore_resolution(found, Grid(1.5, 0.25, 1.5, 0.25), (96, 96), SMOOTH, folder, images)
    numbers = range(7, 7 + len(images))
    write_tables(tmp_path, restored.numbered_from(7), numbers, Calibration(0.5, 5))
    regions, shapes = {}, {}
    for number, image in zip(numbers, images, strict=True):
        mask = tifffile.imread(tmp_path / f"mask{number:03d}.tif")
        for cell in regionprops(mask):
            pixels = image[mask == cell.label].reshape(cell.area.astype(int), -1)
            mean = sum(pixels.mean(axis=1).tolist()) / len(pixels)
            regions.setdefault(cell.label, {})[number] = Region(*cell.centroid, int(cell.area))
            shapes.setdefault(cell.label, {})[number] = Shape(cell.perimeter, cell.eccentricity, mean)
    tracks = list(read_tracks(tmp_path / "res_track.txt"))
    assert len(tracks) >= 4 and {track.label for track in tracks} == set(regions)
    lines = cells_table(tracks, regions, shapes, numbers, Calibration(0.5, 5))
    assert (tmp_path / "tracks.csv").read_text().splitlines() == list(lines)
    lines = lineages_table(tracks, regions, numbers, Calibration(0.5, 5))
    assert (tmp_path / "lineages.csv").read_text().splitlines() == list(lines)


def test_what_smoothing_removes_is_gone_from_the_table_too(tmp_path):
    labels = np.zeros((4, 24, 24), np.uint16)
    labels[:2, 3:9, 3:9] = 1
    labels[2:, 3:9, 3:9] = 2
    # A line of single pixels vanishes under the Gaussian: 3 begins later, 4 has a gap, 5 is never seen.
    labels[0, 14, 3], labels[1:, 12:18, 3:9] = 3, 3
    labels[:, 12:18, 14:20] = 4
    labels[1, 12:18, 14:20] = 0
    labels[1, 15, 16] = 4
    labels[:, 3, 20] = 5
    labels[3, 4:9, 14:19] = 6
    tracks = [
        Track(1, 0, 1, 0),
        Track(2, 2, 3, 1),
        Track(3, 0, 3, 0),
        Track(4, 0, 3, 0),
        Track(5, 0, 2, 0),
        Track(6, 3, 3, 5),
    ]
    labels[3, 3, 20] = 0
    grid = frame_grid((24, 24), PREPROCESSING, (24, 24))
    written = write_result(tmp_path / "RES", TrackingResult(labels, tracks), grid, (24, 24), SMOOTH)
    assert written == [Track(1, 0, 1, 0), Track(2, 2, 3, 1), Track(3, 1, 3, 0), Track(6, 3, 3, 0)]
    assert check_result(tmp_path / "RES") == []
    with (tmp_path / "RES" / "tracks.csv").open() as file:
        rows = [(int(row["label"]), int(row["frame"]), float(row["area"])) for row in csv.DictReader(file)]
    for label, frame, area in rows:
        assert np.count_nonzero(tifffile.imread(tmp_path / "RES" / f"mask{frame:03d}.tif") == label) == area
    assert len(rows) == 2 + 2 + 3 + 1


def test_traccuracy_reads_the_result_as_the_same_lineage(result, tmp_path):
    from traccuracy.loaders import load_ctc_data

    grid = frame_grid((16, 16), PREPROCESSING, (16, 16))
    write_result(tmp_path / "RES", result, grid, (16, 16), NEAREST)
    graph = load_ctc_data(
        str(tmp_path / "RES"), str(tmp_path / "RES" / "res_track.txt"), run_checks=True
    ).graph
    assert graph.number_of_nodes() == 6
    assert {graph.out_degree(node) for node in graph} == {0, 1, 2}
    (mother,) = [node for node in graph if graph.out_degree(node) == 2]
    assert graph.nodes[mother]["t"] == 1


def test_an_empty_result_is_valid(tmp_path):
    empty = TrackingResult(np.zeros((2, 8, 8), np.uint16), [])
    write_result(tmp_path / "RES", empty, frame_grid((16, 16), PREPROCESSING, (8, 8)), (16, 16), SMOOTH)
    assert (tmp_path / "RES" / "res_track.txt").read_text() == ""
    assert check_result(tmp_path / "RES") == []


def test_nothing_is_overwritten_and_nothing_half_written(result, tmp_path, monkeypatch):
    grid = frame_grid((16, 16), PREPROCESSING, (16, 16))
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


def test_a_tracked_division_is_perfect_in_traccuracys_eyes(tmp_path):
    """Embeddings of a known video -> tracks -> files, scored by a second implementation of TRA."""
    from traccuracy import run_metrics
    from traccuracy.loaders import load_ctc_data
    from traccuracy.matchers import CTCMatcher
    from traccuracy.metrics import CTCMetrics, DivisionMetrics

    _, truth, tracks = moving_squares()
    grid = frame_grid(truth.shape[1:], PREPROCESSING, (48, 48))
    network = truth[:, np.rint(grid.offset_y + grid.scale_y * np.arange(48)).astype(int).clip(0, 39)]
    result = track_embeddings(embeddings_of(network, noise=0.02), SPEC)
    write_result(tmp_path / "01_RES", result, grid, truth.shape[1:], NEAREST)
    write_result(
        tmp_path / "TRUTH", TrackingResult(truth, tracks), Grid(1, 0, 1, 0), truth.shape[1:], NEAREST
    )
    data = [
        load_ctc_data(str(tmp_path / name), str(tmp_path / name / "res_track.txt"))
        for name in ("TRUTH", "01_RES")
    ]
    scores, _ = run_metrics(data[0], data[1], CTCMatcher(), [CTCMetrics(), DivisionMetrics()])
    assert scores[0]["results"]["TRA"] == 1 and scores[0]["results"]["DET"] == 1
    assert scores[1]["results"]["Frame Buffer 0"]["Division F1"] == 1

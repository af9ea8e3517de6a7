"""A person's own video: what is said before, what is refused, and what lies in the result folder."""

import csv
import re
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from cosembed.datasets.ctc.track_table import Track, read_tracks
from cosembed.datasets.ctc.validation import check_result
from cosembed.errors import DataError, InputError
from cosembed.images.array_frames import ArrayFrames
from cosembed.images.frame_files import FrameChoice
from cosembed.images.frames import Frames, open_frames
from cosembed.images.survey import Survey, survey_frames
from cosembed.inference.networks import Network, load_network
from cosembed.specs import CellsSpec
from cosembed.video_job import memory
from cosembed.video_job.job import TrackedVideo, run_job
from cosembed.video_job.planning import plan_job
from cosembed.video_job.quality_warnings import warnings_about_input, warnings_about_tracks
from tests.helpers.builders import moving_squares, small_spec, untrained_run

SPEC = small_spec("network.levels=2", "network.image_size=24", "tracking.min_points=12")
IMAGES = moving_squares(4)[0]


@pytest.fixture(scope="module")
def network(tmp_path_factory) -> Network:
    return load_network(untrained_run(tmp_path_factory.mktemp("run") / "net", SPEC))


def run_and_save(frames: Frames, network: Network, output: Path, settings=None) -> TrackedVideo:
    video = run_job(*plan_job(frames, "my video", network, settings or {}))
    video.save(output)
    return video


def facts_of(frames: Frames, name: str, spec: CellsSpec) -> dict[str, str]:
    """What is said before a video is tracked with a network of these values, whose weights do not matter."""
    return dict(plan_job(frames, name, Network(None, spec, "net", "CPU, 2 cores"), {})[-1])


def write_stack(path: Path, images: np.ndarray) -> Frames:
    tifffile.imwrite(path, images, photometric="minisblack")
    return open_frames(path)


def colour_folder(folder: Path) -> Frames:
    folder.mkdir()
    for number, image in enumerate(IMAGES, start=8):
        grey = (image >> 4).astype(np.uint8)
        colours = np.stack([np.zeros_like(grey), grey, 255 - grey], axis=-1)
        (folder / f"frame_{number}.png").write_bytes(imagecodecs.png_encode(colours))
    return open_frames(folder).only_channel(2)


VIDEOS = {
    "colour PNG": colour_folder,
    "16 bit": lambda path: write_stack(path.with_suffix(".tif"), IMAGES),
    "one small float frame": lambda path: write_stack(
        path.with_suffix(".tif"), IMAGES[:1, 5:16, 10:31].astype(np.float32)
    ),
    "8 bit, odd, larger than the network": lambda path: write_stack(
        path.with_suffix(".tif"), (IMAGES[:2] >> 4).astype(np.uint8).repeat(3, axis=1)[:, :-1]
    ),
}


@pytest.mark.parametrize("kind", VIDEOS)
def test_every_kind_of_video_gives_a_valid_folder_with_its_report(tmp_path, network, kind):
    frames = VIDEOS[kind](tmp_path / "video")
    output = tmp_path / "RES"
    video = run_and_save(frames, network, output)
    assert list(video.seconds) == [
        "reading",
        "network",
        "clustering and tracking",
        "upsampling and writing",
        "movie and pictures",
    ]
    assert [str(fault) for fault in check_result(output) if not fault.warning] == []
    masks = [tifffile.imread(path) for path in sorted(output.glob("mask*.tif"))]
    assert {mask.shape for mask in masks} == {frames.shape} and len(masks) == len(frames)
    with (output / "tracks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows and list(rows[0])[:6] == ["label", "parent", "frame", "y", "x", "area"]
    assert len(rows) == sum(len(np.unique(mask)) - 1 for mask in masks)
    page = (output / "report.html").read_text()
    shown = min(4, len(frames))
    assert page.count('data-viewer="movie"') == page.count('data-viewer="lineage"') == 1
    # The number of cells, the lineage for readers without scripts, and the panels.
    assert page.count("data:image/png;base64,") == 2 + 3 * shown
    assert page.count(">tracked cells</figcaption>") == shown
    # One file: nothing is fetched from elsewhere.
    assert not re.search(r"(src|href)=[\"'](?!data:)", page) and "url(" not in page
    found = len(read_tracks(output / "res_track.txt"))
    said = (
        "my video",
        "trained for 4 of 4 steps",
        f"<dd>{found}, median length",
        "movie and pictures",
        "min_points: 12",
        "tensorflow 2.",
    )
    assert [value for value in said if value not in page] == []
    assert sorted(path.name for path in (output / "pictures").iterdir()) == [
        *(f"embedding_t{number:03d}.png" for number in frames.numbers),
        "embeddings.png",
        "lineage.png",
        "overlay.gif",
    ]
    with Image.open(output / "pictures" / "overlay.gif") as gif:
        assert gif.n_frames == len(frames)


def test_masks_tables_report_and_validation_carry_the_frames_numbers(tmp_path, network):
    folder = tmp_path / "video"
    folder.mkdir()
    for number, image in enumerate(IMAGES, start=998):
        tifffile.imwrite(folder / f"t{number:03d}.tif", image)
    from_folder = run_and_save(open_frames(folder), network, tmp_path / "RES")
    assert sorted(path.name for path in (tmp_path / "RES").glob("mask*.tif")) == [
        f"mask{number:04d}.tif" for number in range(998, 1002)
    ]
    assert [
        str(fault) for fault in check_result(tmp_path / "RES", frames_dir=folder) if not fault.warning
    ] == []
    assert from_folder.tracks == list(read_tracks(tmp_path / "RES" / "res_track.txt"))
    with (tmp_path / "RES" / "tracks.csv").open() as file:
        rows = [int(row["frame"]) for row in csv.DictReader(file)]
    assert rows == [row.frame for row in from_folder.table()] and {998, 1001} <= set(rows)
    page = (tmp_path / "RES" / "report.html").read_text()
    assert all(f"Frame {number}." in page for number in range(998, 1002)) and "Frame 0." not in page
    # An array counts from 0, and nothing else differs.
    from_array = run_job(*plan_job(ArrayFrames(IMAGES), "array", network, {}))
    assert from_array.tracks == [
        track._replace(begin=track.begin - 998, end=track.end - 998) for track in from_folder.tracks
    ]
    np.testing.assert_array_equal(from_array.labels, from_folder.labels)


def test_held_frames_and_files_left_out_are_warned_of(tmp_path, network):
    folder = tmp_path / "video"
    folder.mkdir()
    for number, image in zip((1, 2, 4), (IMAGES[0], IMAGES[0] * 0, IMAGES[3]), strict=True):
        tifffile.imwrite(folder / f"t{number:03d}.tif", image)
    (folder / "preview.jpg").touch()
    video = run_and_save(open_frames(folder, FrameChoice(gaps="hold")), network, tmp_path / "RES")
    page = (tmp_path / "RES" / "report.html").read_text()
    for words in ("neither TIFF nor PNG: preview.jpg.", "Frames 2, 3 are missing or blank"):
        assert any(words in warning for warning in video.warnings) and words in page
    assert video.labels.shape[0] == 4


def test_a_video_without_cells_has_a_report_that_says_so(tmp_path, network):
    frames = write_stack(tmp_path / "video.tif", IMAGES[:2])
    run_and_save(frames, network, tmp_path / "RES", {"tracking.min_points": 100000})
    assert "No cell was found in any frame" in (tmp_path / "RES" / "report.html").read_text()
    assert check_result(tmp_path / "RES") == []


def test_a_bad_frame_is_found_before_anything_is_written(tmp_path, network):
    images = IMAGES.astype(np.float32)
    images[2, 3, 4] = np.nan
    frames = write_stack(tmp_path / "video.tif", images)
    with pytest.raises(DataError, match=r"video\.tif, page 2: holds values that are not finite"):
        run_and_save(frames, network, tmp_path / "RES")
    assert not (tmp_path / "RES").exists()


def test_what_will_be_done_is_said(tmp_path):
    frames = write_stack(tmp_path / "video.tif", IMAGES)
    facts = facts_of(frames, "video.tif", SPEC)
    assert facts["Video"] == "video.tif, 4 frames of 48 x 40 pixels, uint16"
    assert facts["Network"] == "net, 24 x 24 pixels"
    assert facts["Clustering"] == "HDBSCAN, exact: every pixel; at least 12 points a cell"
    assert re.fullmatch(
        r"about \d+ MB \(network .*, label maps .*, clustering .*, one frame .*\); [\d,]+ MB available",
        facts["Memory"],
    )


def test_channels_that_the_network_does_not_read_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "video.tif", IMAGES, imagej=True, metadata={"axes": "CYX"})
    with pytest.raises(
        InputError, match=r"video: has 4 channels, the network reads 1; choose one by its number.*axes TYX"
    ):
        facts_of(open_frames(tmp_path / "video.tif"), "video", SPEC)
    (tmp_path / "colours.png").write_bytes(imagecodecs.png_encode(np.zeros((8, 9, 3), np.uint8)))
    with pytest.raises(InputError, match=r"choose one by its number, counted from 1 \(--channel\)$"):
        facts_of(open_frames(tmp_path / "colours.png"), "video", SPEC)
    three = small_spec("network.channels=3")
    with pytest.raises(InputError, match="video: has 1 channel, the network reads 3; give frames of as many"):
        facts_of(write_stack(tmp_path / "video.tif", IMAGES), "video", three)


def test_a_video_that_does_not_fit_the_memory_is_refused():
    parts = memory.estimate(1_000_000, (40, 48), SPEC)
    with pytest.raises(
        InputError, match=r"memory: about [\d,]+ MB needed .* but 200 MB available; cut the video"
    ):
        memory.check(parts, 200 * memory.MEGABYTE)
    assert "available" not in memory.check(parts, None)


def test_only_label_maps_and_tables_grow_with_the_video():
    short, long = (memory.estimate(frames, (40, 48), SPEC) for frames in (10, 20))
    assert long["label maps"] - short["label maps"] == 576 + 1920
    assert long["tables"] == 2 * short["tables"] > 0
    grown = {"label maps": 0, "tables": 0}
    assert {**long, **grown} == {**short, **grown}


def test_the_estimate_grows_with_image_and_network():
    def total(shape=(40, 48), *overrides):
        return sum(memory.estimate(10, shape, small_spec(*overrides)).values())

    assert total((4000, 4800)) > total()
    assert total((40, 48), "network.image_size=256") > total((40, 48), "network.image_size=128")
    assert total((40, 48), "network.outputs=32") > total()


def test_survey_counts_saturated_pixels_and_grey_values():
    frames = [np.array([[0, 255], [255, 7]], np.uint8), np.array([[0, 1], [2, 3]], np.uint8)]
    assert survey_frames(frames) == Survey(saturated=0.5, grey_values=3)
    assert survey_frames([np.array([[0.0, 1e38]], np.float32)]).saturated == 0


GOOD = Survey(0.0, 200)


@pytest.mark.parametrize(
    ("shape", "survey", "words"),
    [
        ((100, 100), GOOD, []),
        ((140, 130), GOOD, []),
        ((400, 400), GOOD, ["400 x 400", "4.0 times smaller"]),
        ((50, 50), GOOD, ["2.0 times as large"]),
        ((150, 70), GOOD, ["another shape"]),
        ((100, 100), Survey(0.1, 200), ["10% of a frame's pixels"]),
        ((100, 100), Survey(0.0, 4), ["only 4 grey values"]),
    ],
)
def test_the_input_is_warned_about(shape, survey, words):
    found = list(warnings_about_input(shape, (100, 100), survey))
    assert len(found) == bool(words)
    for word in words:
        assert word in found[0]


LONG = [Track(label, 0, 19, 0) for label in range(1, 11)]


@pytest.mark.parametrize(
    ("counts", "tracks", "sentence"),
    [
        ([10] * 20, LONG, None),
        ([10] * 10 + [12] * 10, LONG, None),
        ([0] * 20, [], "No cell was found in any frame"),
        ([10] * 10 + [0] + [10] * 9, LONG, "No cell was found in 1 of 20 frames (10)."),
        ([10] * 10 + [20] * 10, LONG, "changes abruptly in 1 frame (10)"),
        (
            [10] * 20,
            [*LONG, *(Track(label, 3, 5, 0) for label in range(11, 20))],
            "47% of the tracks last at most 3 frames",
        ),
        (
            [13] * 500,
            [Track(label, 0, 13, 0) for label in range(1, 600)],
            "Half of the tracks last at most 14 of 500 frames",
        ),
        (
            [10] * 20,
            [*LONG, *(Track(20 + label, 10, 19, 1 + label // 2) for label in range(10))],
            "5 divisions were found: a cell would divide every 40 frames",
        ),
        ([10] * 20, [*LONG, *(Track(20 + label, 10, 19, 1 + label // 2) for label in range(4))], None),
        ([10] * 20, [*LONG, *(Track(20 + label, 10, 19, 1 + label) for label in range(10))], None),
        (
            [20] * 20,
            [*LONG, *LONG, *(Track(20 + label, 10, 14 + label // 6, 1 + label // 2) for label in range(8))],
            "After 3 of 4 divisions a daughter is lost within 5 frames",
        ),
    ],
)
def test_the_tracks_are_warned_about(counts, tracks, sentence):
    found = list(warnings_about_tracks(counts, tracks))
    assert (sentence is None) == (not found)
    assert sentence is None or sentence in found[0]

"""`cosembed track` on OME-Zarr, with units and GEFF: the result is that of the same frames as TIFF."""

import csv
import json
import re
from pathlib import Path

import geff
import numpy as np
import pytest
import tifffile

import cosembed
from cosembed.errors import InputError, OutputError
from cosembed.exchange.geff_reading import read_geff, write_result_folder
from cosembed.video_job.record import read_record
from tests.commands.test_track import SPEC, track
from tests.helpers.builders import moving_squares, untrained_run
from tests.helpers.result_folders import same_content
from tests.images.test_zarr_video import write_image
from tests.robustness.test_survival import assert_one_sentence

IMAGES = np.asarray(moving_squares(4)[0])
pytestmark = pytest.mark.filterwarnings("ignore:.*label_prop.*:DeprecationWarning")


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory) -> Path:
    return untrained_run(tmp_path_factory.mktemp("run") / "net", SPEC)


def test_a_zarr_store_is_tracked_with_its_units_and_gives_a_graph(run_folder, tmp_path):
    write_image(tmp_path / "video.zarr", IMAGES, "tyx", chunks=(1, 20, 24))
    done = track(tmp_path / "video.zarr", run_folder, str(tmp_path / "RES"), "--geff", "--pixel_size=0.5")
    assert done.returncode == 0, done.stderr
    warning = f"{tmp_path / 'video.zarr'} states pixels of 0.65 micrometres; --pixel_size=0.5 counts."
    assert "\nPixel size: 0.5 micrometres\nFrame interval: 5 minutes\n" in done.stdout
    assert done.stdout.count(f"warning: {warning}\n") == 1
    output = tmp_path / "RES"
    report = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", (output / "report.html").read_text()))
    assert "Pixel size 0.5 micrometres" in report and warning in report
    assert json.loads((output / "track.json").read_text())["calibration"] == {
        "pixel_size": 0.5,
        "frame_interval": 5.0,
    }
    # The frames as TIFF give the same cells, whose means are those of the frames.
    tifffile.imwrite(tmp_path / "video.tif", IMAGES, photometric="minisblack")
    video = cosembed.track(tmp_path / "video.tif", run_folder, progress=False)
    with (output / "tracks.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [tuple(map(float, row)) for row in video.table()] == [
        tuple(float(value) for value in list(row.values())[:6]) for row in rows
    ]
    assert rows
    for row in rows:
        frame = int(row["frame"])
        cell = IMAGES[frame][video.labels[frame] == int(row["label"])]
        assert float(row["mean_intensity"]) == pytest.approx(cell.mean(), rel=1e-5)
        assert float(row["area_um2"]) == pytest.approx(len(cell) / 4)
        assert float(row["time_min"]) == frame * 5
    with (output / "lineages.csv").open() as file:
        lives = list(csv.DictReader(file))
    assert [(int(life["label"]), int(life["birth"]), int(life["death"])) for life in lives] == [
        track[:3] for track in sorted(video.tracks)
    ]
    # The graph holds the same, with the units, and comes back as the folder.
    assert [axis.scale for axis in geff.GeffMetadata.read(output / "tracks.geff").axes] == [5, 0.5, 0.5]
    write_result_folder(read_geff(output / "tracks.geff"), tmp_path / "back")
    assert same_content(output, tmp_path / "back")


def test_a_result_is_not_finished_in_other_units(run_folder, tmp_path):
    tifffile.imwrite(tmp_path / "video.tif", IMAGES, photometric="minisblack")
    output = tmp_path / "RES"
    video = cosembed.track(tmp_path / "video.tif", run_folder, pixel_size=0.5, progress=False)
    video.save_tracks(output)
    assert read_record(output).calibration == (0.5, None)
    done = track(tmp_path / "video.tif", run_folder, str(output), "--pixel_size=0.6")
    assert_one_sentence(done, "RES: exists already, made with other units")


def test_units_of_python_are_checked(run_folder):
    for units in ({"pixel_size": -1}, {"frame_interval": float("nan")}):
        with pytest.raises(InputError, match="must be above 0, and finite"):
            cosembed.track(IMAGES, run_folder, **units)


def test_metadata_that_contradict_each_other_are_one_sentence(tmp_path):
    metadata = {"axes": "TYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.6}
    tifffile.imwrite(tmp_path / "video.ome.tif", IMAGES, ome=True, metadata=metadata)
    # There is no such network either: the units are looked at first.
    done = track(tmp_path / "video.ome.tif", tmp_path / "none", str(tmp_path / "RES"))
    assert_one_sentence(done, "video.ome.tif: its metadata contradict each other", "--pixel_size")


def test_a_graph_is_part_of_what_is_saved_or_nothing_is(run_folder, tmp_path, monkeypatch):
    video = cosembed.track(IMAGES, run_folder, progress=False)

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "RES"))

    with monkeypatch.context() as patch:
        patch.setattr("cosembed.exchange.geff_writing.write_label_image", fails)
        with pytest.raises(OutputError, match="RES: cannot be written"):
            video.save(tmp_path / "RES", geff=True)
    assert list(tmp_path.iterdir()) == []

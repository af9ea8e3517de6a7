"""The reader gives image, labels and tracks of result folders and GEFFs, and needs neither napari nor Qt."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml

from cosembed.errors import DataError
from cosembed.exchange.geff_writing import write_geff
from cosembed.exchange.result_folder import open_result
from cosembed.images.calibration import Calibration
from cosembed.napari_plugin.reader import get_reader
from cosembed.video_job.record import Record, write_record
from cosembed.video_job.source import Source
from tests.helpers.builders import ROOT
from tests.helpers.result_folders import drawn_video, write_result_folder

MANIFEST = ROOT / "cosembed" / "napari_plugin" / "napari.yaml"
GRAPH = {2: [1], 3: [7], 9: [5], 12: [7]}


def read(path: Path):
    reader = get_reader(str(path))
    assert reader is not None
    return {kind: (data, options) for data, options, kind in reader(str(path))}


def rows_by_hand(labels: np.ndarray) -> list[tuple[float, ...]]:
    rows = []
    for frame, mask in enumerate(labels):
        for label in np.unique(mask[mask > 0]):
            y, x = np.nonzero(mask == label)
            rows.append((float(label), float(frame), y.mean(), x.mean()))
    return sorted(rows)


@pytest.fixture
def result(tmp_path) -> Path:
    """The drawn video, whose frames are numbered from 4."""
    labels, tracks = drawn_video()
    shifted = [track._replace(begin=track.begin + 4, end=track.end + 4) for track in tracks]
    return write_result_folder(tmp_path / "RES", labels, shifted, first=4)


def write_frames(folder: Path, count: int) -> Source:
    folder.mkdir()
    for number in range(4, 4 + count):
        tifffile.imwrite(
            folder / f"t{number:03d}.tif", np.arange(360, dtype=np.uint16).reshape(12, 30) + number
        )
    return Source(str(folder))


def assert_cells(layers) -> None:
    labels, _ = drawn_video()
    np.testing.assert_array_equal(layers["labels"][0], labels)
    tracks, options = layers["tracks"]
    np.testing.assert_allclose(tracks, rows_by_hand(labels))
    assert options["graph"] == GRAPH
    assert layers["labels"][1]["metadata"]["cosembed"]["parents"] == {2: 1, 3: 7, 9: 5, 12: 7}


def test_a_result_folder_without_a_record_is_masks_and_tracks(result):
    layers = read(result)
    assert set(layers) == {"labels", "tracks"}
    assert_cells(layers)


@pytest.mark.parametrize("count", [6, 5])
def test_frames_that_the_record_names_are_shown_if_they_fit(result, tmp_path, count):
    source = write_frames(tmp_path / "frames", count)
    write_record(result, Record("a", "b", source, [], [], {}), "", {})
    layers = read(result)
    assert_cells(layers)
    assert ("image" in layers) == (count == 6)
    if count == 6:
        image = layers["image"][0]
        assert image.shape == (6, 12, 30)
        assert image[2, 1, 0] == 30 + 4 + 2


def test_a_geff_gives_the_layers_of_its_folder(result, tmp_path):
    pytest.importorskip("geff", reason="GEFF files need the package geff")
    write_geff(open_result(result), tmp_path / "tracks.geff", Calibration(None, None), "0.4")
    assert_cells(read(tmp_path / "tracks.geff"))


def test_the_table_of_a_result_stands_for_its_folder(result):
    assert_cells(read(result / "res_track.txt"))


def test_other_folders_and_files_are_left_to_others(tmp_path, result):
    for path in (tmp_path, tmp_path / "nowhere", result / "mask004.tif"):
        assert get_reader(str(path)) is None
    assert get_reader([str(result)]) is None


def test_a_damaged_result_is_a_sentence(result):
    (result / "res_track.txt").write_text("1 0 99 0\n")
    with pytest.raises(DataError, match="RES"):
        read(result)


def test_everything_that_the_manifest_names_is_there():
    contributions = yaml.safe_load(MANIFEST.read_text())["contributions"]
    commands = {command["id"]: command["python_name"] for command in contributions["commands"]}
    named = [entry["command"] for kind in ("readers", "widgets") for entry in contributions[kind]]
    assert set(named) == set(commands)
    for python_name in commands.values():
        module, _, name = python_name.partition(":")
        text = (ROOT / f"{module.replace('.', '/')}.py").read_text()
        assert f"def {name}(" in text or f"class {name}(" in text


def test_npe2_accepts_the_manifest():
    npe2 = pytest.importorskip("npe2", reason="napari is not installed")
    manifest = npe2.PluginManifest.from_file(MANIFEST)
    assert manifest.name == "cosembed"
    assert [widget.display_name for widget in manifest.contributions.widgets] == [
        "Track a video",
        "Correct and learn",
    ]


def test_neither_tensorflow_nor_napari_is_imported_by_reading(result):
    code = (
        f"import sys; from cosembed.napari_plugin.reader import get_reader; path = {str(result)!r}; "
        "reader = get_reader(path); assert 'numpy' not in sys.modules; layers = reader(path); "
        "import cosembed.napari_plugin.learning, cosembed.napari_plugin.truth; "
        "print({'tensorflow', 'keras', 'napari', 'qtpy'} & set(sys.modules), len(layers))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set() 2"

"""The command `cosembed convert`: its directions, its units, and one sentence for what cannot be."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import geff
import numpy as np
import pytest
import zarr

from cosembed.commands.main import main
from tests.helpers.result_folders import drawn_video, same_content, write_result_folder

pytestmark = pytest.mark.filterwarnings("ignore:.*label_prop.*:DeprecationWarning")


@pytest.fixture
def folder(tmp_path) -> Path:
    return write_result_folder(tmp_path / "RES", *drawn_video())


def convert(capsys, *flags: str) -> tuple[int, str, str]:
    """Exit status, output and errors."""
    with pytest.raises(SystemExit) as ended:
        main(["cosembed", "convert", *flags])
    printed = capsys.readouterr()
    return ended.value.code, printed.out, printed.err


def test_there_and_back_without_loss(folder, tmp_path, capsys):
    graph, back = tmp_path / "tracks.geff", tmp_path / "back"
    assert convert(capsys, f"--input={folder}", f"--output={graph}")[:2] == (
        0,
        f"{graph}: 6 frames, 8 tracks, in pixels and frames\n",
    )
    assert convert(capsys, f"--input={graph}", f"--output={back}")[:2] == (
        0,
        f"{back}: 6 masks, 8 tracks\n",
    )
    assert same_content(folder, back)


def test_units_are_those_of_the_record_unless_flags_say_others(folder, tmp_path, capsys):
    record = {"frames": "", "network": "", "source": None, "facts": [], "warnings": [], "seconds": {}}
    record["calibration"] = {"pixel_size": 0.5, "frame_interval": None}
    (folder / "track.json").write_text(json.dumps(record))
    status, said, _ = convert(
        capsys, f"--input={folder}", f"--output={tmp_path / 'a.geff'}", "--frame_interval=10"
    )
    assert (status, said.rpartition("tracks, ")[2]) == (
        0,
        "pixel size 0.5 micrometres, frame interval 10 minutes\n",
    )
    assert [axis.scale for axis in geff.GeffMetadata.read(tmp_path / "a.geff").axes] == [10, 0.5, 0.5]
    status, said, _ = convert(capsys, f"--input={folder}", f"--output={tmp_path / 'b.xml'}", "--pixel_size=2")
    assert status == 0 and "track.json states pixels of 0.5 micrometres; --pixel_size=2 counts." in said
    assert ET.parse(tmp_path / "b.xml").getroot().find("Settings/ImageData").get("pixelwidth") == "2.0"


@pytest.mark.parametrize(("version", "form"), [("0.4", 2), ("0.5", 3)])
def test_labels_are_written_in_either_version(folder, tmp_path, capsys, version, form):
    output = tmp_path / "cells.zarr"
    assert convert(capsys, f"--input={folder}", f"--output={output}", f"--ome_zarr={version}")[0] == 0
    array = zarr.open_array(output / "0", mode="r")
    np.testing.assert_array_equal(array[:], drawn_video()[0])
    assert (array.metadata.zarr_format, array.chunks) == (form, (1, 12, 30))
    assert (
        (output / "0" / "3" / "0" / "0") if form == 2 else (output / "0" / "c" / "3" / "0" / "0")
    ).exists()


@pytest.mark.parametrize(
    ("source", "output", "more", "message"),
    [
        (
            "RES",
            "a.csv",
            [],
            "a.csv: its ending says what is written; a result folder becomes .geff",
        ),
        ("RES", "a", [], "its ending says what is written"),
        ("none", "a.geff", [], "none: holds no masks"),
        ("none.geff", "a", [], "none.geff: does not exist"),
        ("RES", "a.geff", ["--pixel_size=0"], "pixel_size=0.0: must be above 0"),
        ("RES", "a.geff", ["--frame_interval=inf"], "frame_interval=inf: must be above 0"),
        ("RES", "a.geff", ["--ome_zarr=0.3"], "flag --ome_zarr=0.3"),
        ("RES", "RES", [], "RES: exists already"),
        ("", "a.geff", [], "--input is missing"),
        ("RES", "", [], "--output is missing"),
    ],
)
def test_what_cannot_be_converted_is_one_sentence(
    folder, tmp_path, capsys, monkeypatch, source, output, more, message
):
    monkeypatch.chdir(tmp_path)
    status, said, errors = convert(capsys, f"--input={source}", f"--output={output}", *more)
    assert (status, said, errors.count("\n")) == (2, "", 1)
    assert errors.startswith("error: ") and message in errors
    assert [path.name for path in tmp_path.iterdir()] == ["RES"]


def test_a_graph_that_cannot_be_converted_is_one_sentence(folder, tmp_path, capsys):
    graph = tmp_path / "tracks.geff"
    convert(capsys, f"--input={folder}", f"--output={graph}")
    for flags, message in (
        ([f"--output={tmp_path / 'a.xml'}"], "a GEFF becomes a result folder; give a name without an ending"),
        ([f"--output={tmp_path / 'a'}", "--pixel_size=1"], "a result folder has no place for them"),
    ):
        status, _, errors = convert(capsys, f"--input={graph}", *flags)
        assert status == 2 and message in errors
    attributes = json.loads((graph / ".zattrs").read_text())
    attributes["geff"]["axes"] = None
    (graph / ".zattrs").write_text(json.dumps(attributes))
    status, _, errors = convert(capsys, f"--input={graph}", f"--output={tmp_path / 'a'}")
    assert (status, errors.count("\n")) == (2, 1) and "tracks.geff: has no axes" in errors
    (graph / ".zattrs").write_text("{")
    status, _, errors = convert(capsys, f"--input={graph}", f"--output={tmp_path / 'a'}")
    assert (status, errors.count("\n")) == (2, 1) and "tracks.geff: is not a valid GEFF graph" in errors
    assert not (tmp_path / "a").exists()

"""GEFF: the library validates what is written, traccuracy scores it as the folder, and nothing is lost."""

import json
import os
import shutil
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path

import geff
import numpy as np
import pytest
import zarr
from geff.validate.data import ValidationConfig, validate_data

from cosembed.commands.main import main
from cosembed.datasets.ctc.track_table import Track
from cosembed.errors import DataError, InputError, OutputError
from cosembed.exchange.geff_checking import check_geff
from cosembed.exchange.geff_reading import is_geff, read_geff, write_result_folder
from cosembed.exchange.geff_writing import write_geff
from cosembed.exchange.result_folder import open_result
from cosembed.images.calibration import Calibration
from tests.helpers.builders import moving_squares
from tests.helpers.result_folders import drawn_video, same_content
from tests.helpers.result_folders import write_result_folder as make_folder

# The entry that traccuracy reads was renamed in GEFF, which says so.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*label_prop.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Deprecated in geff-spec:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:'res_boxes':UserWarning"),
]
FOLDER = tempfile.TemporaryDirectory()
CALIBRATION = Calibration(0.65, 5.0)


def written(tmp_path: Path, *, first: int = 0, version: str = "0.4") -> tuple[Path, Path]:
    """The drawn video as a result folder and as GEFF, which are written once and copied."""
    original = written_once(first, version)
    shutil.copytree(original, tmp_path, dirs_exist_ok=True)
    return tmp_path / "RES", tmp_path / "tracks.geff"


@cache
def written_once(first: int, version: str) -> Path:
    place = Path(FOLDER.name) / f"{first}_{version}"
    labels, tracks = drawn_video()
    shifted = [track._replace(begin=track.begin + first, end=track.end + first) for track in tracks]
    folder = make_folder(place / "RES", labels, shifted, first)
    write_geff(open_result(folder), place / "tracks.geff", CALIBRATION, version)
    return place


@pytest.fixture(autouse=True, scope="module")
def _cleaned():
    yield
    FOLDER.cleanup()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_library_finds_the_written_graph_valid(tmp_path, version):
    _, path = written(tmp_path, version=version)
    geff.validate_structure(path)
    memory = geff.core_io.read_to_memory(path)
    validate_data(memory, ValidationConfig(graph=True, tracklet=True, lineage=True))
    metadata = memory["metadata"]
    assert [(axis.name, axis.type, axis.unit, axis.scale, axis.scaled_unit) for axis in metadata.axes] == [
        ("t", "time", "frame", 5.0, "minute"),
        ("y", "space", "pixel", 0.65, "micrometer"),
        ("x", "space", "pixel", 0.65, "micrometer"),
    ]
    assert metadata.directed and metadata.track_node_props == {"tracklet": "tracklet", "lineage": "lineage"}
    group = zarr.open_group(path, mode="r")
    assert group.metadata.zarr_format == (2 if version == "0.4" else 3)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_nodes_are_the_cells_and_the_related_object_is_their_label_image(tmp_path, version):
    labels, tracks = drawn_video()
    _, path = written(tmp_path, version=version)
    memory = geff.core_io.read_to_memory(path)
    nodes = {name: found["values"] for name, found in memory["node_props"].items()}
    (related,) = memory["metadata"].related_objects
    image = zarr.open_array(path / related.path, mode="r")
    assert (related.type, related.node_prop) == ("labels", "label")
    np.testing.assert_array_equal(image[:], labels)
    assert len(nodes["t"]) == sum(len(np.unique(mask)) - 1 for mask in labels)
    parents = {track.label: track.parent for track in tracks}
    for row in zip(*(nodes[name] for name in ("t", "y", "x", "label", "area", "parent")), strict=True):
        frame, y, x, label, area, parent = row
        rows, columns = np.nonzero(labels[int(frame)] == label)
        assert (rows.mean(), columns.mean(), len(rows)) == pytest.approx((y, x, area))
        assert parent == parents[int(label)]
    ids = {
        int(node): (int(t), int(label))
        for node, t, label in zip(memory["node_ids"], nodes["t"], nodes["label"], strict=True)
    }
    edges = {(ids[int(source)], ids[int(target)]) for source, target in memory["edge_ids"]}
    expected = {
        ((frame, track.label), (frame + 1, track.label))
        for track in tracks
        for frame in range(track.begin, track.end)
    }
    ends = {track.label: track.end for track in tracks}
    expected |= {
        ((ends[track.parent], track.parent), (track.begin, track.label)) for track in tracks if track.parent
    }
    assert edges == expected


def test_the_label_image_says_what_its_axes_are_in_both_versions(tmp_path):
    for version in ("0.4", "0.5"):
        (tmp_path / version).mkdir()
        _, path = written(tmp_path / version, version=version)
        attributes = dict(zarr.open_group(path / "labels" / "cells", mode="r").attrs)
        listed = dict(zarr.open_group(path / "labels", mode="r").attrs)
        if version == "0.5":
            assert attributes["ome"]["version"] == "0.5"
            attributes, listed = attributes["ome"], listed["ome"]
        assert listed["labels"] == ["cells"]
        (image,) = attributes["multiscales"]
        assert [axis["name"] for axis in image["axes"]] == ["t", "y", "x"]
        assert [axis["unit"] for axis in image["axes"]] == ["minute", "micrometer", "micrometer"]
        (scale,) = image["datasets"][0]["coordinateTransformations"]
        assert scale == {"type": "scale", "scale": [5.0, 0.65, 0.65]}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("first", [0, 1, 998])
def test_a_folder_comes_back_without_loss(tmp_path, first, version):
    folder, path = written(tmp_path, first=first, version=version)
    found = write_result_folder(read_geff(path), tmp_path / "back")
    assert len(found.tracks) == 8
    assert same_content(folder, tmp_path / "back")


def test_an_empty_result_comes_back(tmp_path):
    folder = make_folder(tmp_path / "RES", np.zeros((2, 5, 6), np.uint16), [])
    write_geff(open_result(folder), tmp_path / "none.geff")
    write_result_folder(read_geff(tmp_path / "none.geff"), tmp_path / "back")
    assert same_content(folder, tmp_path / "back")


def test_traccuracy_scores_the_graph_as_the_folder(tmp_path):
    from traccuracy import run_metrics
    from traccuracy.loaders import load_ctc_data, load_geff_data
    from traccuracy.matchers import CTCMatcher
    from traccuracy.metrics import CTCMetrics, DivisionMetrics

    _, truth, tracks = moving_squares()
    make_folder(tmp_path / "GT", truth, tracks)
    # One cell is missed in a frame, one is false, and is taken for a daughter.
    wrong = np.where((truth == 2) & (np.arange(6) == 5)[:, None, None], 0, truth).astype(np.uint16)
    wrong[3:, 36:40, 40:46] = 6
    table = [Track(1, 0, 5, 0), Track(2, 0, 4, 0), Track(3, 0, 2, 0), Track(4, 3, 5, 0), Track(5, 3, 5, 3)]
    folder = make_folder(tmp_path / "RES", wrong, [*table, Track(6, 3, 5, 3)])
    write_geff(open_result(folder), tmp_path / "tracks.geff")
    graphs = [
        load_ctc_data(str(folder), str(folder / "res_track.txt")),
        load_geff_data(str(tmp_path / "tracks.geff"), load_geff_seg=True),
    ]
    scores = []
    for graph in graphs:
        reference = load_ctc_data(str(tmp_path / "GT"), str(tmp_path / "GT" / "res_track.txt"))
        found, _ = run_metrics(reference, graph, CTCMatcher(), [CTCMetrics(), DivisionMetrics()])
        scores.append([metric["results"] for metric in found])
    assert scores[0] == scores[1]
    assert 0 < scores[0][0]["TRA"] < 1 and scores[0][1]["Frame Buffer 0"]["Wrong Children Divisions"] == 1


@pytest.mark.skipif("COSEMBED_TEST_DATA" not in os.environ, reason="needs COSEMBED_TEST_DATA")
def test_real_lineages_come_back_without_loss(tmp_path):
    truth = Path(os.environ["COSEMBED_TEST_DATA"]) / "ctc" / "Fluo-N2DL-HeLa" / "01_GT" / "TRA"
    folder = tmp_path / "RES"
    folder.mkdir()
    for path in truth.glob("man_track*"):
        name = path.name.replace("man_track", "mask" if path.suffix == ".tif" else "res_track")
        (folder / name).symlink_to(path)
    result = open_result(folder)
    write_geff(result, tmp_path / "tracks.geff", CALIBRATION)
    memory = geff.core_io.read_to_memory(tmp_path / "tracks.geff")
    validate_data(memory, ValidationConfig(graph=True, tracklet=True, lineage=True))
    write_result_folder(read_geff(tmp_path / "tracks.geff"), tmp_path / "back")
    back = open_result(tmp_path / "back")
    assert len(result.found.tracks) > 100 and back.found.tracks == result.found.tracks
    for one, other in zip(result.labels(), back.labels(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_graph_of_another_program_gets_labels_for_its_tracks(tmp_path):
    """Pixels are numbered anew in every frame, and the image is a plain array of 32 bits beside the graph."""
    labels, tracks = drawn_video()
    _, path = written(tmp_path)
    memory = geff.core_io.read_to_memory(path)
    image = np.zeros(labels.shape, np.uint32)
    segment = np.zeros(len(memory["node_ids"]), np.int64)
    for node, (frame, label) in enumerate(
        zip(*(memory["node_props"][name]["values"] for name in ("t", "label")), strict=True)
    ):
        segment[node] = 1 + np.sum(memory["node_props"]["t"]["values"][:node] == frame)
        image[frame][labels[frame] == label] = segment[node]
    zarr.create_array(tmp_path / "other.zarr" / "pixels", data=image, zarr_format=3)
    properties = {name: memory["node_props"][name] for name in ("t", "y", "x")}
    properties["seg"] = {"values": segment, "missing": None}
    metadata = geff.GeffMetadata(
        directed=True,
        axes=memory["metadata"].axes,
        node_props_metadata={},
        edge_props_metadata={},
        related_objects=[{"type": "labels", "path": "../pixels", "node_prop": "seg"}],
    )
    ids = 100 - memory["node_ids"]
    geff.core_io.write_arrays(
        str(tmp_path / "other.zarr" / "graph"), ids, properties, 100 - memory["edge_ids"], {}, metadata
    )
    found = write_result_folder(read_geff(tmp_path / "other.zarr" / "graph"), tmp_path / "back")
    back = open_result(tmp_path / "back")
    restored = np.stack(list(back.labels()))
    # The same cells under other names: one name of ours for each of theirs.
    pairs = {(int(a), int(b)) for a, b in zip(labels.ravel(), restored.ravel(), strict=True) if a or b}
    names = dict(pairs)
    assert len(pairs) == len(names)
    renamed = {(names[t.label], t.begin, t.end, names.get(t.parent, 0)) for t in tracks if t.label > 2}
    # 2 alone continues 1 in the next frame: one track, where nothing tells them apart.
    assert {tuple(track) for track in found.tracks} == renamed | {(names[1], 0, 5, 0)}
    assert names[1] == names[2]


def damaged(tmp_path: Path, change) -> Path:
    """A GEFF whose metadata were changed."""
    _, path = written(tmp_path)
    file = path / ".zattrs"
    content = json.loads(file.read_text())
    change(content["geff"])
    file.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda meta: meta.update(axes=None), "tracks.geff: has no axes"),
        (lambda meta: meta.update(axes=meta["axes"][1:], display_hints=None), "has no axis of time"),
        (lambda meta: meta.update(directed=False), "has edges without a direction"),
        (lambda meta: meta.update(related_objects=None), "names no label image"),
        (lambda meta: meta["related_objects"][0].update(path="labels/none"), "labels/none: "),
        (lambda meta: meta["axes"][0].update(name="time"), "is not a valid GEFF graph"),
        (lambda meta: meta["extra"]["cosembed"].update(first_frame="a"), "of the first frame"),
        (lambda meta: meta["extra"].update(cosembed=[1]), "of the first frame"),
        (lambda meta: meta.update(axes="t"), "is not a valid GEFF graph"),
    ],
)
def test_metadata_that_cannot_be_used_are_named(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        read_geff(damaged(tmp_path, change))


def change_array(path: Path, name: str, change) -> None:
    array = zarr.open_array(path / name, mode="r+")
    values = array[:]
    change(values)
    array[:] = values


def test_a_cyclic_lineage_is_named_and_nothing_is_written(tmp_path):
    _, path = written(tmp_path)
    change_array(path, "edges/ids", lambda edges: edges.__setitem__(0, edges[0][::-1].copy()))
    with pytest.raises(DataError, match="cyclic or runs backwards"):
        write_result_folder(read_geff(path), tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_cell_with_two_parents_is_named(tmp_path):
    _, path = written(tmp_path)
    # The edge of the last track ends where another one does, one frame later than both its sources.
    change_array(path, "edges/ids", lambda edges: edges.__setitem__(1, (0, edges[2][1])))
    with pytest.raises(DataError, match="has several parents"):
        write_result_folder(read_geff(path), tmp_path / "back")


@pytest.mark.parametrize("where", ["graph", "image"])
def test_a_label_beyond_16_bits_is_named(tmp_path, where):
    _, path = written(tmp_path)
    if where == "graph":
        change_array(path, "nodes/props/label/values", lambda values: values.__setitem__(0, 70000))
    else:
        pixels = zarr.open_array(path / "labels/cells/0", mode="r")[:].astype(np.uint32)
        pixels[2, 0, 0] = 70000
        zarr.create_array(path / "labels/cells/0", data=pixels, zarr_format=2, overwrite=True)
    with pytest.raises(DataError, match=r"the label 70000, .*65535"):
        write_result_folder(read_geff(path), tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_graph_and_an_image_that_do_not_belong_together_are_named(tmp_path):
    _, path = written(tmp_path)
    change_array(path, "labels/cells/0", lambda pixels: pixels.__setitem__((pixels == 12), 3))
    with pytest.raises(DataError, match=r"the cell 12 of frame 2 is in the graph only"):
        write_result_folder(read_geff(path), tmp_path / "back")


def test_a_graph_that_was_cut_off_is_named(tmp_path):
    _, path = written(tmp_path)
    (path / "edges" / "ids" / ".zarray").unlink()
    with pytest.raises(DataError, match="is not a valid GEFF graph"):
        read_geff(path)


def test_an_image_that_was_cut_off_is_named(tmp_path):
    _, path = written(tmp_path)
    for frame in ("4", "5"):
        (path / "labels/cells/0" / frame / "0" / "0").unlink()
    with pytest.raises(DataError, match=r"nothing of frame 4 is there; .*cut off"):
        write_result_folder(read_geff(path), tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_nothing_is_overwritten(tmp_path):
    folder, path = written(tmp_path)
    with pytest.raises(OutputError, match="exists already"):
        write_geff(open_result(folder), path)
    with pytest.raises(OutputError, match="exists already"):
        write_result_folder(read_geff(path), folder)


def test_a_package_that_is_missing_is_named(tmp_path, monkeypatch):
    folder, path = written(tmp_path)
    monkeypatch.setitem(sys.modules, "geff", None)
    with pytest.raises(
        InputError, match=r"GEFF files need the package geff, .*pip install 'cosembed\[exchange\]'"
    ):
        read_geff(path)
    with pytest.raises(InputError, match="need the package geff"):
        write_geff(open_result(folder), tmp_path / "other.geff")


def test_a_geff_is_known_by_its_name_or_its_content(tmp_path):
    _, path = written(tmp_path)
    other = path.rename(tmp_path / "graph.zarr")
    assert is_geff(other) and is_geff(tmp_path / "x.geff") and not is_geff(tmp_path / "RES")


def test_a_folder_that_is_no_result_is_named(tmp_path):
    with pytest.raises(DataError, match="holds no masks"):
        open_result(tmp_path)
    labels, tracks = drawn_video()
    cyclic = [track._replace(parent=7) if track.label == 5 else track for track in tracks]
    cyclic = [track._replace(parent=5) if track.label == 7 else track for track in cyclic]
    with pytest.raises(DataError, match="but its parent"):
        open_result(make_folder(tmp_path / "RES", labels, cyclic))


def test_writing_a_graph_warns_of_nothing(tmp_path):
    labels, tracks = drawn_video()
    folder = make_folder(tmp_path / "RES", labels, tracks)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_geff(open_result(folder), tmp_path / "tracks.geff", CALIBRATION)
        read_geff(tmp_path / "tracks.geff")


def test_a_check_lists_every_frame_whose_masks_do_not_fit(tmp_path):
    _, path = written(tmp_path)
    assert check_geff(path) == []
    (related,) = geff.GeffMetadata.read(path).related_objects
    image = zarr.open_array(path / related.path)
    image[1, :4, :4], image[4, 1:5, 1:4] = 77, 0
    faults = [str(fault) for fault in check_geff(path)]
    assert faults == [
        "tracks.geff: the cell 77 of frame 1 is in the label image only; the two do not belong together",
        "tracks.geff: the cell 3 of frame 4 is in the graph only; the two do not belong together",
    ]


def test_a_check_says_what_makes_a_graph_unreadable(tmp_path):
    _, path = written(tmp_path)
    shutil.rmtree(path / "nodes")
    (fault,) = check_geff(path)
    assert "is not a valid GEFF graph" in str(fault) and not fault.warning


def test_validate_checks_a_graph(tmp_path, capsys):
    _, path = written(tmp_path)
    for damage, status in ((False, 0), (True, 2)):
        if damage:
            (related,) = geff.GeffMetadata.read(path).related_objects
            zarr.open_array(path / related.path)[2, 1:5, 1:4] = 0
        with pytest.raises(SystemExit) as ended:
            main(["cosembed", "validate", f"--result_dir={path}"])
        assert ended.value.code == status
        printed = capsys.readouterr()
        assert printed.out == ("" if damage else f"{path}: valid\n")
        assert ("the cell 3 of frame 2 is in the graph only" in printed.err) == damage

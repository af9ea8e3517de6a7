"""TrackMate's XML holds every element that TrackMate asks for, and another reader finds the lineages in it.

Fiji is not here; the reader is that of the library geff.
"""

import xml.etree.ElementTree as ET
from pathlib import Path

import geff
import networkx as nx
import numpy as np
import pytest
from geff.convert import from_trackmate_xml_to_geff

from cosembed.datasets.ctc.track_table import Track
from cosembed.exchange.result_folder import open_result
from cosembed.exchange.trackmate import write_trackmate
from cosembed.images.calibration import UNKNOWN, Calibration
from tests.helpers.result_folders import drawn_video, write_result_folder

REQUIRED = (
    "Log",
    "Model/FeatureDeclarations/SpotFeatures/Feature",
    "Model/FeatureDeclarations/EdgeFeatures/Feature",
    "Model/FeatureDeclarations/TrackFeatures/Feature",
    "Model/AllSpots/SpotsInFrame/Spot",
    "Model/AllTracks/Track/Edge",
    "Model/FilteredTracks/TrackID",
    "Settings/ImageData",
    "Settings/BasicSettings",
    "Settings/DetectorSettings",
    "Settings/InitialSpotFilter",
    "Settings/SpotFilterCollection",
    "Settings/TrackerSettings",
    "Settings/TrackFilterCollection",
    "Settings/AnalyzerCollection/SpotAnalyzers",
    "GUIState",
)


def written(tmp_path: Path, calibration: Calibration = UNKNOWN, first: int = 0) -> Path:
    labels, tracks = drawn_video()
    shifted = [track._replace(begin=track.begin + first, end=track.end + first) for track in tracks]
    folder = write_result_folder(tmp_path / "RES", labels, shifted, first)
    write_trackmate(open_result(folder), tmp_path / "tracks.xml", calibration)
    return tmp_path / "tracks.xml"


def expected_edges(tracks: list[Track]) -> set[tuple]:
    """Pairs of (frame, label), from every cell to itself or its daughters."""
    ends = {track.label: track.end for track in tracks}
    edges = {((f, t.label), (f + 1, t.label)) for t in tracks for f in range(t.begin, t.end)}
    return edges | {((ends[t.parent], t.parent), (t.begin, t.label)) for t in tracks if t.parent}


def test_every_required_element_is_there_and_values_are_declared(tmp_path):
    root = ET.parse(written(tmp_path)).getroot()
    assert root.tag == "TrackMate" and root.get("version", "").startswith("7.")
    for place in REQUIRED:
        assert root.find(place) is not None, place
    model = root.find("Model")
    for kind in ("Spot", "Edge", "Track"):
        declared = {
            feature.get("feature") for feature in model.findall(f"FeatureDeclarations/{kind}Features/Feature")
        }
        for element in model.iter(kind):
            assert set(element.attrib) - {"ID", "name"} <= declared
    assert int(model.find("AllSpots").get("nspots")) == len(model.findall(".//Spot"))
    listed = [track.get("TRACK_ID") for track in model.findall("FilteredTracks/TrackID")]
    assert listed == [track.get("TRACK_ID") for track in model.findall("AllTracks/Track")]
    image = root.find("Settings/ImageData").attrib
    assert (image["width"], image["height"], image["nframes"]) == ("30", "12", "6")


@pytest.mark.parametrize("first", [0, 3])
def test_spots_and_edges_are_the_cells_and_their_divisions(tmp_path, first):
    labels, tracks = drawn_video()
    root = ET.parse(written(tmp_path, first=first)).getroot()
    spots = {}
    for spot in root.iter("Spot"):
        frame, label = int(spot.get("FRAME")), int(spot.get("name"))
        rows, columns = np.nonzero(labels[frame] == label)
        assert float(spot.get("POSITION_X")) == pytest.approx(columns.mean())
        assert float(spot.get("POSITION_Y")) == pytest.approx(rows.mean())
        assert np.pi * float(spot.get("RADIUS")) ** 2 == pytest.approx(len(rows))
        spots[spot.get("ID")] = (frame, label)
    assert len(spots) == sum(len(np.unique(mask)) - 1 for mask in labels)
    found = {(spots[e.get("SPOT_SOURCE_ID")], spots[e.get("SPOT_TARGET_ID")]) for e in root.iter("Edge")}
    assert found == expected_edges(tracks)
    splits = {track.get("name"): track.get("NUMBER_SPLITS") for track in root.iter("Track")}
    assert sorted(splits.values()) == ["0", "0", "1"]


@pytest.mark.parametrize("calibration", [UNKNOWN, Calibration(0.5, 10.0)])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_another_reader_finds_the_same_lineages(tmp_path, calibration):
    path = written(tmp_path, calibration)
    from_trackmate_xml_to_geff(path, tmp_path / "theirs.geff")
    graph, _ = geff.read(tmp_path / "theirs.geff", backend="networkx")
    labels, tracks = drawn_video()
    names = {node: (int(found["FRAME"]), int(found["name"])) for node, found in graph.nodes(data=True)}
    edges = {(names[source], names[target]) for source, target in graph.edges}
    assert edges == expected_edges(tracks)
    assert nx.number_weakly_connected_components(graph) == 4
    pixel, interval = (value or 1 for value in calibration)
    for _, found in graph.nodes(data=True):
        rows, columns = np.nonzero(labels[int(found["FRAME"])] == int(found["name"]))
        assert (found["POSITION_X"], found["POSITION_Y"]) == pytest.approx(
            (columns.mean() * pixel, rows.mean() * pixel)
        )
        assert found["POSITION_T"] == pytest.approx(found["FRAME"] * interval)
    model = ET.parse(path).getroot().find("Model")
    units = (model.get("spatialunits"), model.get("timeunits"))
    assert units == (("pixel", "frame") if calibration == UNKNOWN else ("micron", "min"))

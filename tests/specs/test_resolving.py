"""A spec of one's own takes the form of the network to start from, where it says nothing else itself."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from cosembed import specs
from cosembed.specs.dataclass_mapping import merge

# Values at 256 network pixels, as files have them.
OWN = {
    "dataset": {
        "name": "mine",
        "paper_name": "mine",
        "archive": "",
        "licence": "Mine.",
        "videos": ["01"],
        "tra_masks": "full",
        "complete_frames": {},
        "loss_border": 0,
        "image_shape": [300, 500],
    },
    "network": {"channels": 2},
    "preprocessing": {"smoothing_sigma": 1.0, "upper_percentile": 99.5},
    "instances": {"neighbour_radius": 40.0},
    "tracking": {
        "min_points": 400,
        "coordinate_factor": 0.01,
        "border": [0, 0],
        "parent_dilation": 3,
        "parent_frames": 2,
    },
}


def own_file(tmp_path: Path, change: dict) -> Path:
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(merge(OWN, change)))
    return file


@pytest.fixture
def whole() -> specs.CellsSpec:
    """A network that sees whole images at 96 x 96 pixels."""
    return specs.resolve("simulated", "paper", "cpu", {"network.levels": 4, "network.variant": "mia2019"})


@pytest.fixture
def tiled() -> specs.CellsSpec:
    """A network that sees tiles, half a network pixel for each original one."""
    return specs.resolve("Fluo-N2DH-SIM+", "released", "cpu", {"inference.window": 7})


def test_form_and_size_are_those_of_the_network_and_values_follow_them(tmp_path, whole):
    spec = specs.resolve_file(own_file(tmp_path, {}), "paper", "cpu", start=whole)
    network = spec.network
    assert (network.image_size, network.levels, network.outputs) == (96, 4, 12)
    assert network.variant == "mia2019" and network.channels == 2
    assert not spec.inference.tiled
    zoom = 96 / 256
    assert spec.tracking.min_points == round(400 * zoom**2)
    assert spec.tracking.coordinate_factor == pytest.approx(0.01 / zoom)
    assert spec.instances.neighbour_radius == pytest.approx(40 * zoom)
    # The training is the profile's.
    assert spec.training == specs.resolve_file(own_file(tmp_path, {}), "paper", "cpu").training


def test_scale_and_tiles_are_those_of_the_network(tmp_path, tiled):
    spec = specs.resolve_file(own_file(tmp_path, {}), "paper", "cpu", start=tiled)
    assert spec.inference == tiled.inference and spec.inference.scale == 0.5
    # The file's values are of a whole image of 256 x 256 pixels.
    shrunk = 300 * 500 * 0.5**2 / 256**2
    assert spec.tracking.min_points == round(400 * shrunk)
    assert spec.instances.neighbour_radius == pytest.approx(40 * shrunk**0.5)


def test_what_the_file_and_the_flags_say_stays(tmp_path, whole, tiled):
    said = own_file(tmp_path, {"network": {"filters": 48}})
    spec = specs.resolve_file(said, "paper", "paper", {"network.levels": 3}, whole)
    assert (spec.network.filters, spec.network.levels, spec.network.outputs) == (48, 3, 12)

    pieces = {"scale": 0.75, "overlap": 24}
    spec = specs.resolve_file(own_file(tmp_path, {"inference": pieces}), "paper", "cpu", start=tiled)
    assert spec.inference == specs.InferenceSpec(**pieces)

    # Nor is a single one of the network's values left where others replace them.
    spec = specs.resolve_file(own_file(tmp_path, {}), "paper", "cpu", {"inference.scale": 0}, tiled)
    assert spec.inference == specs.InferenceSpec()
    assert spec.network == replace(tiled.network, channels=2)


def test_a_window_in_time_can_be_set_where_files_have_none():
    spec = specs.resolve("DIC-C2DH-HeLa", "paper", "cpu", {"inference.window": 10})
    assert spec.inference.window == 10

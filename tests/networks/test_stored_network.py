"""Folders of networks: made of a run, loaded, checked; and those that come with the package."""

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

import cosembed
from cosembed import specs
from cosembed.errors import CheckpointError, InputError, OutputError, SpecError
from cosembed.models import named_weights
from cosembed.networks.card import Card, read_card
from cosembed.networks.catalogue import advice, network_folder, network_names
from cosembed.networks.export import export_run, measure_cells
from cosembed.networks.stored_network import TOLERANCE, load_stored, verify_stored
from cosembed.specs.dataclass_mapping import to_mapping
from cosembed.training.checkpoints import load_network
from tests.helpers.builders import moving_squares, small_spec, untrained_run, write_ctc

SPEC = small_spec("network.levels=2", "network.image_size=24", "tracking.min_points=12")
IMAGES = moving_squares(4)[0]
FILES = ("card.yaml", "example.npz", "spec.yaml", "weights.npz")
# At the paper's size, and all together.
MOST_BYTES, MOST_BYTES_TOGETHER = 8.3e6, 50e6


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    return untrained_run(tmp_path_factory.mktemp("run") / "net", SPEC)


@pytest.fixture(scope="module")
def exported(run) -> Path:
    export_run(run, run.parent / "mine", "mine", (1.0, 2.0, 3.0))
    return run.parent / "mine"


@pytest.fixture
def folder(exported, tmp_path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(exported, tmp_path / "mine"))


def change_card(folder: Path, **changes: object) -> None:
    """Lays values over those of the card; None removes a key."""
    card = yaml.safe_load((folder / "card.yaml").read_text()) | changes
    (folder / "card.yaml").write_text(yaml.safe_dump({k: v for k, v in card.items() if v is not None}))


def rehash(folder: Path) -> None:
    """Writes into the card the hashes that the files have now."""
    hashes = {
        name: hashlib.sha256((folder / file).read_bytes()).hexdigest()
        for name, file in (("weights", FILES[3]), ("spec", FILES[2]), ("example", FILES[1]))
    }
    change_card(folder, sha256=hashes)


def change_weights(folder: Path, change) -> None:
    """Changes the stored weights, of which the card then has the hash."""
    with np.load(folder / "weights.npz") as archive:
        arrays = dict(archive)
    change(arrays)
    np.savez(folder / "weights.npz", **arrays)
    rehash(folder)


def test_an_exported_folder_holds_the_weights_of_the_run_as_float16(run, exported):
    assert sorted(path.name for path in exported.iterdir()) == list(FILES)
    model, spec, _ = load_network(run)
    stored = load_stored(exported)
    assert stored.spec == spec and stored.card.expects.cell_area == (1.0, 2.0, 3.0)
    with np.load(exported / "weights.npz") as archive:
        assert {archive[name].dtype for name in archive.files} == {np.dtype(np.float16)}
    found = named_weights(stored.model)
    for name, weight in named_weights(model).items():
        np.testing.assert_array_equal(found[name].numpy(), weight.numpy().astype(np.float16), err_msg=name)


def test_its_card_says_what_the_run_knows(exported):
    card = read_card(exported)
    assert (card.name, card.version, card.cosembed) == ("mine", 1, cosembed.__version__)
    assert card.trained.steps == SPEC.training.iterations and card.trained.seed == SPEC.training.seed
    assert card.terms.data == SPEC.dataset.licence
    for name, file in (("weights", FILES[3]), ("spec", FILES[2]), ("example", FILES[1])):
        digest = hashlib.sha256((exported / file).read_bytes()).hexdigest()
        assert getattr(card.sha256, name) == digest


def test_it_tracks_as_the_run_does_with_rounded_weights(run, exported):
    rounded = cosembed.load_network(run)
    assert rounded.card is None
    for weight in named_weights(rounded.model).values():
        weight.assign(weight.numpy().astype(np.float16))
    network = cosembed.load_network(exported)
    assert network.description == "mine, version 1: simulated, profile smoke, 4 steps"
    one, two = (cosembed.track(IMAGES, chosen, progress=False) for chosen in (rounded, network))
    np.testing.assert_array_equal(one.labels, two.labels)
    assert one.tracks == two.tracks


def test_export_is_complete_or_absent(run, exported, tmp_path):
    with pytest.raises(OutputError, match="exists already"):
        export_run(run, exported, "mine")
    with pytest.raises(CheckpointError, match="holds no trained network"):
        export_run(tmp_path, tmp_path / "out", "mine")
    assert list(tmp_path.iterdir()) == []


def test_weights_that_float16_cannot_hold_are_refused(tmp_path):
    import tensorflow as tf

    from cosembed.training.checkpoints import build_network, checkpoint_manager
    from cosembed.training.run_folder import RunFolder

    run = RunFolder(untrained_run(tmp_path / "run", SPEC))
    model = build_network(SPEC)
    next(iter(named_weights(model).values()))[0, 0, 0, 0].assign(1e6)
    step = tf.Variable(9, dtype=tf.int64, trainable=False)
    checkpoint_manager(run.checkpoints, model=model, step=step).save(checkpoint_number=9)
    with pytest.raises(CheckpointError, match="cannot be stored as float16"):
        export_run(run.path, tmp_path / "out", "mine")
    assert not (tmp_path / "out").exists()


def test_a_run_that_lost_its_versions_is_exported_all_the_same(run, tmp_path):
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    (copy / "versions.json").write_text("{")
    card = export_run(copy, tmp_path / "out", "mine")
    assert card.trained.commit == "unknown" and verify_stored(tmp_path / "out")[1] < TOLERANCE


def test_cells_are_measured_in_pixels_of_the_truth(tmp_path):
    images, labels, tracks = moving_squares()
    write_ctc(tmp_path, images, labels, tracks)
    areas = [np.sum(frame == label) for frame in labels for label in np.unique(frame)[1:]]
    assert measure_cells(tmp_path / "01_GT") == pytest.approx(np.percentile(areas, (5, 50, 95)), abs=0.05)
    with pytest.raises(InputError, match="hold no labelled cell"):
        measure_cells(tmp_path / "01")


def test_outputs_that_differ_are_found(folder):
    assert verify_stored(folder)[1] < 1e-6

    def change(arrays) -> None:
        arrays["hourglasses/1/output_convolution/bias"] += np.float16(0.05)

    change_weights(folder, change)
    with pytest.raises(CheckpointError, match=r"outputs differ from the stored ones by .*; tell the"):
        verify_stored(folder)
    load_stored(folder)


def spoil(kind: str, folder: Path) -> None:
    """Makes a folder unusable in one of many ways."""
    weights, spec = folder / "weights.npz", folder / "spec.yaml"
    if kind == "damaged weights":
        content = bytearray(weights.read_bytes())
        content[len(content) // 2] ^= 1
        weights.write_bytes(content)
    elif kind == "damaged weights with their hash":
        weights.write_bytes(weights.read_bytes()[:-100])
        rehash(folder)
    elif kind == "weights of more channels":
        spec.write_text(specs.dump(specs.override(SPEC, {"network.channels": 3})))
        rehash(folder)
    elif kind == "weights of another network":
        spec.write_text(specs.dump(specs.override(SPEC, {"network.levels": 3})))
        rehash(folder)
    elif kind == "no weights":
        weights.unlink()
    elif kind == "no example":
        (folder / "example.npz").unlink()
    elif kind == "no card":
        (folder / "card.yaml").unlink()
    elif kind == "card without a key":
        change_card(folder, terms=None)
    elif kind == "card with a strange key":
        change_card(folder, flavour="sweet")
    elif kind == "card of a wrong kind":
        change_card(folder, version="one")
    elif kind == "card that is a list":
        (folder / "card.yaml").write_text("- card\n")
    elif kind == "card that is no YAML":
        (folder / "card.yaml").write_text("{")
    elif kind == "card of a newer version":
        change_card(folder, cosembed="99.0.0", flavour="sweet")
    elif kind == "spec of a newer version":
        spec.write_text(spec.read_text().replace("levels:", "layers:"))
        rehash(folder)
        change_card(folder, cosembed="99.0.0")
    elif kind == "damaged spec":
        spec.write_text(spec.read_text().replace("levels:", "layers:"))
        rehash(folder)


FAULTS = {
    "damaged weights": (CheckpointError, r"weights\.npz: its SHA-256 is .* damaged or another file"),
    "damaged weights with their hash": (CheckpointError, r"weights\.npz: is damaged"),
    "weights of more channels": (CheckpointError, r"has the shape \(3, 3, 1, 4\), and spec.yaml describes"),
    "weights of another network": (CheckpointError, r"weights\.npz: is damaged \('.*' is missing\)"),
    "no weights": (CheckpointError, r"weights\.npz: cannot be read"),
    "no example": (CheckpointError, r"example\.npz: cannot be read"),
    "no card": (CheckpointError, r"card\.yaml: the network's card cannot be read"),
    "card without a key": (SpecError, r"card\.yaml: the key 'terms' is missing"),
    "card with a strange key": (SpecError, r"card\.yaml: unknown key 'flavour'"),
    "card of a wrong kind": (SpecError, r"card\.yaml: 'version' must be of type int"),
    "card that is a list": (SpecError, r"card\.yaml: the file must be a mapping"),
    "card that is no YAML": (CheckpointError, r"card\.yaml: the network's card cannot be read"),
    "card of a newer version": (CheckpointError, r"card\.yaml: was written by cosembed 99\.0\.0"),
    "spec of a newer version": (CheckpointError, r"spec\.yaml: was written by cosembed 99\.0\.0"),
    "damaged spec": (SpecError, r"spec\.yaml: unknown key 'network\.layers'"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_folder_that_cannot_be_used_is_one_sentence(folder, kind):
    spoil(kind, folder)
    error, words = FAULTS[kind]
    with pytest.raises(error, match=words) as refused:
        cosembed.load_network(folder)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", network_names())
def test_networks_that_come_with_it_give_their_stored_outputs(name):
    folder = network_folder(name)
    card, difference = verify_stored(folder)
    assert card.name == name and difference <= TOLERANCE
    assert (folder / "weights.npz").stat().st_size <= MOST_BYTES
    assert sorted(path.name for path in folder.iterdir()) == list(FILES)


@pytest.mark.parametrize("name", network_names())
def test_cards_of_networks_that_come_with_it_are_complete(name):
    card = read_card(network_folder(name))
    flat = str(to_mapping(card))
    assert "Not stated" not in flat and "frames unknown" not in flat
    assert card.scores and card.known_failures and card.expects.cell_area
    assert len(f"{name}  {card.summary}") <= 110 and card.summary.endswith(".")


def test_they_are_small_enough_for_a_wheel():
    folder = network_folder(network_names()[0]).parent
    assert sum(path.stat().st_size for path in folder.rglob("*.npz")) < MOST_BYTES_TOGETHER
    assert {"DIC-C2DH-HeLa", "PhC-C2DH-U373"} <= set(network_names())


def test_a_name_is_a_network_whatever_lies_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "PhC-C2DH-U373").mkdir()
    network = cosembed.load_network("PhC-C2DH-U373")
    assert network.spec.network.filters == 64
    assert network.card == read_card(network_folder("PhC-C2DH-U373"))
    for path in (Path("PhC-C2DH-U373"), "./PhC-C2DH-U373"):
        with pytest.raises(CheckpointError, match="holds no trained network"):
            cosembed.load_network(path)
    with pytest.raises(InputError, match="dataset: is for networks of the authors, and PhC-C2DH-U373 is"):
        cosembed.load_network("PhC-C2DH-U373", "DIC-C2DH-HeLa")
    assert [path.name for path in tmp_path.iterdir()] == ["PhC-C2DH-U373"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("DIC-HeLa", "did you mean 'DIC-C2DH-HeLa'?"),
        ("phc-c2dh-u373", "did you mean 'PhC-C2DH-U373'?"),
        ("zzz", f"there are {', '.join(network_names())}"),
    ],
)
def test_an_unknown_name_is_told_the_nearest(given, said):
    assert advice(given) == said
    with pytest.raises(CheckpointError) as refused:
        cosembed.load_network(given)
    assert str(refused.value).endswith(said)


def test_a_card_is_frozen(exported):
    card = read_card(exported)
    assert isinstance(card, Card)
    with pytest.raises(AttributeError):
        card.name = "other"  # type: ignore[misc]

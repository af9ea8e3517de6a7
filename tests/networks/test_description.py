"""What a network is can be read without its weights, wherever it lies."""

import json

import pytest
import yaml

from cosembed import specs
from cosembed.errors import CheckpointError, SpecError
from cosembed.networks.catalogue import network_folder
from cosembed.networks.description import describe_network
from cosembed.networks.export import export_run
from tests.helpers.builders import small_spec, untrained_run
from tests.helpers.numpy_network import seeded_variables, write_checkpoint


def test_a_name_a_folder_a_run_and_a_checkpoint_are_described(tmp_path):
    named = describe_network("simulated")
    assert named.card.name == "simulated"
    assert named.spec == specs.load(network_folder("simulated") / "spec.yaml")

    spec = small_spec("network.levels=2")
    run = untrained_run(tmp_path / "run", spec)
    assert describe_network(str(run)) == (spec, None)
    assert describe_network(str(run / "checkpoints" / "step-4")) == (spec, None)
    card = export_run(run, tmp_path / "mine", "mine")
    assert describe_network(str(tmp_path / "mine")) == (spec, card)


def test_networks_of_the_authors_have_no_spec(tmp_path):
    write_checkpoint(tmp_path / "nets" / "model-1", seeded_variables(1, levels=2))
    # A spec that happens to lie above is another's.
    (tmp_path / "spec.yaml").write_text("task: cells")
    assert describe_network(str(tmp_path / "nets" / "model-1")) == (None, None)


def test_what_cannot_be_described_is_one_sentence(tmp_path):
    with pytest.raises(CheckpointError, match="did you mean 'simulated'"):
        describe_network("simulatd")
    run = untrained_run(tmp_path / "run", small_spec("network.levels=2"))
    content = yaml.safe_load((run / "spec.yaml").read_text())
    (run / "spec.yaml").write_text(yaml.safe_dump(content | {"future": 1}))
    with pytest.raises(SpecError, match="unknown key 'future'"):
        describe_network(str(run))
    versions = json.loads((run / "versions.json").read_text())
    versions["versions"]["cosembed"] = "99.0"
    (run / "versions.json").write_text(json.dumps(versions))
    with pytest.raises(CheckpointError, match=r"written by cosembed 99\.0"):
        describe_network(str(run))

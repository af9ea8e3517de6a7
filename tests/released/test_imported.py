"""An imported network is the same network as its checkpoint, and is found again."""

import dataclasses
import json

import numpy as np
import pytest

from cosembed import released
from cosembed.errors import CheckpointError, OutputError
from cosembed.released.imported import NETWORK_FILE
from tests.helpers.numpy_network import seeded_variables, write_checkpoint


@pytest.mark.parametrize("follow_up", [False, True])
def test_an_imported_network_is_the_same_network(follow_up, tmp_path):
    prefix = write_checkpoint(tmp_path / "model-40000", seeded_variables(6, channels=2, follow_up=follow_up))
    architecture = released.import_released(prefix, tmp_path / "imported")
    assert dataclasses.asdict(architecture) == {
        "channels": 2,
        "levels": 3,
        "filters": 4,
        "outputs": 3,
        "variant": "mia2019" if follow_up else "miccai2018",
    }
    images = np.random.default_rng(1).uniform(-1, 1, (1, 2, 8, 8, 2)).astype(np.float32)
    direct, imported = (
        model(images)[1]
        for model in (released.load_released(prefix), released.load_imported(tmp_path / "imported"))
    )
    np.testing.assert_array_equal(direct, imported)
    assert released.source_of(tmp_path / "imported") == released.source_of(prefix)
    with pytest.raises(OutputError, match="exists"):
        released.import_released(prefix, tmp_path / "imported")
    (tmp_path / "imported" / "weights.index").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="import it again"):
        released.load_imported(tmp_path / "imported")
    (tmp_path / "imported" / NETWORK_FILE).write_text(json.dumps({"network": {}}))
    for read in (released.load_imported, released.source_of):
        with pytest.raises(CheckpointError, match="import it again"):
            read(tmp_path / "imported")


def test_networks_of_a_folder_are_found_by_data_set(tmp_path):
    with pytest.raises(CheckpointError, match=r"PhC-C2DH-U373: holds no checkpoint"):
        released.find_released(tmp_path, "PhC-C2DH-U373")
    prefix = write_checkpoint(tmp_path / "PhC-C2DH-U373" / "model-40000", seeded_variables(8))
    assert released.find_released(tmp_path, "PhC-C2DH-U373") == prefix.with_name("model-40000.index")
    write_checkpoint(tmp_path / "PhC-C2DH-U373" / "model-60000", seeded_variables(9))
    with pytest.raises(CheckpointError, match=r"holds 2 checkpoints"):
        released.find_released(tmp_path, "PhC-C2DH-U373")
    released.import_released(prefix, tmp_path / "Fluo-C2DL-MSC")
    assert released.find_released(tmp_path, "Fluo-C2DL-MSC") == tmp_path / "Fluo-C2DL-MSC"

"""Networks that either line of TensorFlow saved, and those of before, are read and continued on both.

`python -m tests.helpers.saved_networks NAME` made them; see there what NAME says and what is in a folder.
"""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from cosembed.models import named_weights
from cosembed.released import load_imported
from cosembed.training.checkpoints import load_network
from cosembed.training.run_folder import RunFolder
from tests.helpers.saved_networks import END, SAVED, STOPPED_AT, outputs, train_to_the_end, weights_of

NAMES = ("before", "classic", "current")


@pytest.fixture(params=NAMES)
def saved(request):
    return SAVED / request.param


@pytest.fixture
def expected(saved):
    with np.load(saved / "expected.npz") as arrays:
        return dict(arrays)


def test_outputs_are_those_of_the_line_that_saved(saved, expected):
    model, _, step = load_network(saved / "run")
    assert step == STOPPED_AT
    np.testing.assert_allclose(outputs(model), expected["outputs"], rtol=0, atol=1e-5)
    assert np.abs(expected["outputs"]).max() > 0.05
    np.testing.assert_allclose(
        outputs(load_imported(saved / "imported")), expected["imported"], rtol=0, atol=1e-5
    )
    assert np.abs(expected["imported"]).max() > 0.05


def test_an_interrupted_run_continues_to_the_same_weights(saved, expected, tmp_path):
    run = RunFolder(tmp_path / "run")
    shutil.copytree(saved / "run", run.path)
    before = weights_of(load_network(run.path)[0])
    after = train_to_the_end(run.path)
    assert [record.step for record in run.read_history()] == list(range(1, END + 1))
    np.testing.assert_allclose(after, expected["weights"], rtol=0, atol=1e-5)
    # A step of Adam is as long as the learning rate: without its moments the weights would end elsewhere.
    assert np.abs(before - after).max() > 1e-4


def test_both_lines_give_everything_the_same_name():
    keys = [
        tf.train.load_checkpoint(
            str(SAVED / name / "run" / "checkpoints" / f"step-{STOPPED_AT}")
        ).get_variable_to_shape_map()
        for name in ("classic", "current")
    ]
    assert keys[0] == keys[1]
    weights = {key.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE") for key in keys[0]}
    model, _, _ = load_network(SAVED / "current" / "run")
    assert {f"model/{name}" for name in named_weights(model)} <= weights

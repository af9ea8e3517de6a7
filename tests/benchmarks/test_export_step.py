"""An exported training step is described as it is, and gives the same numbers where it is loaded again."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import export_step
from cosembed.models import named_weights
from cosembed.training.checkpoints import build_network
from cosembed.training.execution import Execution
from cosembed.training.optimizers import Optimizer
from cosembed.training.step import make_train_step
from tests.helpers.builders import ROOT, small_spec

# A Python that has JAX, where the one that runs the tests has not.
JAX_PYTHON = (
    sys.executable if importlib.util.find_spec("jax") else os.environ.get("COSEMBED_TEST_JAX_PYTHON", "")
)
SPEC = small_spec("network.levels=2", "network.image_size=16", "training.clip_length=3")


@pytest.fixture(scope="module")
def step():
    return export_step.export_step(SPEC, Execution())


@pytest.fixture(scope="module")
def files(step, tmp_path_factory):
    folder = tmp_path_factory.mktemp("step")
    export_step.write_step(step, SPEC, folder / "step.hlo", folder / "step.npz")
    return folder


def test_inputs_outputs_and_aliases_are_listed_in_the_order_of_the_module(step, files):
    described = json.loads((files / "step.hlo.json").read_text())
    names = [array["name"] for array in described["inputs"]]
    weights = named_weights(build_network(SPEC))
    assert len(set(names)) == len(names)
    assert {name.partition("/")[2] for name in names if name.startswith("weights/")} == set(weights)
    assert sum("moments/" in name for name in names) == 2 * len(weights)
    aliased = [(pair["output"], pair["input"]) for pair in described["aliases"]]
    assert len(aliased) == len(described["outputs"]) - len(export_step.RESULTS) == 3 * len(weights)
    for output, number in aliased:
        assert described["outputs"][output] == described["inputs"][number]
    with np.load(files / "step.npz") as values:
        for array in described["inputs"]:
            assert list(values[array["name"]].shape) == array["shape"]
            assert str(values[array["name"]].dtype) == array["dtype"]
    assert (files / "step.hlo").read_bytes() == step.module


@pytest.mark.skipif(
    not JAX_PYTHON, reason="needs JAX: install it, or name a Python in COSEMBED_TEST_JAX_PYTHON"
)
def test_jax_gets_the_same_numbers_from_the_files_alone(step, files):
    command = [JAX_PYTHON, str(ROOT / "benchmarks" / "run_exported_step.py"), f"--step={files / 'step.hlo'}"]
    command += [f"--values={files / 'step.npz'}", f"--outputs={files / 'after.npz'}", "--steps=2"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    assert "median of 2 steps" in done.stdout

    model = build_network(SPEC)
    weights = named_weights(model)
    optimizer = Optimizer(list(weights.values()), SPEC.training)
    train_step = make_train_step(SPEC, model, optimizer, Execution(xla="off"))
    batch = {
        name.partition("/")[2]: tf.constant(value)
        for name, value in step.values.items()
        if name.startswith("batch/")
    }
    loss, task_loss, finite = train_step(batch, tf.constant(0, tf.int64))
    with np.load(files / "after.npz") as after:
        np.testing.assert_allclose([after["loss"], after["task_loss"]], [loss, task_loss], rtol=1e-5)
        assert after["finite"] and finite
        for (name, weight), moment in zip(weights.items(), optimizer.first_moments, strict=True):
            np.testing.assert_allclose(after[f"weights/{name}"], weight, rtol=1e-5, atol=1e-6)
            gradient = after[f"first_moments/{name}"]
            np.testing.assert_allclose(gradient, moment, rtol=1e-5, atol=1e-5 * np.abs(moment).max())

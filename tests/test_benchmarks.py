"""The plain network that times are compared with computes what ours does; benchmarks run and their rows hold together."""

import json

import numpy as np
import pytest
from builders import run_command

from benchmarks import data, run, scaling, training
from benchmarks.plain_network import plain_loss, plain_network
from benchmarks.rows import table
from benchmarks.training_step import SIZES, random_batch
from cosembed.losses import cosine_embedding_loss
from cosembed.models import StackedHourglass


def test_plain_network_and_loss_compute_what_ours_do():
    size = SIZES["smoke"]
    ours = StackedHourglass(size.filters, size.levels, size.outputs)
    plain = plain_network(size.filters, size.levels, size.outputs, size.length, size.side)
    ours.build([None, None, None, None, 1])
    generator = np.random.default_rng(0)
    ours.set_weights([generator.normal(0, 0.1, weight.shape) for weight in ours.get_weights()])
    for hourglass in ours.hourglasses:
        convolutions = [*hourglass.contracting, *hourglass.expanding, hourglass.output_convolution]
        for layer in convolutions:
            plain.get_layer(f"{hourglass.name}.{layer.name}").layer.set_weights([layer.kernel, layer.bias])
        for layer in hourglass.parallel:
            gates = plain.get_layer(f"{hourglass.name}.{layer.name}")
            for part in ("reset", "update", "candidate"):
                weights = [getattr(layer, f"{part}_kernel"), getattr(layer, f"{part}_bias")]
                getattr(gates, part).set_weights(weights)
    batch = random_batch(size)
    for found, expected in zip(plain(batch["image"]), ours(batch["image"]), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)
        masks = batch["instances"]
        np.testing.assert_allclose(plain_loss(found, masks), cosine_embedding_loss(expected, masks), rtol=1e-5)


def test_work_of_a_step_is_counted_as_multiplications_and_additions():
    size = SIZES["middle"]._replace(levels=1, length=1)
    pixels, kernel = 128 * 128, 9 * 32 * 32
    assert training.step_gigaflop(size) == pytest.approx(2 * 3 * 2 * pixels * (5 * kernel + 9 * 32 * 16) / 1e9)
    with_state = training.step_gigaflop(size._replace(length=2)) - 2 * training.step_gigaflop(size)
    assert with_state == pytest.approx(2 * 3 * 2 * pixels * 3 * kernel / 1e9)


def test_a_step_is_measured_in_a_process_of_its_own():
    (row,) = training.measure(quick=True)
    assert (row["size"], row["variant"]) == ("smoke", "ours")
    assert 0 < row["step_seconds"] < row["first_step_seconds"]
    assert 0 < row["peak_gigabytes"] < 2
    assert "ours" in table([row])


def test_exponents_are_slopes_between_logarithms():
    rows = [{"cost": "c", "quantity": "q", "value": value, "seconds": 2.0 * value**1.5} for value in (1, 10, 100)]
    (found,) = scaling.exponents(rows)
    assert found["exponent"] == pytest.approx(1.5)
    assert (found["from"], found["to"], found["seconds_to"]) == (1, 100, 2000)
    assert scaling.plot(rows).startswith(b"\x89PNG")


def test_results_are_written_part_by_part_and_others_are_kept(tmp_path, monkeypatch):
    done = run_command("benchmarks.run", "--only=nothing", f"--results={tmp_path / 'results.json'}")
    assert done.returncode == 2
    assert "choose of clustering, training" in done.stderr
    (tmp_path / "results.json").write_text(json.dumps({"data": {"rows": []}, "training": {"rows": [1]}}))
    monkeypatch.setattr(data, "measure", lambda: [{"clips_per_second": 2.0}])
    run.write_results(["data"], tmp_path / "results.json")
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["training"] == {"rows": [1]}
    assert results["data"]["rows"] == [{"clips_per_second": 2.0}]
    assert results["data"]["cores"] >= 1
    assert "tensorflow" in results["data"]["versions"]

"""A training step that XLA compiles gives what the same step gives without it."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from cosembed import specs
from cosembed.batches.clips import ClipSource
from cosembed.batches.mask_codes import pack_table, table_rows
from cosembed.models import named_weights
from cosembed.training import devices
from cosembed.training.checkpoints import build_network, load_network
from cosembed.training.execution import Execution
from cosembed.training.loop import train
from cosembed.training.optimizers import BETA1, Optimizer
from cosembed.training.run_folder import RunFolder
from cosembed.training.step import make_train_step
from tests.helpers.builders import ROOT, make_sequence, moving_squares, small_spec

pytestmark = pytest.mark.slow

COMPILED, PLAIN = Execution(xla="on"), Execution(xla="off")


def cells_batch(spec: specs.CellsSpec, frames: int, seed: int = 0) -> dict[str, tf.Tensor]:
    """One clip of noise, with labels and masks that are as random."""
    generator = np.random.default_rng(seed)
    shape = (1, frames, spec.network.image_size, spec.network.image_size)
    table = generator.integers(0, 3, (20, spec.instances.maximum + 1)).astype(np.uint8)
    rows = table_rows(len(table))
    return {
        "image": tf.constant(generator.normal(0, 0.5, (*shape, 1)), tf.float32),
        "codes": tf.constant(generator.integers(0, len(table), shape), tf.uint16),
        "code_labels": tf.constant(np.arange(rows)[None], tf.uint16),
        "code_masks": tf.constant(pack_table(table, rows)[None]),
    }


def heart_batch(spec: specs.HeartSpec, frames: int) -> dict[str, tf.Tensor]:
    generator = np.random.default_rng(1)
    shape = (1, frames, spec.network.image_size, spec.network.image_size)
    return {
        "image": tf.constant(generator.normal(0, 0.5, (*shape, spec.network.channels)), tf.float32),
        "classes": tf.constant(generator.choice([0, 1, 255], shape), tf.uint8),
    }


class Step:
    """A step with its network; the first moments of Adam tell the gradients of the first step."""

    def __init__(self, spec: specs.TrainedSpec, execution: Execution) -> None:
        model = build_network(spec, execution)
        self.variables = named_weights(model)
        self.optimizer = Optimizer(list(self.variables.values()), spec.training)
        self.function = make_train_step(spec, model, self.optimizer, execution)

    def __call__(self, batch: dict[str, tf.Tensor], number: int) -> list[np.ndarray]:
        return [tensor.numpy() for tensor in self.function(batch, tf.constant(number, tf.int64))]

    def gradients(self) -> list[np.ndarray]:
        return [moment.numpy() / (1 - BETA1) for moment in self.optimizer.first_moments]

    def weights(self) -> list[np.ndarray]:
        return [variable.numpy() for variable in self.variables.values()]


def assert_close(ours: list[np.ndarray], expected: list[np.ndarray], tolerance: float) -> None:
    for one, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * max(1, np.abs(other).max()))


def test_loss_gradients_and_weights_are_those_without_xla_whatever_the_clips_length():
    spec = small_spec("network.levels=2", "network.image_size=16", "training.gradient_clip=1.0")
    plain, compiled = Step(spec, PLAIN), Step(spec, COMPILED)
    for number, frames in enumerate((3, 1, 3)):
        batch = cells_batch(spec, frames, seed=number)
        expected, result = plain(batch, number), compiled(batch, number)
        np.testing.assert_allclose(result[:2], expected[:2], rtol=1e-5)
        assert result[2] and expected[2]
        if number == 0:
            assert_close(compiled.gradients(), plain.gradients(), 1e-5)
    assert_close(compiled.weights(), plain.weights(), 1e-5)
    assert compiled.function.experimental_get_tracing_count() == 1


def test_a_step_that_is_not_finite_changes_nothing():
    spec = small_spec("network.levels=1", "network.image_size=8", "training.clip_length=2")
    step, batch = Step(spec, COMPILED), cells_batch(spec, 2)
    before = step.weights()
    *_, finite = step(batch | {"image": batch["image"] * np.nan}, 0)
    assert not finite
    for weight, old in zip(step.weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert step(batch, 0)[2]
    assert any((weight != old).any() for weight, old in zip(step.weights(), before, strict=True))


def test_the_heart_with_its_intermediates_computed_again_is_compiled_too():
    overrides = ["network.levels=2", "network.image_size=16", "network.filters=4"]
    spec = specs.resolve_as(
        specs.HeartSpec, "ACDC-cine", "paper", "smoke", specs.parse_assignments(overrides)
    )
    plain, compiled = Step(spec, PLAIN), Step(spec, Execution(recompute=True, xla="on"))
    batch = heart_batch(spec, 2)
    np.testing.assert_allclose(compiled(batch, 0)[:2], plain(batch, 0)[:2], rtol=1e-5)
    assert_close(compiled.gradients(), plain.gradients(), 1e-5)


def test_bfloat16_is_compiled_and_agrees_within_its_own_rounding():
    spec = small_spec("network.levels=2", "network.image_size=16")
    exact, compiled = Step(spec, PLAIN), Step(spec, Execution(mixed_precision=True, xla="on"))
    batch = cells_batch(spec, 2)
    np.testing.assert_allclose(compiled(batch, 0)[:2], exact(batch, 0)[:2], rtol=0.02)


def test_a_compiled_training_that_is_interrupted_equals_one_that_is_not_bitwise(tmp_path):
    images, labels, _ = moving_squares(frames=6)
    sequence = make_sequence(images, labels)
    overrides = ("network.levels=2", "training.iterations=4", "training.checkpoint_every=2")
    spec = small_spec(*overrides, recipe="released")
    weights = []
    for folder, stops in ((tmp_path / "whole", ()), (tmp_path / "stopped", (3,))):
        run = RunFolder(folder)
        run.open(spec, {"train": "01 [0:6]"})
        for stop in stops:
            source = ClipSource([sequence], spec, spec.training.seed)
            make = source.clips

            def clips(index, make=make, stop=stop):
                if index >= stop:
                    raise KeyboardInterrupt
                return make(index)

            source.clips = clips
            with pytest.raises((KeyboardInterrupt, tf.errors.OpError)):
                train(spec, source, run, execution=COMPILED)
            assert load_network(folder)[2] == 2
        train(spec, ClipSource([sequence], spec, spec.training.seed), run, execution=COMPILED)
        model, _, step = load_network(folder)
        assert step == 4
        weights.append([variable.numpy() for variable in model.trainable_variables])
    for whole, resumed in zip(*weights, strict=True):
        np.testing.assert_array_equal(whole, resumed)


# Prints a digest of the weights after three compiled steps.
DETERMINISTIC = """
import hashlib
from cosembed.training.devices import make_deterministic
make_deterministic()
from tests.training.test_compiled_step import COMPILED, Step, cells_batch, small_spec
spec = small_spec("network.levels=2", "network.image_size=16")
step = Step(spec, COMPILED)
for number in range(3):
    step(cells_batch(spec, 2, seed=number), number)
print(hashlib.sha256(b"".join(weight.tobytes() for weight in step.weights())).hexdigest())
"""


def test_compiled_steps_that_are_to_be_deterministic_give_the_same_bits_in_every_process():
    digests = [
        subprocess.run(
            [sys.executable, "-c", DETERMINISTIC],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        ).stdout.split()[-1]
        for _ in range(2)
    ]
    assert len(digests[0]) == 64 and digests[0] == digests[1]


@pytest.mark.parametrize(
    ("choice", "gpus", "expected"),
    [("auto", 0, False), ("auto", 1, True), ("on", 0, True), ("off", 1, False)],
)
def test_with_auto_a_gpu_decides(monkeypatch, choice, gpus, expected):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: ["GPU:0"] * gpus)
    assert devices.compiles(choice) is expected

"""A batch that several devices share gives the loss, gradients and weights of one device.

Devices must be configured before TensorFlow computes anything, so everything here runs in processes of its
own, on two virtual devices of the CPU.
"""

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.helpers.builders import ROOT

pytestmark = pytest.mark.slow

# Clips without any cell; all of them are the share of one replica, or half of it.
CASES = {
    "all_have_instances": ("paper", ()),
    "one_clip_is_empty": ("paper", (0,)),
    "a_share_is_empty": ("released", (2, 3)),
    "the_whole_batch_is_empty": ("released", (0, 1, 2, 3)),
    "a_share_is_empty_in_the_follow_up": ("mia2019", (2, 3)),
}


def run_child(code, *arguments):
    """Runs `code`, which may use this module as `here`, and returns the JSON of its last line."""
    start = "from tests.training import test_replicas as here; here.two_devices(); "
    done = subprocess.run(
        [sys.executable, "-c", start + code, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.splitlines()[-1])


def two_devices():
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)


def instances_case(recipe, empty, levels=1):
    """A spec and a batch of four clips of noise, some of them without instances."""
    import tensorflow as tf

    from tests.helpers.builders import small_spec
    from tests.training.test_compiled_step import cells_batch

    overrides = (f"network.levels={levels}", "network.image_size=8", "training.batch_size=4")
    spec = small_spec(*overrides, "training.gradient_clip=0.5", recipe=recipe)
    clips = [cells_batch(spec, 2, seed=seed) for seed in range(4)]
    for index in empty:
        clips[index]["code_masks"] *= 0
    return spec, {name: tf.concat([clip[name] for clip in clips], axis=0) for name in clips[0]}


def heart_case(recurrent=False):
    """The heart without recurrence; labels are far from equally many in the two shares of a batch."""
    import tensorflow as tf

    from cosembed import specs
    from tests.training.test_compiled_step import heart_batch

    overrides = ["network.levels=1", "network.image_size=8", "network.filters=4", "training.batch_size=10"]
    overrides += [f"network.recurrent={str(recurrent).lower()}", "training.clip_length=1"]
    spec = specs.resolve_as(
        specs.HeartSpec, "ACDC-cine", "paper", "smoke", specs.parse_assignments(overrides)
    )
    clip = heart_batch(spec, 1)
    batch = {name: tf.repeat(tensor, 10, axis=0) for name, tensor in clip.items()}
    noise = tf.random.stateless_normal(batch["image"].shape, [0, 1])
    keep = tf.range(10)[:, None, None, None] < 7
    return spec, {"image": noise, "classes": tf.where(keep, batch["classes"], tf.constant(255, tf.uint8))}


def differences(case, xla="off", steps=3):
    """How far the shared step is from one device's, relative to the largest value of every kind."""
    import tensorflow as tf

    from cosembed.models import named_weights
    from cosembed.training.checkpoints import build_network
    from cosembed.training.execution import Execution
    from cosembed.training.optimizers import Optimizer
    from cosembed.training.replicas import replicas_of
    from cosembed.training.step import make_train_step

    spec, batch = case
    outcomes = []
    for execution in (Execution(xla=xla), Execution(xla=xla, strategy="mirrored")):
        replicas = replicas_of(execution)
        with replicas.scope():
            model = build_network(spec, execution)
            weights = list(named_weights(model).values())
            optimizer = Optimizer(weights, spec.training)
        step = make_train_step(spec, model, optimizer, execution)
        losses, gradients = [], []
        for number in range(steps):
            loss, task_loss, finite = step(batch, tf.constant(number, tf.int64))
            assert finite
            losses += [float(loss), float(task_loss)]
            if number == 0:
                gradients = [moment.numpy().copy() for moment in optimizer.first_moments]
        outcomes.append([losses, gradients, [weight.numpy() for weight in weights]])
        if replicas.strategy is not None:
            assert replicas.count == 2
            for variable in weights:
                first, second = replicas.strategy.experimental_local_results(variable)
                np.testing.assert_array_equal(first.numpy(), second.numpy())
    found = {}
    for name, plain, shared in zip(("losses", "gradients", "weights"), *outcomes, strict=True):
        scale = max(1e-3, *(np.abs(one).max() for one in plain))
        found[name] = max(
            float(np.abs(one - other).max() / scale) for one, other in zip(plain, shared, strict=True)
        )
    return found | {"first loss": outcomes[0][0][1]}


@pytest.mark.parametrize("name", CASES)
def test_shared_instances_give_the_loss_gradients_and_weights_of_one_device(name):
    recipe, empty = CASES[name]
    code = f"import json; print(json.dumps(here.differences(here.instances_case({recipe!r}, {empty!r}))))"
    found = run_child(code)
    assert (found.pop("first loss") > 0) == (len(empty) < 4 or recipe == "paper")
    assert max(found.values()) < 1e-5, found


def test_a_shared_heart_without_recurrence_gives_those_of_one_device():
    found = run_child("import json; print(json.dumps(here.differences(here.heart_case())))")
    assert found.pop("first loss") > 0
    assert max(found.values()) < 1e-5, found


def test_a_shared_step_that_xla_compiles_gives_those_of_one_device():
    code = "import json; print(json.dumps(here.differences(here.instances_case('paper', (0,)), 'on', 1)))"
    found = run_child(code)
    assert found.pop("first loss") > 0
    assert max(found.values()) < 1e-5, found


def not_finite():
    """Whether weights stay as they are on both replicas when one clip of the last share is not finite."""
    import tensorflow as tf

    from cosembed.models import named_weights
    from cosembed.training.checkpoints import build_network
    from cosembed.training.execution import Execution
    from cosembed.training.optimizers import Optimizer
    from cosembed.training.replicas import replicas_of
    from cosembed.training.step import make_train_step

    spec, batch = instances_case("paper", ())
    execution = Execution(strategy="mirrored")
    replicas = replicas_of(execution)
    with replicas.scope():
        model = build_network(spec, execution)
        weights = list(named_weights(model).values())
        optimizer = Optimizer(weights, spec.training)
    step = make_train_step(spec, model, optimizer, execution)

    def copies():
        local = replicas.strategy.experimental_local_results
        return [copy.numpy().copy() for weight in weights for copy in local(weight)]

    spoilt = batch["image"] * tf.constant([1.0, 1.0, 1.0, np.nan])[:, None, None, None, None]
    before = copies()
    *_, finite = step(batch | {"image": spoilt}, tf.constant(0, tf.int64))
    kept = all(map(np.array_equal, before, copies()))
    *_, finite_after = step(batch, tf.constant(0, tf.int64))
    return [bool(finite), kept, bool(finite_after), any(map(np.array_equal, before, copies()))]


def test_a_clip_that_is_not_finite_changes_no_replica():
    outcome = run_child("import json; print(json.dumps(here.not_finite()))")
    assert outcome == [False, True, True, False]


def train_by_turns(folder):
    """Trains on one device, and begins on one and ends on two devices, and the other way round."""
    from pathlib import Path

    from cosembed.errors import InputError
    from cosembed.training.execution import DEFAULT, Execution
    from cosembed.training.run_folder import RunFolder
    from tests.helpers.builders import make_sequence, moving_squares, small_spec
    from tests.training.test_loop import run_training, weights_of

    folder, shared = Path(folder), Execution(strategy="mirrored")
    images, labels, _ = moving_squares(frames=8)
    sequence = make_sequence(images, labels)
    small = ("network.levels=1", "network.image_size=16", "training.checkpoint_every=2")
    spec = small_spec(*small, "training.batch_size=2", "training.iterations=4")
    run_training(folder / "whole", sequence, spec)
    turns = {"more": (DEFAULT, shared), "less": (shared, DEFAULT)}
    for name, (first, second) in turns.items():
        with pytest.raises(KeyboardInterrupt):
            run_training(folder / name, sequence, spec, stop_after=3, execution=first)
        assert weights_of(folder / name)[1] == 2
        run_training(folder / name, sequence, spec, execution=second)
    expected, _ = weights_of(folder / "whole")
    found = {"steps": [], "differences": [], "losses": []}
    for name in turns:
        weights, step = weights_of(folder / name)
        found["steps"].append(step)
        largest = [float(np.abs(one - other).max()) for one, other in zip(weights, expected, strict=True)]
        found["differences"].append(max(largest))
    for name in ("whole", *turns):
        found["losses"].append([record.loss for record in RunFolder(folder / name).read_history()])
    odd = small_spec(*small, "training.batch_size=3")
    with pytest.raises(InputError) as refused:
        run_training(folder / "odd", sequence, odd, execution=shared)
    found["refused"] = str(refused.value)
    found["written"] = (folder / "odd" / "checkpoints").exists()
    return found


def test_training_continues_with_another_number_of_replicas_and_refuses_shares_that_are_not_equal(tmp_path):
    found = run_child("import json, sys; print(json.dumps(here.train_by_turns(sys.argv[1])))", tmp_path)
    assert found["steps"] == [4, 4]
    assert max(found["differences"]) < 1e-5
    whole, *others = found["losses"]
    for losses in others:
        np.testing.assert_allclose(losses, whole, rtol=1e-5)
    assert found["refused"].startswith("training.batch_size=3: cannot be shared equally by 2 replicas")
    assert not found["written"]

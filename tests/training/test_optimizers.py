"""Adam and its Nesterov form against their formulas, and the learning-rate schedule."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from cosembed import specs
from cosembed.training.optimizers import Optimizer, learning_rate


def training_spec(**changes):
    return dataclasses.replace(specs.resolve("simulated", "paper", "cpu").training, **changes)


def numpy_steps(kind, weights, gradients, rates):
    w, m, v = weights.astype(np.float64), np.zeros(weights.shape), np.zeros(weights.shape)
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), start=1):
        m = 0.9 * m + 0.1 * gradient
        v = 0.999 * v + 0.001 * gradient**2
        corrected = rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        w = w - corrected * (0.9 * m + 0.1 * gradient if kind == "nadam" else m) / (np.sqrt(v) + 1e-8)
    return w


@pytest.mark.parametrize("kind", ["adam", "nadam"])
def test_steps_follow_the_formula_through_the_drop_of_the_rate(kind):
    spec = training_spec(optimizer=kind, iterations=6, learning_rate=0.1, gradient_clip=0.0)
    generator = np.random.default_rng(1)
    start, gradients = generator.normal(0, 1, (3, 2)), generator.normal(0, 1, (6, 3, 2))
    variable = tf.Variable(start, dtype=tf.float32)
    optimizer = Optimizer([variable], spec)
    step_function = tf.function(lambda gradient, step: optimizer.apply([gradient], step))
    for step, gradient in enumerate(gradients):
        step_function(tf.constant(gradient, tf.float32), tf.constant(step, tf.int64))
    np.testing.assert_allclose(
        variable, numpy_steps(kind, start, gradients, [0.1] * 3 + [0.01] * 3), atol=2e-6
    )


def test_the_two_kinds_differ():
    results = [
        numpy_steps(kind, np.ones(2), np.ones((3, 2)) * [[1], [2], [-3]], [0.1] * 3)
        for kind in ("adam", "nadam")
    ]
    assert not np.allclose(*results, atol=1e-3)


@pytest.mark.parametrize(("iterations", "drop"), [(40000, 20000), (10, 5), (5, 3), (1, 1)])
def test_the_rate_drops_tenfold_at_half_of_the_iterations(iterations, drop):
    spec = training_spec(iterations=iterations, learning_rate=1e-4)
    assert float(learning_rate(spec, 0)) == pytest.approx(1e-4)
    assert float(learning_rate(spec, drop - 1)) == pytest.approx(1e-4)
    assert float(learning_rate(spec, drop)) == pytest.approx(1e-5)


def test_gradients_are_clipped_by_their_global_norm():
    clipped, unclipped = (
        Optimizer([tf.Variable([0.0, 0.0])], training_spec(gradient_clip=clip)) for clip in (1.0, 0.0)
    )
    for optimizer in (clipped, unclipped):
        optimizer.apply([tf.constant([3.0, 4.0])], tf.constant(0, tf.int64))
    np.testing.assert_allclose(clipped.first_moments[0], [0.06, 0.08], rtol=1e-5)
    np.testing.assert_allclose(unclipped.first_moments[0], [0.3, 0.4], rtol=1e-5)


def test_moments_are_saved_and_restored(tmp_path):
    spec = training_spec()
    variables = [tf.Variable([1.0, 2.0]), tf.Variable([[3.0]])]
    optimizer = Optimizer(variables, spec)
    optimizer.apply([tf.constant([0.1, -0.2]), tf.constant([[0.3]])], tf.constant(0, tf.int64))
    path = tf.train.Checkpoint(optimizer=optimizer.checkpoint()).save(str(tmp_path / "c"))
    other = Optimizer([tf.Variable([0.0, 0.0]), tf.Variable([[0.0]])], spec)
    tf.train.Checkpoint(optimizer=other.checkpoint()).restore(path).assert_existing_objects_matched()
    for ours, theirs in zip(
        optimizer.first_moments + optimizer.second_moments,
        other.first_moments + other.second_moments,
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.numpy().any()

"""The cross entropy of segmentation is that of plain numpy, over labelled pixels only."""

import numpy as np
import pytest
import tensorflow as tf

from cosembed.losses import count_labelled, cross_entropy_loss


def numpy_cross_entropy(logits, classes):
    losses = []
    for values, label in zip(
        logits.reshape(-1, logits.shape[-1]).astype(np.float64), classes.ravel(), strict=True
    ):
        if label != 255:
            losses.append(np.log(np.exp(values).sum()) - values[label])
    return np.mean(losses) if losses else 0.0


@pytest.mark.parametrize("unlabelled", [0.0, 0.5, 1.0])
def test_cross_entropy_is_the_mean_over_labelled_pixels(unlabelled):
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 3, (2, 3, 4, 5, 3)).astype(np.float32)
    classes = generator.integers(0, 3, (2, 3, 4, 5)).astype(np.uint8)
    classes[generator.random(classes.shape) < unlabelled] = 255
    variable = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = cross_entropy_loss(variable, classes)
    assert float(value) == pytest.approx(numpy_cross_entropy(logits, classes), abs=1e-6)
    gradient = tape.gradient(value, variable).numpy()
    assert np.isfinite(gradient).all()
    np.testing.assert_array_equal(gradient[classes == 255], 0)
    assert cross_entropy_loss(tf.cast(variable, tf.bfloat16), classes).dtype == tf.float32


def test_the_losses_of_unequal_shares_add_up_to_that_of_the_batch():
    generator = np.random.default_rng(2)
    logits = generator.normal(0, 3, (3, 1, 4, 5, 2)).astype(np.float32)
    classes = generator.integers(0, 2, (3, 1, 4, 5)).astype(np.uint8)
    classes[0, :, 1:], classes[2] = 255, 255
    pixels = sum(count_labelled(clip[None]) for clip in classes)
    assert float(pixels) == (classes != 255).sum()
    shares = [
        cross_entropy_loss(logits[index, None], classes[index, None], pixels) for index in range(len(classes))
    ]
    assert sum(map(float, shares)) == pytest.approx(numpy_cross_entropy(logits, classes), abs=1e-6)


def test_cross_entropy_refuses_shapes_that_do_not_belong_together():
    with pytest.raises(ValueError, match="Received shapes"):
        cross_entropy_loss(tf.zeros([1, 2, 4, 4, 3]), tf.zeros([1, 3, 4, 4], tf.uint8))

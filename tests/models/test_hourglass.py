"""Parts of an hourglass beside plain numpy."""

import numpy as np
import tensorflow as tf

from cosembed.models.hourglass import upsample


def test_upsampling_doubles_every_pixel_and_its_gradient_sums_the_copies():
    features = tf.random.stateless_normal([2, 3, 2, 4, 5], seed=[1, 3])
    upstream = tf.random.stateless_normal([2, 3, 4, 8, 5], seed=[1, 4])
    with tf.GradientTape() as tape:
        tape.watch(features)
        result = upsample(features)
    np.testing.assert_array_equal(result, features.numpy().repeat(2, axis=2).repeat(2, axis=3))
    expected = upstream.numpy().reshape(2, 3, 2, 2, 4, 2, 5).sum(axis=(3, 5))
    np.testing.assert_allclose(tape.gradient(result, features, upstream), expected, atol=1e-6)

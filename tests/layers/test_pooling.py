"""The pooling that XLA can fuse is TensorFlow's, and so is its gradient."""

import numpy as np
import pytest
import tensorflow as tf

from cosembed.layers.pooling import fusible_max_pool


@pytest.mark.parametrize("compiled", [None, True])
def test_value_and_gradient_are_tensorflows_where_pixels_are_equal_too(compiled):
    generator = np.random.default_rng(0)
    # Of three values, the maximum is in most blocks there more than once.
    images = tf.constant(generator.integers(-1, 2, (3, 8, 6, 5)), tf.float32)
    upstream = tf.constant(generator.normal(0, 1, (3, 4, 3, 5)), tf.float32)

    def both(pool):
        @tf.function(jit_compile=compiled)
        def value_and_gradient(images):
            with tf.GradientTape() as tape:
                tape.watch(images)
                result = pool(images)
            return result, tape.gradient(result, images, output_gradients=upstream)

        return value_and_gradient(images)

    expected = both(lambda images: tf.nn.max_pool2d(images, 2, 2, "VALID"))
    for ours, theirs in zip(both(fusible_max_pool), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)

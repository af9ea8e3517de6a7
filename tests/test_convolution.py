"""The convolution with a gradient of its own against TensorFlow's."""

import numpy as np
import pytest
import tensorflow as tf

from cosembed.layers.convolution import convolve


@pytest.mark.parametrize("graph", [False, True])
@pytest.mark.parametrize("size", [1, 3])
def test_values_and_gradients_equal_tensorflows(graph, size):
    shapes = ([2, 5, 7, 3], [size, size, 3, 4], [4], [2, 5, 7, 4])
    *arguments, upstream = (
        tf.random.stateless_normal(shape, seed=[1, index]) for index, shape in enumerate(shapes)
    )

    def plain(images, kernel, bias):
        return tf.nn.bias_add(tf.nn.conv2d(images, kernel, 1, "SAME"), bias)

    def both(function):
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            result = function(*arguments)
        return result, *tape.gradient(result, arguments, upstream)

    found = tf.function(lambda: both(convolve))() if graph else both(convolve)
    for ours, theirs in zip(found, both(plain), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_half_precision_gradients_have_the_type_of_what_they_belong_to():
    arguments = [tf.ones(shape, tf.bfloat16) for shape in ([1, 32, 32, 2], [3, 3, 2, 2], [2])]
    with tf.GradientTape() as tape:
        tape.watch(arguments)
        result = convolve(*arguments)
    gradients = tape.gradient(result, arguments)
    assert {tensor.dtype for tensor in (result, *gradients)} == {tf.bfloat16}
    # Of 1,024 ones, a sum in bfloat16 would stop at 256.
    np.testing.assert_array_equal(tf.cast(gradients[2], tf.float32), [1024, 1024])

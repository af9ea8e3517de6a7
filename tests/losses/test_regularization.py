"""The L2 penalty is that of the released training graphs."""

import pytest
import tensorflow as tf

from cosembed.losses import l2_penalty


def test_l2_penalty_counts_kernels_and_not_biases():
    kernel, bias = tf.Variable(tf.fill([3, 3, 2, 1], 2.0)), tf.Variable([5.0])
    assert float(l2_penalty([kernel, bias], 0.1)) == pytest.approx(0.1 * 18 * 4 / 2)

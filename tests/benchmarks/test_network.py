"""A frame of the network is measured beside the convolutions that it consists of."""

import pytest
import tensorflow as tf

from benchmarks import network
from benchmarks.rows import table
from cosembed.models import StackedHourglass


def test_the_convolutions_of_a_frame_are_those_of_the_network():
    model = StackedHourglass(filters=4, levels=1, outputs=3)
    model.build([None, None, None, None, 2])
    convolutions = network.convolutions_of(model, side=8, channels=2)
    # Contracting; the GRU's input and state halves, twice as wide for its two gates; expanding; output.
    inner = [(4, 4), (4, 8), (4, 4), (4, 8), (4, 4)]
    expected = [(2, 4), *inner, (4, 3), (5, 4), *inner, (4, 3)]
    assert sorted(convolution.kernel[2:] for convolution in convolutions) == sorted(expected)
    assert {convolution.images[:3] for convolution in convolutions} == {(1, 8, 8)}
    multiplications = 8 * 8 * 9 * sum(inputs * outputs for inputs, outputs in expected)
    assert sum(convolution.gigaflop for convolution in convolutions) == pytest.approx(2e-9 * multiplications)


def test_every_convolution_is_computed_alone():
    shapes = [
        network.Convolution((1, 4, 4, 2), (3, 3, 2, 5)),
        network.Convolution((1, 2, 2, 5), (1, 1, 5, 3)),
    ]
    corners = network.convolutions_alone(shapes)()
    assert corners.shape == (2,)
    assert tf.reduce_all(tf.math.is_finite(corners)) and corners.all()


def test_a_frame_is_measured_beside_its_convolutions():
    (row,) = network.measure(quick=True)
    assert row["to_convolutions"] == row["frame_seconds"] / row["convolutions_seconds"]
    assert 0 < row["frame_seconds"] < row["first_frame_more"]
    assert "smoke" in table([row])

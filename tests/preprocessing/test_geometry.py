"""The map between the original image and the network's square at test time."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosembed import specs
from cosembed.preprocessing.geometry import Grid, fit_frame, frame_grid, inverse, resample_linear


def spec_with(**changes):
    """The simulated data set's values, without test zoom unless asked for."""
    return dataclasses.replace(specs.resolve("simulated").preprocessing, **{"test_zoom": 1.0, **changes})


@settings(max_examples=30, deadline=None)
@given(st.integers(20, 90), st.integers(20, 90), st.sampled_from([1.0, 0.95]), st.sampled_from([8, 16, 33]))
def test_the_test_geometry_keeps_linear_ramps_and_centres(height, width, zoom, size):
    # The crop is for training frames only: the released code does not crop at test time.
    spec = spec_with(crop=4, test_zoom=zoom)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    image = np.stack([rows, columns], axis=-1)
    grid = frame_grid((height, width), spec, (size, size))
    fitted = fit_frame(image, spec, (size, size))
    assert fitted.shape == (size, size, 2)
    expected = np.clip(grid.offset_y + grid.scale_y * np.arange(size), 0, height - 1)
    np.testing.assert_allclose(fitted[:, 0, 0], expected, atol=1e-3)
    # The middle of the network's grid is the middle of the image, and its edges are the edges of what is
    # kept.
    assert grid.offset_y + grid.scale_y * (size - 1) / 2 == pytest.approx((height - 1) / 2)
    assert grid.scale_y * size == pytest.approx(height * zoom)
    assert grid.scale_x * size == pytest.approx(width * zoom)


def test_equal_sizes_change_nothing():
    image = np.random.default_rng(4).normal(0, 1, (16, 16, 1)).astype(np.float32)
    np.testing.assert_allclose(fit_frame(image, spec_with(), (16, 16)), image, atol=1e-6)


def test_the_inverse_leads_back_to_the_same_pixel():
    grid = Grid(2.5, 0.75, 0.4, -3.0)
    back = inverse(grid)
    for pixel in (0, 7, 100):
        assert back.offset_y + back.scale_y * (grid.offset_y + grid.scale_y * pixel) == pytest.approx(pixel)
        assert back.offset_x + back.scale_x * (grid.offset_x + grid.scale_x * pixel) == pytest.approx(pixel)


def test_interpolation_by_hand_stays_on_the_edge_beyond_it():
    image = np.array([[0.0, 10.0], [20.0, 30.0]], np.float32)[..., None]
    # Rows at 0.5; columns at -1, 0.25 and 1.5.
    found = resample_linear(image, Grid(1.0, 0.5, 1.25, -1.0), (1, 3))
    np.testing.assert_allclose(found[..., 0], [[10.0, 12.5, 20.0]])

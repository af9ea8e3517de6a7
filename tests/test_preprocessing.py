"""Smoothing, robust normalisation, crop and the test geometry."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cosembed import specs
from cosembed.data.preprocessing import fit_frame, frame_grid, preprocess_frame
from cosembed.data.smoothing import smooth_labels
from cosembed.errors import DataError


def preprocessing_spec(**changes):
    plain = {
        "smoothing_sigma": 0.0,
        "lower_percentile": 10.0,
        "upper_percentile": 95.0,
        "crop": 0,
        "test_zoom": 1.0,
    }
    return dataclasses.replace(specs.resolve("simulated").preprocessing, **{**plain, **changes})


def test_minimum_is_the_median_of_the_lowest_20_percent_and_maximum_of_the_highest_10():
    image = np.random.default_rng(1).permutation(1000).reshape(25, 40).astype(np.uint16)
    result = preprocess_frame(image, preprocessing_spec())[..., 0]
    ordered = np.sort(image.ravel())
    assert result[image == ordered[100]] == pytest.approx(-1, abs=1e-6)
    assert result[image == ordered[950]] == pytest.approx(1, abs=1e-6)
    # Linear and not clamped.
    assert result.min() < -1 < 1 < result.max()
    np.testing.assert_allclose(
        result, (image.astype(float) - ordered[100]) * 2 / (ordered[950] - ordered[100]) - 1, atol=1e-5
    )


def test_percentiles_of_the_mirror_padded_frame_are_the_same():
    image = np.random.default_rng(2).gamma(2, 100, (20, 30)).astype(np.float32)
    padded = np.pad(image, [(10, 10), (15, 15)], mode="symmetric")
    inner = preprocess_frame(padded, preprocessing_spec())[10:-10, 15:-15]
    np.testing.assert_allclose(inner, preprocess_frame(image, preprocessing_spec()), atol=1e-6)


def test_percentiles_of_odd_sides_differ_by_no_more_than_one_line_of_the_padding():
    image = np.random.default_rng(2).gamma(2, 100, (51, 63)).astype(np.float32)
    padded = np.pad(image, [(25, 25), (31, 31)], mode="symmetric")
    inner = preprocess_frame(padded, preprocessing_spec())[25:-25, 31:-31]
    np.testing.assert_allclose(inner, preprocess_frame(image, preprocessing_spec()), atol=0.05)


@pytest.mark.parametrize("shape", [(12, 30), (30, 11)])
def test_a_crop_that_leaves_nothing_is_refused(shape):
    with pytest.raises(DataError, match=rf"{shape[0]}x{shape[1]} pixels.*preprocessing\.crop=6"):
        preprocess_frame(np.arange(shape[0] * shape[1]).reshape(shape), preprocessing_spec(), crop=6)


def test_smoothing_comes_before_the_crop():
    image = np.random.default_rng(3).normal(100, 20, (30, 30))
    spec = preprocessing_spec(smoothing_sigma=2.0)
    smooth = ndimage.gaussian_filter(image.astype(np.float32), 2.0, mode="nearest")[5:-5, 5:-5]
    np.testing.assert_allclose(
        preprocess_frame(image, spec, crop=5)[..., 0],
        preprocess_frame(smooth, preprocessing_spec())[..., 0],
        atol=1e-4,
    )


def test_channels_are_normalised_by_themselves_and_flat_ones_do_not_fail():
    image = np.stack([np.arange(100.0).reshape(10, 10), np.full((10, 10), 7.0)], axis=-1)
    result = preprocess_frame(image, preprocessing_spec())
    assert result.shape == (10, 10, 2)
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(result[..., :1], preprocess_frame(image[..., 0], preprocessing_spec()))


@settings(max_examples=30, deadline=None)
@given(st.integers(20, 90), st.integers(20, 90), st.sampled_from([1.0, 0.95]), st.sampled_from([8, 16, 33]))
def test_the_test_geometry_keeps_linear_ramps_and_centres(height, width, zoom, size):
    # The crop is for training frames only: the released code does not crop at test time.
    spec = preprocessing_spec(crop=4, test_zoom=zoom)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    image = np.stack([rows, columns], axis=-1)
    grid = frame_grid((height, width), spec, size)
    fitted = fit_frame(image, spec, size)
    assert fitted.shape == (size, size, 2)
    expected = np.clip(grid.offset_y + grid.scale_y * np.arange(size), 0, height - 1)
    np.testing.assert_allclose(fitted[:, 0, 0], expected, atol=1e-3)
    # The middle of the network's grid is the middle of the image, and its edges are the edges of what is kept.
    assert grid.offset_y + grid.scale_y * (size - 1) / 2 == pytest.approx((height - 1) / 2)
    assert grid.scale_y * size == pytest.approx(height * zoom)
    assert grid.scale_x * size == pytest.approx(width * zoom)


def test_equal_sizes_change_nothing():
    image = np.random.default_rng(4).normal(0, 1, (16, 16, 1)).astype(np.float32)
    np.testing.assert_allclose(fit_frame(image, preprocessing_spec(), 16), image, atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.7, 1.0, 2.0]))
def test_label_smoothing_equals_the_formula_on_whole_images(seed, sigma):
    generator = np.random.default_rng(seed)
    labels = np.kron(generator.integers(0, 4, (4, 5)), np.ones((6, 6))).astype(np.uint16)
    weights = np.stack(
        [
            ndimage.gaussian_filter((labels == k).astype(np.float64), sigma, mode="nearest", truncate=4.0)
            for k in range(4)
        ]
    )
    ordered = np.sort(weights, axis=0)
    clear = ordered[-1] - ordered[-2] > 1e-5
    np.testing.assert_array_equal(smooth_labels(labels, sigma)[clear], weights.argmax(axis=0)[clear])


def test_label_smoothing_of_zero_changes_nothing():
    labels = np.random.default_rng(5).integers(0, 9, (8, 8)).astype(np.uint16)
    assert smooth_labels(labels, 0.0) is labels

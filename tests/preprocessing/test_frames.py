"""Smoothing, robust normalisation and crop of a frame."""

import dataclasses

import numpy as np
import pytest
from scipy import ndimage

from cosembed import specs
from cosembed.errors import DataError
from cosembed.preprocessing.frames import preprocess_frame


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

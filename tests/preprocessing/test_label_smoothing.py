"""Smoothed outlines of labels against the formula, evaluated on whole images."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cosembed.preprocessing.label_smoothing import smooth_labels


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

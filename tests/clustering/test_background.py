"""The background's embedding is found where it covers most of a frame pair, and where cells do."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosembed.clustering import choose_background, cluster_pair
from cosembed.clustering.background import SHARED, background_embedding, densest_direction
from tests.helpers.synthetic_embeddings import SPEC, embeddings_of

DENSEST = dataclasses.replace(SPEC, background="densest")


def crowded():
    """Cells of 21 x 21 pixels in two rows that cover about two thirds of both frames."""
    truth = np.zeros((2, 48, 72), int)
    for number in range(6):
        row, column = divmod(number, 3)
        truth[:, row * 24 + 1 : row * 24 + 22, column * 24 + 1 : column * 24 + 22] = number + 1
    return truth


def test_where_the_background_covers_most_both_rules_find_it():
    truth = np.zeros((2, 60, 60), int)
    truth[:, 5:25, 5:25], truth[:, 30:50, 30:50] = 1, 2
    pair = embeddings_of(truth, noise=0.02)
    mean = pair[truth == 0].mean(axis=0)
    mean /= np.linalg.norm(mean)
    assert densest_direction(pair) @ mean > 0.999
    median = background_embedding(pair)
    assert median @ mean / np.linalg.norm(median) > 0.999


def test_where_cells_cover_most_only_the_densest_direction_is_the_background():
    truth = crowded()
    assert (truth > 0).mean() > 0.6
    pair = embeddings_of(truth, noise=0.02)
    mean = pair[truth == 0].mean(axis=0)
    mean /= np.linalg.norm(mean)
    assert choose_background(pair, DENSEST) @ mean > 0.999
    assert choose_background(pair, SPEC) @ mean < 0.9
    spec = dataclasses.replace(DENSEST, min_points=100)
    labels = cluster_pair(pair, choose_background(pair, spec), spec)
    assert len(np.unique(labels[truth > 0])) >= 6
    assert (labels[truth == 0] > 0).mean() < 0.05
    released = cluster_pair(pair, choose_background(pair, SPEC), dataclasses.replace(SPEC, min_points=100))
    assert (released[truth == 0] > 0).mean() > 0.5


@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_no_pixel_that_was_tried_has_more_pixels_around_it(seed, groups):
    """The oracle counts for every pixel how many share its direction; so few pixels are all tried."""
    generator = np.random.default_rng(seed)
    centres = generator.normal(size=(groups, 6))
    pixels = centres[generator.integers(groups, size=200)] + generator.normal(0, 0.15, (200, 6))
    pixels = (pixels / np.linalg.norm(pixels, axis=1, keepdims=True)).astype(np.float32)
    pair = pixels.reshape(2, 10, 10, 6)
    found = densest_direction(pair)
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-5)
    assert np.array_equal(found, densest_direction(pair.copy()))
    most = (pixels @ pixels.T > SHARED).sum(axis=1).max()
    assert (pixels @ found > SHARED).sum() >= 0.8 * most


def test_a_fixed_background_needs_no_pixels():
    fixed = choose_background(np.zeros((0, 4), np.float32), dataclasses.replace(SPEC, background="fixed"))
    assert fixed.tolist() == [1, 0, 0, 0]


def test_embeddings_of_0_have_no_direction():
    assert not densest_direction(np.zeros((2, 8, 8, 4), np.float32)).any()

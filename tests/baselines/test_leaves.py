"""The classical leaf baseline on drawn and simulated plants."""

import numpy as np
import pytest

from cosembed.baselines.leaves import segment_leaves
from cosembed.metrics import difference_in_count, symmetric_best_dice
from cosembed.simulation.leaves import simulate_plant

SOIL, GREEN = (60, 45, 35), (90, 150, 50)


def drawn_plant(leaves=5, size=96):
    """A ring of round leaves that touch; image and labels."""
    rows, columns = np.mgrid[:size, :size] / size - 0.5
    labels = np.zeros((size, size), np.uint16)
    for label, angle in enumerate(np.arange(leaves) * 2 * np.pi / leaves, start=1):
        labels[np.hypot(columns - 0.2 * np.cos(angle), rows - 0.2 * np.sin(angle)) < 0.13] = label
    return np.where(labels[..., None] > 0, GREEN, SOIL).astype(np.uint8), labels


def test_leaves_that_touch_are_told_apart():
    image, truth = drawn_plant()
    found = segment_leaves(image)
    assert found.dtype == np.uint16 and found.shape == truth.shape
    assert np.unique(found).tolist() == [0, 1, 2, 3, 4, 5]
    assert symmetric_best_dice(found, truth) > 0.9


def test_a_bud_on_a_stalk_is_not_a_leaf():
    image, _ = drawn_plant()
    rows, columns = np.mgrid[:96, :96]
    image[47:49, 78:86] = GREEN
    image[np.hypot(rows - 47.5, columns - 86) < 2.5] = GREEN
    found = segment_leaves(image)
    assert found.max() == 5
    assert not found[47, 86]


@pytest.mark.parametrize("factor", [2, 4])
def test_the_same_leaves_are_found_at_any_size(factor):
    image, truth = (array.repeat(factor, axis=0).repeat(factor, axis=1) for array in drawn_plant())
    found = segment_leaves(image)
    assert found.max() == 5
    assert symmetric_best_dice(found, truth) > 0.9


def test_moss_beside_the_plant_is_not_a_leaf():
    image, truth = drawn_plant()
    image[2:12, 2:12] = GREEN
    found = segment_leaves(image)
    assert not found[:14, :14].any()
    assert symmetric_best_dice(found, truth) > 0.9


@pytest.mark.parametrize("colour", [SOIL, GREEN, (0, 0, 0)])
def test_an_image_of_one_colour_has_no_leaves(colour):
    found = segment_leaves(np.full((40, 50, 3), colour, np.uint8))
    assert found.shape == (40, 50) and not found.any()


def test_an_image_of_noise_gives_labels_without_gaps():
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    labels = np.unique(segment_leaves(noise)).tolist()
    assert labels == list(range(len(labels)))


def test_simulated_plants_are_split_better_than_not_at_all():
    ours, whole, counts = [], [], []
    for seed in range(6):
        image, truth = simulate_plant(128, seed)
        found = segment_leaves(image)
        ours.append(symmetric_best_dice(found, truth))
        whole.append(symmetric_best_dice((truth > 0).astype(np.uint8), truth))
        counts.append(abs(difference_in_count(found, truth)))
    assert np.mean(ours) > np.mean(whole) + 0.2
    assert np.mean(ours) > 0.6 and np.mean(counts) < 6

"""What is drawn lies in the ranges of the spec, in either recipe."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosembed import specs
from cosembed.augment.parameters import check_elastic, draw_intensity, draw_spatial
from cosembed.errors import SpecError


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["paper", "released"]))
def test_draws_lie_in_their_ranges(seed, recipe):
    spec = specs.resolve("simulated", recipe).augmentation
    generator = np.random.default_rng(seed)
    drawn, intensity = draw_spatial(generator, spec, 10), draw_intensity(generator, spec, 10)
    assert np.abs(drawn.translation).max() <= 51.2
    assert abs(drawn.rotation) <= np.pi
    assert 0.75 <= min(drawn.zoom) <= max(drawn.zoom) <= 1.25
    assert drawn.elastic.shape == (8, 8, 2)
    assert np.abs(drawn.elastic).max() <= 10
    assert abs(intensity.shift) <= 0.25
    assert 0.75 <= intensity.scale <= 1.25
    if recipe == "paper":
        assert not drawn.shifts.any()
        assert intensity.gamma == 1
        assert not intensity.frame_shift.any()
    else:
        assert np.abs(drawn.shifts).max() <= 15
        assert 0.7 <= intensity.gamma <= 1.3
        assert np.abs(intensity.frame_shift).max() <= 0.05


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10_000))
def test_draws_of_the_follow_up_lie_in_their_ranges(seed):
    spec = specs.resolve("Fluo-N2DH-GOWT1", "mia2019").augmentation
    generator = np.random.default_rng(seed)
    drawn, intensity = draw_spatial(generator, spec, 8), draw_intensity(generator, spec, 8)
    assert np.abs(drawn.translation).max() <= 0.35 * 256 + 1e-9
    # A scale above 1 shows a larger region: the factor that enlarges is its inverse.
    scales = 1 / np.array(drawn.zoom)
    assert scales.min() >= 0.75**2 and scales.max() <= 1.25**2
    assert scales.max() / scales.min() <= 1.25 / 0.75
    assert drawn.elastic.shape == (4, 6, 6, 2) and np.abs(drawn.elastic).max() <= 10
    assert not drawn.shifts.any()
    assert abs(intensity.shift) <= 0.65 and 0.35 <= intensity.scale <= 1.65 and 0.6 <= intensity.gamma <= 1.4
    assert np.abs(intensity.frame_shift).max() <= 0.1 and np.abs(intensity.frame_scale - 1).max() <= 0.1


def test_both_zooms_of_the_follow_up_reach_their_ends():
    spec = specs.resolve("Fluo-N2DH-GOWT1", "mia2019").augmentation
    zooms = [draw_spatial(np.random.default_rng(seed), spec, 8).zoom for seed in range(3000)]
    y, x = 1 / np.array(zooms).T
    assert y.min() < 0.6 and y.max() > 1.5
    assert np.ptp(y / x) > 0.8
    # A scale drawn evenly, times another, has the mean 1; its inverse has not.
    assert abs(y.mean() - 1) < 0.02


def test_drift_grows_over_the_clip_in_the_released_recipe():
    spec = dataclasses.replace(specs.resolve("simulated", "released").augmentation, jiggle=0.0, drift=100.0)
    shifts = draw_spatial(np.random.default_rng(1), spec, 10).shifts
    assert (shifts[0] == 0).all()
    assert (np.diff(np.abs(shifts), axis=0) >= 0).all()
    assert np.abs(shifts[-1]).max() > 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_drift_and_jiggle_are_cut_not_rounded_to_whole_pixels(seed):
    spec = dataclasses.replace(specs.resolve("simulated", "released").augmentation, drift=0.5, jiggle=0.49)
    assert not draw_spatial(np.random.default_rng(seed), spec, 10).shifts.any()


@pytest.mark.parametrize(("probability", "expected"), [(0.0, False), (1.0, True)])
def test_flips_of_probability_0_and_1_happen_never_and_always(probability, expected):
    spec = dataclasses.replace(specs.resolve("simulated").augmentation, flip=probability)
    for seed in range(20):
        assert draw_spatial(np.random.default_rng(seed), spec, 1).flip == (expected, expected)


@pytest.mark.parametrize("grid", [1, 2, 3])
def test_a_grid_too_small_for_its_spline_is_refused(grid):
    spec = dataclasses.replace(specs.resolve("simulated").augmentation, elastic_grid=grid)
    with pytest.raises(SpecError, match=f"elastic_grid is {grid}; its spline needs 4 or more, or 0 for none"):
        check_elastic(spec)

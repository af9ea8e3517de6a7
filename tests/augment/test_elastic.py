"""Elastic movement in time is ITK's spline in three dimensions, and changes smoothly."""

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st

from cosembed.augment import RawClip, make_augmenter
from cosembed.augment.elastic import elastic_spline, spatial_of_frames, spline_places, spline_weights
from cosembed.augment.parameters import check_elastic, draw_intensity, draw_spatial
from cosembed.errors import SpecError
from tests.helpers.builders import small_spec

SIDE = 32
MOVING = ("augmentation.elastic_times=4", "augmentation.elastic_grid=6", "augmentation.elastic_amplitude=3.0")


@pytest.mark.parametrize(("times", "frames"), [(4, 8), (4, 5), (5, 3), (6, 10), (4, 1)])
def test_the_spline_of_every_frame_is_a_slice_of_itks_spline_in_three_dimensions(times, frames):
    spec = small_spec(*MOVING, f"augmentation.elastic_times={times}").augmentation
    spatial = draw_spatial(np.random.default_rng(times), spec, frames)
    assert spatial.elastic.shape == (times, 6, 6, 2)
    volume = sitk.Image(SIDE, SIDE, frames, sitk.sitkUInt8)
    spline = sitk.BSplineTransformInitializer(volume, [3, 3, times - 3], 3)
    y, x = np.moveaxis(spatial.elastic, -1, 0)
    spline.SetParameters(np.concatenate([x.ravel(), y.ravel(), 0 * x.ravel()]).tolist())
    field = sitk.TransformToDisplacementField(spline, sitk.sitkVectorFloat64, (SIDE, SIDE, frames))
    expected = sitk.GetArrayFromImage(field)
    found = spatial_of_frames(spatial, frames)
    assert len(found) == frames
    for frame, part in zip(expected, found, strict=True):
        flat = elastic_spline(SIDE, 6)
        flat.SetParameters(
            np.concatenate([part.elastic[..., 1].ravel(), part.elastic[..., 0].ravel()]).tolist()
        )
        moved = sitk.TransformToDisplacementField(flat, sitk.sitkVectorFloat64, (SIDE, SIDE))
        np.testing.assert_allclose(sitk.GetArrayFromImage(moved), frame[..., :2], rtol=0, atol=1e-9)
        assert not frame[..., 2].any()


def test_a_movement_that_is_drawn_for_all_frames_is_kept_as_it_is():
    spatial = draw_spatial(np.random.default_rng(1), small_spec().augmentation, 7)
    assert spatial_of_frames(spatial, 7) == [spatial]


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 40), grid=st.integers(4, 12))
def test_weights_of_a_spline_are_a_mean(count, grid):
    weights = spline_weights(spline_places(count, grid), grid)
    assert weights.shape == (count, grid)
    assert (weights >= 0).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=0, atol=1e-9)


@pytest.mark.parametrize("scale", ["inference.scale=0.0", "inference.scale=0.8"])
def test_a_movement_in_time_is_the_same_in_either_augmenter_and_differs_from_frame_to_frame(scale):
    spec = small_spec(*MOVING, scale, recipe="released")
    generator, frames = np.random.default_rng(2), 4
    shape = (60, 75)
    frame = generator.normal(0, 1, (*shape, 1)).astype(np.float32)
    labels = np.kron(generator.integers(0, 9, (6, 8)), np.ones((10, 10)))[: shape[0], : shape[1]]
    still = {"drift": 0.0, "jiggle": 0.0, "frame_shift": 0.0, "frame_scale": 0.0}
    drawn = dataclasses.replace(spec.augmentation, **still)
    clip = RawClip(
        [frame] * frames,
        np.stack([labels.astype(np.uint16)] * frames),
        np.ones(shape, bool),
        draw_spatial(generator, drawn, frames),
        draw_intensity(generator, drawn, frames),
    )
    (ours,), (graph,) = (make_augmenter(name, spec)([clip]) for name in ("simpleitk", "graph"))
    np.testing.assert_allclose(graph.image, ours.image, rtol=0, atol=5e-5)
    assert (graph.labels == ours.labels).mean() >= 0.999
    assert (graph.loss_masks == ours.loss_masks).mean() >= 0.999
    assert all(
        (first != second).mean() > 0.1 for first, second in zip(ours.image, ours.image[1:], strict=False)
    )


@pytest.mark.parametrize("times", [1, 3])
def test_too_few_control_points_in_time_are_refused(times):
    spec = dataclasses.replace(small_spec().augmentation, elastic_times=times)
    with pytest.raises(
        SpecError, match=f"elastic_times is {times}; its spline needs 4 or more, or 0 for none"
    ):
        check_elastic(spec)

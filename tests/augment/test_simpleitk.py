"""Transforms and changes of intensity do what was drawn, to images and labels alike."""

import dataclasses

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cosembed import specs
from cosembed.augment.parameters import SpatialParameters, draw_intensity, draw_spatial
from cosembed.augment.simpleitk import (
    change_intensity,
    make_sampling,
    resample_image,
    resample_labels,
    shift_frame,
)

SIDE = 32


def spatial(**changes) -> SpatialParameters:
    fields = {
        "translation": (0.0, 0.0), "flip": (False, False), "rotation": 0.0, "zoom": (1.0, 1.0),
        "elastic": np.zeros((8, 8, 2)), "shifts": np.zeros((1, 2), np.int64),
    }  # fmt: skip
    return SpatialParameters(**{**fields, **changes})


def transform(image, parameters, padding="constant", size=SIDE):
    sampling = make_sampling(image.shape, size, parameters, padding)
    return resample_image(image.astype(np.float32)[..., None], sampling)[..., 0]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(5, 60), st.integers(5, 60)),
    padding=st.sampled_from(["mirror", "constant", "zero"]),
    name=st.sampled_from(["simulated", "DIC-C2DH-HeLa"]),
)
def test_labels_are_sampled_where_simpleitk_samples_them(seed, shape, padding, name):
    generator = np.random.default_rng(seed)
    parameters = draw_spatial(generator, specs.resolve(name, "released").augmentation, 1)
    sampling = make_sampling(shape, SIDE, parameters, padding)
    labels = generator.integers(0, 2**16, shape).astype(np.uint16)
    expected = sitk.GetArrayFromImage(
        sitk.Warp(
            sitk.GetImageFromArray(labels),
            sampling.field,
            sitk.sitkNearestNeighbor,
            sampling.field.GetSize(),
        )
    )
    expected[~sampling.inside] = 0
    found = resample_labels(labels, sampling)
    assert found.dtype == labels.dtype
    np.testing.assert_array_equal(found, expected)


@pytest.fixture
def image():
    return np.random.default_rng(1).normal(0, 1, (SIDE, SIDE)).astype(np.float32)


def test_a_transform_of_nothing_changes_nothing(image):
    np.testing.assert_allclose(transform(image, spatial()), image, atol=1e-5)


def test_flips_reverse_the_axes(image):
    np.testing.assert_allclose(transform(image, spatial(flip=(True, False))), image[::-1], atol=1e-5)
    np.testing.assert_allclose(transform(image, spatial(flip=(False, True))), image[:, ::-1], atol=1e-5)


def test_a_rotation_by_half_pi_turns_the_image_by_a_quarter(image):
    turned = transform(image, spatial(rotation=np.pi / 2))
    assert np.allclose(turned, np.rot90(image), atol=1e-4) or np.allclose(
        turned, np.rot90(image, -1), atol=1e-4
    )


def test_translation_moves_content_by_network_pixels_y_first(image):
    moved = transform(image, spatial(translation=(3.0, 0.0)))
    np.testing.assert_allclose(moved[3:], image[:-3], atol=1e-5)
    assert (moved[:3] == -1).all()
    moved = transform(image, spatial(translation=(0.0, -5.0)))
    np.testing.assert_allclose(moved[:, :-5], image[:, 5:], atol=1e-5)


def test_zoom_enlarges_about_the_centre():
    rows = np.mgrid[:SIDE, :SIDE][0].astype(np.float32)
    centre = (SIDE - 1) / 2
    zoomed = transform(rows, spatial(zoom=(2.0, 1.0)))
    np.testing.assert_allclose(zoomed[:, 0], centre + (np.arange(SIDE) - centre) / 2, atol=1e-4)


def test_the_larger_side_fits_and_the_aspect_ratio_is_kept():
    image = np.ones((40, 80), np.float32)
    fitted = transform(image, spatial(), size=20)
    assert (fitted[5:15] == 1).all()
    assert (fitted[:5] == -1).all()
    assert (fitted[15:] == -1).all()


def test_an_elastic_grid_moved_as_a_whole_is_a_translation(image):
    moved = transform(image, spatial(elastic=np.broadcast_to([2.0, 0.0], (8, 8, 2))))
    np.testing.assert_allclose(moved[:-2], image[2:], atol=1e-4)


def test_a_moved_control_point_acts_nearby_only_and_smoothly():
    rows = np.mgrid[:64, :64][0].astype(np.float32)
    elastic = np.zeros((8, 8, 2))
    elastic[3, 3, 0] = 5.0
    change = transform(rows, spatial(elastic=elastic), size=64) - rows
    assert change.max() > 1.5
    # The support of a third-order B-spline is four meshes of 64 / 5 pixels.
    assert np.abs(change[56:]).max() < 1e-3
    assert np.abs(np.diff(change[:56], axis=0)).max() < 0.5


def test_mirror_padding_repeats_the_image_by_half_its_size(image):
    translated = spatial(translation=(12.0, 0.0))
    moved = transform(image, translated, padding="mirror")
    padded = np.pad(image, [(SIDE // 2, SIDE // 2), (0, 0)], mode="symmetric")
    np.testing.assert_allclose(moved, padded[SIDE // 2 - 12 : SIDE // 2 - 12 + SIDE], atol=1e-5)
    far = transform(image, spatial(translation=(24.0, 0.0)), padding="mirror")
    np.testing.assert_allclose(
        far[8:], np.pad(image, [(SIDE, 0), (0, 0)], mode="symmetric")[SIDE - 16 : 2 * SIDE - 24], atol=1e-5
    )
    assert (far[:8] == -1).all()


def test_channels_are_resampled_alike():
    colour = np.random.default_rng(5).normal(0, 1, (30, 44, 3)).astype(np.float32)
    parameters = draw_spatial(
        np.random.default_rng(6), specs.resolve("simulated", "paper", "smoke").augmentation, 1
    )
    sampling = make_sampling((30, 44), SIDE, parameters, "constant")
    result = resample_image(colour, sampling)
    assert result.shape == (SIDE, SIDE, 3)
    for channel in range(3):
        np.testing.assert_allclose(
            result[..., channel : channel + 1], resample_image(colour[..., channel : channel + 1], sampling)
        )
    assert (result[~sampling.inside] == -1).all()


def test_resampling_equals_interpolation_at_the_points_of_the_transform():
    image = np.random.default_rng(7).normal(0, 1, (30, 44)).astype(np.float32)
    labels = np.random.default_rng(8).integers(1, 9, (30, 44)).astype(np.uint16)
    angle, zoom, moved = 0.7, np.array([1.2, 0.8]), np.array([3.0, -4.0])
    parameters = spatial(rotation=angle, zoom=tuple(zoom), translation=tuple(moved), flip=(True, False))
    sampling = make_sampling(image.shape, SIDE, parameters, "mirror")
    # By hand, (y, x): flip, zoom and turn about the centre, translate, scale to image pixels.
    away = (np.stack(np.mgrid[:SIDE, :SIDE], axis=-1) - (SIDE - 1) / 2) * [-1, 1] / zoom
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = (np.array([30, 44]) - 1) / 2 + 44 / SIDE * (away @ turn.T - moved)
    expected = ndimage.map_coordinates(image, points.transpose(2, 0, 1), order=1, mode="reflect")
    reached = ((points >= [-15.5, -22.5]) & (points < [44.5, 65.5])).all(axis=-1)
    assert (~reached).any()
    # Beyond half an edge pixel scipy blends with the mirrored one; both are the same value.
    np.testing.assert_allclose(
        resample_image(image[..., None], sampling)[..., 0], np.where(reached, expected, -1), atol=1e-4
    )
    inside = ((points >= -0.5) & (points < [29.5, 43.5])).all(axis=-1)
    nearest = np.clip(np.floor(points + 0.5).astype(int), 0, [29, 43])
    np.testing.assert_array_equal(
        resample_labels(labels, sampling), np.where(inside, labels[nearest[..., 0], nearest[..., 1]], 0)
    )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_labels_move_with_the_image_and_are_never_mirrored(seed):
    spec = specs.resolve("simulated", "paper", "cpu").augmentation
    spec = dataclasses.replace(spec, translation=6.0, elastic_amplitude=2.0)
    parameters = draw_spatial(np.random.default_rng(seed), spec, 1)
    labels = np.kron(np.arange(1, 17).reshape(4, 4), np.ones((10, 12))).astype(np.uint16)
    sampling = make_sampling(labels.shape, SIDE, parameters, "mirror")
    moved = resample_labels(labels, sampling)
    assert set(np.unique(moved)) <= set(range(17))
    assert (moved[~sampling.inside] == 0).all()
    assert (moved[sampling.inside] > 0).all()
    image = resample_image(labels.astype(np.float32)[..., None], sampling)[..., 0]
    # Linear and nearest agree where the neighbourhood is flat.
    flat = sampling.inside & np.isclose(image, np.round(image), atol=1e-6)
    assert flat.mean() > 0.1 * sampling.inside.mean()
    agree = image[flat].round() == moved[flat]
    assert agree.mean() > 0.97


def test_shifts_are_whole_pixels_mirrored_for_images_and_zero_for_labels():
    frame = np.arange(1, 13).reshape(3, 4)
    np.testing.assert_array_equal(
        shift_frame(frame, np.array([1, -1]), mirror=False), [[0, 0, 0, 0], [2, 3, 4, 0], [6, 7, 8, 0]]
    )
    np.testing.assert_array_equal(shift_frame(frame, np.array([1, 0]), mirror=True)[0], frame[0])
    assert shift_frame(frame, np.array([0, 0]), mirror=True) is frame


def test_intensity_follows_the_formula():
    spec = specs.resolve("simulated", "released").augmentation
    parameters = draw_intensity(np.random.default_rng(3), spec, 4)
    clip = np.random.default_rng(4).uniform(-1, 1, (4, 5, 5, 1)).astype(np.float32)
    low, high = clip.min(), clip.max()
    expected = ((clip - low) / (high - low)) ** parameters.gamma * (high - low) + low
    expected = (expected + parameters.shift) * parameters.scale
    expected = (expected + parameters.frame_shift[:, None, None, None]) * parameters.frame_scale[
        :, None, None, None
    ]
    np.testing.assert_allclose(change_intensity(clip, parameters), expected, atol=1e-5)

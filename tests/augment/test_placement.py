"""Training windows lie where tiles lie at test time, anywhere in the image, and read only what they see."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosembed.augment import RawClip, make_augmenter
from cosembed.augment.parameters import IntensityParameters, SpatialParameters, draw_intensity, draw_spatial
from cosembed.augment.placement import place_clip, training_window
from cosembed.preprocessing.geometry import fit_frame, shape_of_test
from tests.helpers.builders import small_spec

SIDE = 32
STILL = {
    "translation": (0.0, 0.0), "flip": (False, False), "rotation": 0.0, "zoom": (1.0, 1.0),
    "elastic": np.zeros((8, 8, 2)), "shifts": np.zeros((1, 2), np.int64),
}  # fmt: skip
UNCHANGED = IntensityParameters(1.0, 0.0, 1.0, np.zeros(1), np.ones(1))
SCALES = [
    "inference.scale=0.5",
    "inference.scale=0.83",
    "inference.scale=1.7",
    "inference.size=[40, 72]",
    "inference.size=[32, 50]",
]


def raw_clip(frame, **changes):
    """A clip of one frame whose labels count its pixels."""
    shape = frame.shape[:2]
    return RawClip(
        frames=[frame],
        labels=(np.arange(shape[0] * shape[1]).reshape(1, *shape) + 1).astype(np.uint16),
        loss_mask=np.ones(shape, bool),
        spatial=SpatialParameters(**{**STILL, **changes}),
        intensity=UNCHANGED,
    )


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("zoom", [1.0, 0.9])
@pytest.mark.parametrize("augmenter", ["simpleitk", "graph"])
def test_a_window_that_is_not_augmented_is_a_tile_of_the_test(scale, zoom, augmenter):
    spec = small_spec(scale, f"preprocessing.test_zoom={zoom}")
    frame = np.random.default_rng(0).normal(0, 1, (90, 130, 1)).astype(np.float32)
    shape = shape_of_test((90, 130), spec)
    whole = fit_frame(frame, spec.preprocessing, shape)
    room = np.maximum(np.array(shape) - SIDE, 0)
    for corner in ([0, 0], room // 3, room):
        position = tuple(np.divide(2 * np.array(corner) - room, room, out=np.zeros(2), where=room > 0))
        (clip,) = make_augmenter(augmenter, spec)([raw_clip(frame, position=position)])
        rows, columns = (slice(int(start), int(start) + SIDE) for start in corner)
        np.testing.assert_allclose(clip.image[0], whole[rows, columns], rtol=0, atol=1e-4)


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(3, 150), st.integers(3, 150)),
    scale=st.sampled_from(SCALES),
)
def test_a_window_lies_in_the_image_before_it_is_turned(seed, shape, scale):
    spec = small_spec(scale)
    drawn = draw_spatial(np.random.default_rng(seed), spec.augmentation, 1)
    window = training_window(shape, spec)
    placed = place_clip(shape, SIDE, SpatialParameters(**{**STILL, "position": drawn.position}), window)
    corners = np.array([[-0.5, -0.5], [SIDE - 0.5, SIDE - 0.5]]) - (SIDE - 1) / 2
    low, high = corners @ placed.matrix.T + (SIDE - 1) / 2 + placed.translation
    for axis, side in enumerate((shape[1], shape[0])):
        if window.room[1 - axis]:
            assert low[axis] >= -0.5 - 1e-6 and high[axis] <= side - 0.5 + 1e-6
        else:
            assert low[axis] + high[axis] == pytest.approx(side - 1)


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(1, 150), st.integers(1, 150)),
    scale=st.sampled_from(SCALES),
)
def test_the_part_of_the_image_that_is_read_holds_every_point_seen(seed, shape, scale):
    spec = small_spec(scale)
    drawn = draw_spatial(np.random.default_rng(seed), spec.augmentation, 1)
    placed = place_clip(shape, SIDE, drawn, training_window(shape, spec))
    moves = np.random.default_rng(seed).choice([-1, 1], (SIDE, SIDE, 2)) * np.abs(drawn.elastic).max(
        axis=(0, 1)
    )
    points = np.stack(np.mgrid[:SIDE, :SIDE], axis=-1) + moves - (SIDE - 1) / 2
    points = points[..., ::-1] @ placed.matrix.T + (SIDE - 1) / 2 + placed.translation
    for axis, (side, part) in enumerate(((shape[1], placed.columns), (shape[0], placed.rows))):
        # As numpy mirrors, edge pixels are repeated.
        period = np.pad(np.arange(side), (0, side), mode="symmetric")
        for place in (np.floor(points[..., axis]), np.ceil(points[..., axis])):
            seen = period[place.astype(int) % (2 * side)]
            assert part.start <= seen.min() and seen.max() < part.stop
        assert 0 <= part.start < part.stop <= side


def test_windows_are_drawn_evenly_over_the_image():
    spec = small_spec("inference.size=[64, 128]")
    positions = np.array(
        [draw_spatial(np.random.default_rng(seed), spec.augmentation, 1).position for seed in range(2000)]
    )
    for axis in positions.T:
        counts, _ = np.histogram(axis, 10, (-1, 1))
        assert counts.sum() == 2000 and counts.min() > 140 and counts.max() < 260
    assert abs(np.corrcoef(positions.T)[0, 1]) < 0.07


def test_an_image_smaller_than_the_window_stays_in_its_middle_and_is_moved_as_without_tiles():
    small, tall = (
        training_window(shape, small_spec("inference.scale=1.0")) for shape in ((20, 30), (80, 30))
    )
    assert small.room == (0, 0) and tall.room == (24, 0)
    drawn = SpatialParameters(**{**STILL, "position": (0.5, 1.0), "translation": (3.0, -2.0)})
    np.testing.assert_allclose(place_clip((20, 30), SIDE, drawn, small).translation, [-1 + 2, -6 - 3])
    np.testing.assert_allclose(place_clip((80, 30), SIDE, drawn, tall).translation, [-1, 24 + 12])


@pytest.mark.parametrize("padding", ["mirror", "constant"])
@pytest.mark.parametrize("scale", SCALES)
def test_windows_are_the_same_in_either_augmenter(padding, scale):
    spec = small_spec(
        scale, f"preprocessing.padding={padding}", "augmentation.elastic_amplitude=3.0", recipe="released"
    )
    generator = np.random.default_rng(3)
    frame = generator.normal(0, 1, (70, 95, 1)).astype(np.float32)
    clips = [
        raw_clip(frame)._replace(
            labels=np.kron(generator.integers(0, 60, (1, 7, 10)), np.ones((1, 10, 10)))[..., :95].astype(
                np.uint16
            ),
            spatial=draw_spatial(generator, spec.augmentation, 1),
            intensity=draw_intensity(generator, spec.augmentation, 1),
        )
        for _ in range(6)
    ]
    pairs = zip(make_augmenter("simpleitk", spec)(clips), make_augmenter("graph", spec)(clips), strict=True)
    for ours, graph in pairs:
        np.testing.assert_allclose(graph.image, ours.image, rtol=0, atol=5e-5)
        assert (graph.labels == ours.labels).mean() >= 0.998
        assert (graph.loss_masks == ours.loss_masks).mean() >= 0.998


def test_cropped_frames_have_the_scale_and_place_of_whole_ones():
    whole = small_spec("inference.scale=0.8")
    cropped = dataclasses.replace(whole, preprocessing=dataclasses.replace(whole.preprocessing, crop=7))
    assert training_window((86, 126), cropped) == training_window((100, 140), whole)

"""Clips are a function of seed and index; the pipeline can start anywhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosembed.batches.clips import ClipSource, _frames_around, _Usable
from cosembed.batches.pipeline import batch_dataset
from cosembed.errors import DataError, SpecError
from cosembed.preprocessing.label_smoothing import smooth_labels
from tests.helpers.builders import make_sequence, moving_squares, small_spec


@pytest.fixture(scope="module")
def sequence():
    images, labels, _ = moving_squares(frames=8)
    return make_sequence(images, labels)


def same(first, second):
    return all(
        np.array_equal(getattr(first, name), getattr(second, name))
        for name in ("image", "labels", "instances", "background")
    )


def test_a_clip_has_the_promised_shapes_and_codes(sequence):
    spec = small_spec()
    (clip,) = ClipSource([sequence], spec, 1).clips(0)
    frames, side = spec.training.clip_length, spec.network.image_size
    assert clip.image.shape == (frames, side, side, 1)
    assert clip.image.dtype == np.float32
    assert clip.labels.shape == (frames, side, side)
    assert clip.instances.shape == (frames, side, side, spec.instances.maximum)
    assert clip.background.shape == (frames, side, side, 1)
    assert set(np.unique(clip.instances)) <= {0, 1, 2}
    for channel in range(spec.instances.maximum):
        assert len(np.unique(clip.labels[clip.instances[..., channel] == 1])) <= 1
    assert (clip.labels[clip.background[..., 0] == 2] > 0).all()
    assert (clip.labels[clip.background[..., 0] == 1] == 0).all()


@pytest.mark.parametrize("recipe", ["paper", "released"])
def test_clips_depend_on_seed_and_index_alone(sequence, recipe):
    spec = small_spec(recipe=recipe)
    first, again, other = (ClipSource([sequence], spec, seed) for seed in (5, 5, 6))
    # The order in which clips are asked for does not matter.
    late = again.clips(3)[0]
    for index in range(4):
        assert same(first.clips(index)[0], again.clips(index)[0])
    assert same(late, first.clips(3)[0])
    assert not same(first.clips(0)[0], first.clips(1)[0])
    assert not same(first.clips(0)[0], other.clips(0)[0])


def test_a_pipeline_that_starts_late_gives_the_same_batches(sequence):
    source = ClipSource([sequence], small_spec("training.batch_size=2"), 1)
    whole, tail = (list(batch_dataset(source, start, 5).as_numpy_iterator()) for start in (0, 3))
    assert len(whole) == 5
    for early, late in zip(whole[3:], tail, strict=True):
        for name in early:
            np.testing.assert_array_equal(early[name], late[name])
    assert whole[0]["image"].shape[0] == 2


def test_clips_stay_inside_segments_and_short_segments_shorten_them():
    images, labels, _ = moving_squares(frames=8)
    sequence = make_sequence(images, labels, segments=((2, 3), (5, 8)))
    source = ClipSource([sequence], small_spec("training.clip_length=5"), 1)
    lengths = {len(source.clips(index)[0].image) for index in range(40)}
    assert lengths == {1, 3}


def test_incomplete_frames_and_the_border_have_no_background_loss():
    images, labels, _ = moving_squares(frames=8)
    complete = np.zeros(8, bool)
    nothing = ClipSource([make_sequence(images, labels, complete=complete)], small_spec(), 1)
    assert not any(nothing.clips(index)[0].background.any() for index in range(5))
    mask = np.zeros(labels.shape[1:], bool)
    masked = ClipSource([make_sequence(images, labels, loss_mask=mask)], small_spec(), 1)
    assert not any(masked.clips(index)[0].background.any() for index in range(5))
    assert any(masked.clips(index)[0].instances.any() for index in range(5))


def test_nothing_is_learned_outside_the_image():
    images, labels, _ = moving_squares(frames=8)
    source = ClipSource(
        [make_sequence(images, np.ones_like(labels))], small_spec("augmentation.translation=20.0"), 1
    )
    for index in range(5):
        (clip,) = source.clips(index)
        outside = clip.labels == 0
        assert outside.any()
        assert not clip.background[outside].any()
        # ... though the image is mirrored there.
        assert (clip.image[outside] != -1).any()


def test_a_crop_removes_the_same_border_from_image_and_labels():
    images, labels, _ = moving_squares(frames=4)
    images[:, :6] = 60000
    labels[:] = 0
    labels[:, :6] = 9
    labels[:, 20:30, 20:30] = 1
    source = ClipSource([make_sequence(images, labels)], small_spec("preprocessing.crop=6"), 1)
    for index in range(5):
        assert 9 not in source.clips(index)[0].labels


def test_every_clip_of_a_batch_has_the_length_of_the_shortest():
    images, labels, _ = moving_squares(frames=8)
    sequence = make_sequence(images, labels, segments=((0, 1), (2, 8)))
    source = ClipSource([sequence], small_spec("training.batch_size=4", "training.clip_length=4"), 1)
    for index in range(10):
        assert len({len(clip.image) for clip in source.clips(index)}) == 1


def test_sequences_without_labels_are_refused():
    images, labels, _ = moving_squares()
    with pytest.raises(DataError, match=r"01.*no labelled frame"):
        ClipSource([make_sequence(images, labels * 0)], small_spec(), 1)
    with pytest.raises(DataError, match=r"01.*no labelled frame"):
        ClipSource([make_sequence(images, labels, segments=())], small_spec(), 1)


class Unreadable(list):
    def __getitem__(self, index):
        if index == 3:
            raise DataError("t003.tif: holds values that are not finite; replace them")
        return super().__getitem__(index)


def test_a_bad_frame_is_refused_before_training_starts():
    images, labels, _ = moving_squares(frames=8)
    with pytest.raises(DataError, match=r"t003\.tif.*not finite"):
        ClipSource([make_sequence(images, labels, frames=Unreadable(images))], small_spec(), 1)
    # A frame that no clip can contain is not read.
    ClipSource(
        [make_sequence(images, labels, frames=Unreadable(images), segments=((0, 3), (4, 8)))], small_spec(), 1
    )


def test_frames_and_network_must_have_the_same_channels():
    images, labels, _ = moving_squares(frames=4)
    colour = make_sequence(np.stack([images, images + 9, images + 99], axis=-1), labels)
    with pytest.raises(DataError, match=r"01, frame 0: has 3 channels.*network\.channels"):
        ClipSource([colour], small_spec(), 1)
    (clip,) = ClipSource([colour], small_spec("network.channels=3"), 1).clips(0)
    assert clip.image.shape[-1] == 3
    # Every channel by itself: offsets vanish in the normalisation.
    np.testing.assert_allclose(clip.image[..., 0], clip.image[..., 2], atol=1e-4)


@pytest.mark.parametrize("grid", [1, 3])
def test_an_elastic_grid_without_room_for_a_spline_is_refused(sequence, grid):
    with pytest.raises(SpecError, match=rf"augmentation\.elastic_grid is {grid}; .* 4 or more"):
        ClipSource([sequence], small_spec(f"augmentation.elastic_grid={grid}"), 1)


def test_more_draws_in_one_stream_do_not_shift_the_others(sequence):
    # The same geometry from 2 * 16 draws or from 2 * 64 of them.
    specs = [
        small_spec("augmentation.elastic_amplitude=0.0", f"augmentation.elastic_grid={grid}")
        for grid in (4, 8)
    ]
    few, many = (ClipSource([sequence], spec, 1) for spec in specs)
    assert all(same(few.clips(index)[0], many.clips(index)[0]) for index in range(4))


def numbered(frames, **changes):
    """Every pixel of frame t has label t + 1."""
    labels = np.repeat(np.arange(1, frames + 1, dtype=np.uint16), 40 * 48).reshape(frames, 40, 48)
    return make_sequence(moving_squares(frames)[0], labels, **changes)


def frame_numbers(clip):
    """Which frames of a numbered sequence a clip shows, from its centre pixels."""
    middle = clip.labels.shape[1] // 2
    return [int(label) - 1 for label in clip.labels[:, middle, middle]]


def test_clips_are_consecutive_and_every_frame_is_drawn_even_where_a_batch_is_shortened():
    sequence = numbered(8, segments=((0, 1), (2, 8)))
    spec = small_spec("training.batch_size=4", "training.clip_length=4", "augmentation.translation=0.0")
    source = ClipSource([sequence], spec, 1)
    shown = {}
    for index in range(60):
        for clip in source.clips(index):
            frames = frame_numbers(clip)
            assert frames == list(range(frames[0], frames[0] + len(frames)))
            assert frames == [0] or (frames[0] >= 2 and frames[-1] < 8)
            shown.setdefault(len(frames), set()).update(frames)
    # A batch with the one-frame segment has clips of one frame, which is the drawn one: any.
    assert shown == {1: {0, 2, 3, 4, 5, 6, 7}, 4: {2, 3, 4, 5, 6, 7}}


def test_flags_of_completeness_belong_to_the_frames_shown():
    complete = np.array([True, False, False, True, False, True, True, False])
    source = ClipSource([numbered(8, complete=complete)], small_spec("augmentation.translation=0.0"), 1)
    for index in range(12):
        (clip,) = source.clips(index)
        assert clip.background.any(axis=(1, 2, 3)).tolist() == complete[frame_numbers(clip)].tolist()


DRIFTING = ("augmentation.drift=8.0", "augmentation.jiggle=3.0")


def test_the_loss_mask_moves_with_the_labels():
    images, labels, _ = moving_squares(frames=8)
    mask = labels[0] > 0
    sequence = make_sequence(images, np.broadcast_to(mask, labels.shape).astype(np.uint16), loss_mask=mask)
    source = ClipSource([sequence], small_spec(*DRIFTING, recipe="released"), 1)
    for index in range(8):
        (clip,) = source.clips(index)
        # Inside the mask all is foreground; outside there is no loss.
        np.testing.assert_array_equal(clip.background[..., 0], 2 * (clip.labels > 0))


def test_image_and_labels_move_together_frame_by_frame():
    labels = np.zeros((8, 40, 48), np.uint16)
    labels[:, 8:32, 6:22] = 1
    labels[:, 4:18, 30:44] = 2
    images = 1000 * (labels > 0) + 100
    plain = [f"augmentation.{name}=0.0" for name in ("shift", "scale", "gamma", "frame_shift", "frame_scale")]
    spec = small_spec(*DRIFTING, *plain, "preprocessing.smoothing_sigma=0.0", recipe="released")
    source = ClipSource([make_sequence(images, labels)], spec, 1)
    for index in range(8):
        (clip,) = source.clips(index)
        inside = clip.background[..., 0] > 0
        agree = (clip.image[..., 0] > 0) == (clip.labels > 0)
        # Linear and nearest interpolation differ on outlines only.
        assert all(agree[frame][inside[frame]].mean() > 0.96 for frame in range(len(agree)))


def test_training_labels_are_smoothed_on_the_grid_of_the_network(sequence):
    plain, smooth = (
        ClipSource([sequence], small_spec(f"preprocessing.label_smoothing={sigma}"), 1)
        for sigma in (0.0, 1.5)
    )
    (before,), (after,) = plain.clips(0), smooth.clips(0)
    np.testing.assert_array_equal(after.labels, [smooth_labels(frame, 1.5) for frame in before.labels])
    assert (after.labels != before.labels).any()
    np.testing.assert_array_equal(after.image, before.image)


def test_clips_are_drawn_around_frames_with_masks_so_many_times_as_often():
    images, labels, _ = moving_squares(frames=8)
    segmented = np.isin(np.arange(8), [2, 6])
    sequence = make_sequence(images, labels, segmented=segmented)
    source = ClipSource([sequence, sequence], small_spec("training.segmented_weight=5"), 1)
    # Every frame of either video once, and its two frames with masks four times more.
    assert len(source._drawn) == 2 * (8 + 2 * 4)
    assert [entry.frame for entry in source._drawn[:8]] == [0, 1, 2, 2, 2, 2, 2, 3]


@settings(max_examples=100, deadline=None)
@given(
    frame=st.integers(0, 19), length=st.integers(1, 12), before=st.integers(0, 12), seed=st.integers(0, 10**6)
)
def test_a_clip_begins_before_its_frame_unless_the_video_begins_there(frame, length, before, seed):
    entry = _Usable(0, 3, 20, max(frame, 3))
    clip = _frames_around(entry, length, before, np.random.default_rng(seed))
    assert len(clip) == length and entry.frame in clip
    assert clip.start >= 3 and clip.stop <= 20
    assert entry.frame - clip.start >= min(before, length - 1) or clip.start == 3


def test_the_place_of_the_frame_in_its_clip_is_uniform_from_the_second_on():
    entry = _Usable(0, 0, 100, 50)
    generator = np.random.default_rng(4)
    places = [50 - _frames_around(entry, 8, 1, generator).start for _ in range(7000)]
    counts = np.bincount(places, minlength=8)
    assert counts[0] == 0 and len(counts) == 8
    assert counts[1:].min() > 880 and counts[1:].max() < 1120

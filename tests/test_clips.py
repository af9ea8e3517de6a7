"""Clips are a function of seed and index; the pipeline can start anywhere."""

import numpy as np
import pytest
from builders import make_sequence, moving_squares, small_spec

from cosembed.data.clips import ClipSource, clip_dataset
from cosembed.errors import DataError


@pytest.fixture(scope="module")
def sequence():
    images, labels, _ = moving_squares(frames=8)
    return make_sequence(images, labels)


def same(first, second):
    return all(
        np.array_equal(getattr(first, name), getattr(second, name)) for name in ("image", "labels", "instances", "background")
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
    whole, tail = (list(clip_dataset(source, start, 5).as_numpy_iterator()) for start in (0, 3))
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
    source = ClipSource([make_sequence(images, np.ones_like(labels))], small_spec("augmentation.translation=20.0"), 1)
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

"""Training clips of the heart: they wrap around, keep frames and labels together, mark what has no label."""

import numpy as np
import pytest

from cosembed import specs
from cosembed.batches.heart_clips import HeartClipSource, labels_per_step
from cosembed.batches.pipeline import batch_dataset
from cosembed.datasets.heart.slices import HeartSlice
from cosembed.errors import DataError
from cosembed.preprocessing.label_values import UNLABELLED

STILL = (
    "augmentation.shift=0", "augmentation.scale=0", "augmentation.translation=0", "augmentation.rotation=0",
    "augmentation.zoom=0", "augmentation.elastic_amplitude=0", "preprocessing.lower_percentile=0",
    "preprocessing.upper_percentile=100",
)  # fmt: skip


def spec_of(*overrides):
    return specs.resolve_as(
        specs.HeartSpec, "ACDC-cine", "paper", "smoke", specs.parse_assignments(overrides)
    )


def beating(frames=7, labelled=(0, 3), side=32, patient="a"):
    """Every frame holds a ring whose cavity shrinks, and a bar whose place tells the frame's number."""
    rows, columns = np.mgrid[:side, :side]
    distance = np.hypot(rows - side / 2, columns - side / 2)
    labels = np.zeros((frames, side, side), np.uint8)
    images = np.zeros((frames, side, side), np.float32)
    for time in range(frames):
        labels[time][distance < 11] = 1
        labels[time][distance < 7 - 0.5 * time] = 2
        images[time] = 100 * labels[time]
        images[time, time] = 300
    marks = np.isin(np.arange(frames), labelled)
    return HeartSlice(patient, 2, images, np.where(marks[:, None, None], labels, 0).astype(np.uint8), marks)


def test_a_clip_shows_consecutive_frames_of_the_heartbeat_and_wraps_around():
    source = HeartClipSource([beating()], spec_of("training.clip_length=5", *STILL), 1)
    seen = set()
    for index in range(40):
        batch = source.batch(index)
        assert batch["image"].shape == (1, 5, 32, 32, 1) and batch["classes"].shape == (1, 5, 32, 32)
        times = [int(frame[:10, :, 0].mean(axis=1).argmax()) for frame in batch["image"][0]]
        assert times == [(times[0] + step) % 7 for step in range(5)]
        labelled = [not (classes == UNLABELLED).all() for classes in batch["classes"][0]]
        assert labelled == [time in (0, 3) for time in times] and any(labelled)
        for time, classes in zip(times, batch["classes"][0], strict=True):
            if time in (0, 3):
                np.testing.assert_array_equal(classes, beating().labels[time])
        seen.add(times[0])
    # Clips that begin at 4, 5 or 6 go round the end; one that begins at 1 ends at 5.
    assert seen == set(range(7))


def test_a_clip_longer_than_the_heartbeat_goes_round_again():
    (clip,) = HeartClipSource(
        [beating(frames=3, labelled=(1,))], spec_of("training.clip_length=8", *STILL), 1
    ).batch(0)["image"]
    np.testing.assert_array_equal(clip[0], clip[3])
    np.testing.assert_array_equal(clip[1], clip[7])


def test_single_frames_are_labelled_ones_drawn_independently():
    spec = spec_of("training.clip_length=1", "training.batch_size=12", "network.recurrent=false")
    batch = HeartClipSource([beating(), beating(patient="b")], spec, 1).batch(0)
    assert batch["image"].shape == (12, 1, 32, 32, 1)
    assert not (batch["classes"] == UNLABELLED).any()
    assert len({image.tobytes() for image in batch["image"]}) == 12


def test_outside_the_image_is_0_and_background():
    spec = spec_of("augmentation.translation=20", "augmentation.shift=0", "augmentation.scale=0")
    slices = [
        HeartSlice(
            "a", 0, np.full((1, 32, 32), 5.0) + np.eye(32), np.ones((1, 32, 32), np.uint8), np.ones(1, bool)
        )
    ]
    batch = HeartClipSource(slices, spec, 3).batch(0)
    outside = batch["classes"] == 0
    assert 0.05 < outside.mean() < 0.95
    np.testing.assert_array_equal(batch["image"][..., 0][outside], 0)


def test_batches_repeat_and_the_pipeline_may_start_anywhere():
    source = HeartClipSource([beating()], spec_of(), 5)
    whole, tail = (list(batch_dataset(source, start, 4).as_numpy_iterator()) for start in (0, 2))
    for first, second in zip(whole[2:], tail, strict=True):
        for name in first:
            np.testing.assert_array_equal(first[name], second[name])
    other = HeartClipSource([beating()], spec_of(), 6).batch(0)
    assert not np.array_equal(whole[0]["image"], other["image"])


def counted_by_hand(slices, batch_size, length):
    """Every labelled frame at every place of its clip, one after the other."""
    counts = [
        sum(item.labelled[(frame - place + step) % len(item.labelled)] for step in range(length))
        for item in slices
        for frame in range(len(item.labelled))
        if item.labelled[frame]
        for place in range(length)
    ]
    return batch_size * sum(counts) / len(counts)


@pytest.mark.parametrize(
    ("hearts", "length"),
    [
        ([(7, (0, 3))], 5),
        ([(7, (0, 3))], 1),
        ([(9, (8,)), (6, (0, 1, 5)), (4, range(4))], 3),
        ([(3, (1,)), (2, ())], 8),
        ([(10, range(10)), (12, range(12))], 10),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 4])
def test_labels_per_step_are_the_mean_over_all_draws(hearts, length, batch_size):
    slices = [beating(frames, tuple(labelled), side=12) for frames, labelled in hearts]
    spec = spec_of(f"training.clip_length={length}", f"training.batch_size={batch_size}")
    assert labels_per_step([item.labelled for item in slices], spec) == pytest.approx(
        counted_by_hand(slices, batch_size, length)
    )


def test_labels_per_step_are_what_batches_hold_on_average():
    slices = [beating(9, (0, 3, 4)), beating(5, (2,))]
    spec = spec_of("training.clip_length=4", "training.batch_size=2", *STILL)
    source = HeartClipSource(slices, spec, 1)
    counts = [
        sum(not (frame == UNLABELLED).all() for clip in source.batch(index)["classes"] for frame in clip)
        for index in range(300)
    ]
    error = np.std(counts) / np.sqrt(len(counts))
    assert np.mean(counts) == pytest.approx(
        labels_per_step([item.labelled for item in slices], spec), abs=3 * error
    )


def test_slices_without_a_labelled_frame_are_refused():
    with pytest.raises(DataError, match=r"a, slice 2: no labelled frame"):
        HeartClipSource([beating(labelled=())], spec_of(), 1)

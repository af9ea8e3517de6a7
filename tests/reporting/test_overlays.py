"""Labels, embeddings and errors are shown in colours that a person can tell apart."""

import imagecodecs
import numpy as np
import pytest

from cosembed.reporting.overlays import (
    ERROR_COLOURS,
    colour_labels,
    embedding_rgb,
    encode_png,
    error_key,
    error_overlay,
    label_key,
    overlay,
    stretch,
    training_picture,
)


def test_labels_have_stable_distinct_colours_on_black():
    labels = np.arange(11).reshape(1, 11)
    colours = colour_labels(labels)
    assert (colours[0, 0] == 0).all()
    assert len({tuple(colour) for colour in colours.reshape(-1, 3)}) == 11
    np.testing.assert_array_equal(colour_labels(labels.T).transpose(1, 0, 2), colours)


def test_pictures_have_the_promised_form():
    frame = np.random.default_rng(1).integers(0, 60000, (20, 30)).astype(np.uint16)
    labels = np.zeros((20, 30), np.uint16)
    labels[5:10, 5:10] = 3
    assert stretch(frame).dtype == np.uint8
    assert stretch(np.zeros((3, 3))).max() == 0
    tinted = overlay(frame, labels)
    assert tinted.shape == (20, 30, 3)
    np.testing.assert_array_equal(tinted[0, 0], np.repeat(stretch(frame)[0, 0], 3))
    np.testing.assert_array_equal(embedding_rgb(np.array([[[-1.0, 0.0, 1.0, 9.0]]])), [[[0, 127, 255]]])
    np.testing.assert_array_equal(imagecodecs.png_decode(encode_png(tinted)), tinted)
    picture = training_picture(np.zeros((3, 8, 8, 1)), np.ones((3, 8, 8, 2)), np.ones((3, 8, 8), np.uint16))
    assert picture.shape == (24, 24, 3)


def test_errors_are_told_apart():
    frame = np.zeros((6, 30))
    truth, prediction = np.zeros((2, 6, 30), np.uint16)
    truth[:, 0:4], prediction[:, 0:4] = 1, 7
    truth[:, 5:9] = 2
    prediction[:, 10:13] = 8
    truth[:, 14:17], truth[:, 17:20], prediction[:, 14:20] = 3, 4, 9
    truth[:, 21:27], prediction[:, 21:24], prediction[:, 24:27] = 5, 10, 11
    picture, counts = error_overlay(frame, prediction, truth)
    assert counts == {"correct": 1, "missed": 1, "false": 1, "merged": 1, "split": 1}
    hues = np.array(list(ERROR_COLOURS.values())) / np.sum(
        list(ERROR_COLOURS.values()), axis=1, keepdims=True
    )
    regions = {"correct": (0, 4), "missed": (5, 9), "false": (10, 13), "merged": (14, 20), "split": (21, 27)}
    for kind, columns in regions.items():
        region = picture[:, slice(*columns)].reshape(-1, 3)
        brightest = region[region.sum(axis=1).argmax()]
        assert list(ERROR_COLOURS)[np.abs(hues - brightest / brightest.sum()).sum(axis=1).argmin()] == kind


def test_the_key_shows_what_the_overlay_paints():
    """On a black frame, whose tint is 0.45 of the colour."""
    truth, nothing = np.ones((40, 40), np.uint16), np.zeros((40, 40), np.uint16)
    for kind, prediction, wanted in (
        ("missed", nothing, truth),
        ("false", truth, nothing),
        ("correct", truth, truth),
    ):
        picture, _ = error_overlay(np.zeros((40, 40)), prediction, wanted)
        key = error_key()[kind]
        size = len(key) - 4
        np.testing.assert_allclose(picture[4 : size + 4, 4 : size + 4], 0.45 * key[4:, 4:], atol=1)
    np.testing.assert_array_equal(label_key(3), colour_labels(np.full((len(label_key(3)),) * 2, 3)))


def test_stripes_of_large_pictures_are_wider():
    picture, _ = error_overlay(
        np.zeros((4, 960)), np.ones((4, 960), np.uint16), np.zeros((4, 960), np.uint16)
    )
    bright = picture[1, 1:-1].max(axis=-1) > picture[1, 1:-1].max() / 1.5
    assert np.flatnonzero(np.diff(bright.astype(int))).tolist()[:3] == pytest.approx([8, 18, 28], abs=1)


def test_errors_differ_not_by_hue_alone():
    truth, nothing = np.ones((32, 32), np.uint16), np.zeros((32, 32), np.uint16)
    looks = {}
    for kind, prediction, wanted in (
        ("missed", nothing, truth),
        ("false", truth, nothing),
        ("correct", truth, truth),
    ):
        picture, _ = error_overlay(np.zeros((32, 32)), prediction, wanted)
        inner = picture[4:-4, 4:-4].max(axis=-1)
        looks[kind] = inner > inner.mean()
    assert not looks["correct"].any()
    assert looks["false"].mean() == looks["missed"].mean() == 0.5
    np.testing.assert_array_equal(looks["missed"][1:, 1:], looks["missed"][:-1, :-1])
    np.testing.assert_array_equal(looks["false"][1:, :-1], looks["false"][:-1, 1:])

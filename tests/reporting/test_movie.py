"""A movie is bounded in length, size and memory, and a label keeps its colour."""

import io

import numpy as np
import pytest
from PIL import Image

from cosembed.reporting import movie
from cosembed.reporting.overlays import TINT, colour_labels
from cosembed.reporting.panels import resized


@pytest.mark.parametrize("count", [1, 2, 120, 121, 2000])
def test_a_movie_has_a_bounded_number_of_frames(count):
    shown = movie.movie_frames(count)
    assert shown[0] == 0 and len(shown) <= movie.MAX_FRAMES
    assert len(shown) == count or len(shown) > movie.MAX_FRAMES / 2


def test_a_movie_is_bounded_in_size_and_made_frame_by_frame():
    made = []

    def pictures():
        for number in range(3):
            made.append(number)
            frame = np.zeros((700, 1400, 2), np.uint16)
            frame[100 * number : 100 * number + 50] = 999
            yield movie.movie_picture(frame, np.eye(700, 1400, dtype=np.uint16), f"{number}")

    iterator = pictures()
    next(iterator)
    assert made == [0]
    with Image.open(io.BytesIO(movie.encode_gif(iterator))) as gif:
        assert gif.size == (480, 240) and gif.n_frames == 2 and gif.info["loop"] == 0
    assert movie.movie_picture(np.eye(30), np.zeros((30, 30), np.uint16), "").size == (300, 300)
    assert movie.movie_picture(np.eye(900, 5), np.zeros((900, 5), np.uint16), "").size == (3, 480)


def test_a_label_has_the_same_colour_in_every_picture_of_a_movie():
    labels = np.zeros((300, 300), np.uint16)
    labels[100:200, 100:200] = 3
    seen = []
    for others in (0, np.arange(300) // 20 + 4):
        crowd = np.where(labels == 0, others, labels).astype(np.uint16)
        picture = np.asarray(movie.movie_picture(np.eye(300), crowd, "").convert("RGB"), int)
        np.testing.assert_allclose(picture[150, 120], TINT * colour_labels(labels)[150, 120], atol=12)
        seen.append(picture[150, 120].tolist())
    assert seen[0] == seen[1]


@pytest.mark.parametrize("shape", [(40, 48), (300, 200), (700, 1100), (481, 30), (960, 961)])
def test_labels_as_small_as_they_are_shown_give_the_same_picture(shape):
    generator = np.random.default_rng(0)
    blocks = generator.integers(0, 9, (10, 12)).repeat(100, axis=0).repeat(100, axis=1)
    labels = blocks[: shape[0], : shape[1]]
    frame = generator.integers(0, 999, shape)
    small = resized(labels, movie.shown_shape(shape))
    assert small.shape == movie.shrink(frame).shape
    whole, reduced = (np.asarray(movie.movie_picture(frame, given, "7")) for given in (labels, small))
    np.testing.assert_array_equal(whole, reduced)

"""What the viewers of a report are given is the video: its labels, its cells' rows, and all of its tracks."""

import base64
import zlib

import numpy as np
import pytest
from scipy import ndimage

from cosembed.datasets.ctc.track_table import Track
from cosembed.reporting import movie
from cosembed.reporting.colours import label_colours
from cosembed.reporting.panels import resized
from cosembed.reporting.player import lineage_viewer, movie_viewer, pack_frame
from cosembed.simulation import simulate_video


def unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), kind)


@pytest.mark.parametrize("shape", [(60, 90), (700, 500)])
def test_a_frame_of_the_movie_holds_its_labels_and_the_row_of_every_cell(shape):
    generator = np.random.default_rng(1)
    blocks = generator.choice([0, 0, 3, 7, 65_535, 40_000], (7, 9)).astype(np.uint16)
    labels = resized(blocks, shape)
    frame = ndimage.gaussian_filter(generator.normal(size=shape), 4)
    packed = pack_frame(12, frame, labels)
    viewer = movie_viewer([packed], shape, label_colours([labels]), "cells", "A movie.")
    (data,) = viewer.data["frames"]
    size = (viewer.data["height"], viewer.data["width"])
    assert data["number"] == 12 and size == movie.shown_shape(shape)
    np.testing.assert_array_equal(unpacked(data["labels"], "<u2").reshape(size), resized(labels, size))
    np.testing.assert_array_equal(packed.label_map(), resized(labels, size))
    found = {row[0]: row[1:] for row in unpacked(data["cells"], "<u4").reshape(4, -1).T.tolist()}
    assert set(found) == set(np.unique(labels[labels > 0]).tolist())
    for label, (area, y, x) in found.items():
        pixels = np.argwhere(labels == label)
        assert area == len(pixels)
        np.testing.assert_allclose([y / 100, x / 100], pixels.mean(axis=0), atol=0.006)
    # The factors lead from a place in the picture to one in the video.
    np.testing.assert_allclose(np.multiply(viewer.data["factor"], size), shape)
    grey = packed.grey()
    assert grey.shape == size and grey.min() < 20 and grey.max() > 235
    assert dict(viewer.data["colours"]) == label_colours([labels])


def test_a_frame_without_cells_can_be_packed():
    packed = pack_frame(0, np.zeros((20, 30)), np.zeros((20, 30), np.uint16))
    assert zlib.decompress(packed.cells) == b"" and not packed.label_map().any()


def test_the_movie_of_a_long_and_noisy_video_takes_a_few_megabytes():
    video = simulate_video(frames=1, size=480, cells=120, difficulty=2, seed=2)
    packed = pack_frame(0, video.images[0], video.labels[0])
    size = len(packed.image) + len(packed.labels) + len(packed.cells)
    assert movie.MAX_FRAMES * size * 4 / 3 < 6e6, "in base64"


def test_the_lineage_holds_all_tracks_in_the_order_of_their_rows():
    tracks = [
        *(Track(1, 0, 4, 0), Track(2, 5, 9, 1), Track(3, 5, 9, 1)),
        *(Track(4, 0, 2, 77), Track(5, 4, 9, 4)),
    ]
    viewer = lineage_viewer(tracks, range(0, 10), "cells", "5 tracks.", {1: 10.4, 2: 7.6})
    assert viewer.data["frames"] == [0, 9]
    assert viewer.data["tracks"] == [
        [2, 5, 9, 1, 8, 1],
        [1, 0, 4, 0, 10, 0],
        [3, 5, 9, 1, None, 1],
        [4, 0, 2, 0, None, 0],
        [5, 4, 9, 4, None, 0],
    ]

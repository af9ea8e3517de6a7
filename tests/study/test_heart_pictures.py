"""Pictures of a heartbeat: which frames are shown, where the truth is drawn, and the cavity's area."""

import io

import numpy as np
import pytest
from PIL import Image

from cosembed.datasets.heart.slices import HeartSlice
from cosembed.reporting import figures
from cosembed.reporting.overlays import overlay
from cosembed.reporting.panels import GAP
from cosembed.study.tasks.heart_pictures import (
    MOVIE_SIDE,
    cavity_curves,
    frame_panels,
    frames_to_see,
    heartbeat_movie,
)

SIDE = 30


def beating(areas, labelled=None):
    """A slice whose true cavity has so many pixels in every frame, below a row of myocardium."""
    frames = len(areas)
    labels = np.zeros((frames, SIDE, SIDE), np.uint8)
    labels[:, 0] = 1
    for time, area in enumerate(areas):
        labels[time, 1:].reshape(-1)[:area] = 2
    marks = np.isin(np.arange(frames), range(frames) if labelled is None else labelled)
    images = np.random.default_rng(1).normal(0, 1, labels.shape).astype(np.float32)
    return HeartSlice("a", 0, images, np.where(marks[:, None, None], labels, 0).astype(np.uint8), marks)


@pytest.mark.parametrize(
    ("areas", "labelled", "expected"),
    [
        ([9, 7, 5, 3, 1, 4, 6, 8], None, {"end-diastole": 0, "between": 2, "end-systole": 4}),
        # The beat goes round its end: from 6 by 7 and 0 to 1.
        ([4, 1, 3, 5, 6, 7, 9, 8], None, {"end-diastole": 6, "between": 7, "end-systole": 1}),
        # Two labelled frames, as ACDC has: the one between them is shown without a truth.
        ([9, 1, 1, 1, 5, 1], (0, 4), {"end-diastole": 0, "between": 2, "end-systole": 4}),
        ([9, 4], None, {"end-diastole": 0, "end-systole": 1}),
        ([5, 5, 5], (1,), {"end-diastole": 1}),
        ([0], None, {"end-diastole": 0}),
    ],
)
def test_the_ends_of_a_heartbeat_and_a_frame_between_are_shown(areas, labelled, expected):
    found = frames_to_see(beating(areas, labelled))
    assert found == expected
    assert list(found) == list(expected)


def test_truth_is_drawn_where_it_is_known():
    cine = beating([9, 5, 2], (0, 2))
    ours = {"recurrent": np.roll(beating([9, 5, 2]).labels, 3, axis=1)}
    known, unknown = frame_panels(cine, ours, 2), frame_panels(cine, ours, 1)
    assert list(known) == ["input", "truth", "recurrent"] and list(unknown) == ["input", "recurrent"]
    np.testing.assert_array_equal(known["truth"], overlay(cine.frames[2], cine.labels[2]))
    np.testing.assert_array_equal(unknown["recurrent"], overlay(cine.frames[1], ours["recurrent"][1]))


def test_the_movie_shows_every_frame_of_the_beat_with_all_networks_side_by_side():
    cine = beating([9, 5, 2, 4], (0, 2))
    networks = {name: np.zeros_like(cine.labels) for name in ("recurrent", "non-recurrent")}
    networks["non-recurrent"][:, 10:20] = 2
    movie = Image.open(io.BytesIO(heartbeat_movie(cine, networks)))
    width = MOVIE_SIDE
    assert movie.n_frames == 4 and movie.size == (4 * width + 3 * GAP, width)
    panels = []
    for time in range(4):
        movie.seek(time)
        picture = np.asarray(movie.convert("RGB"), int)
        # The middle of every panel: the title is in the corner of the first.
        panels.append([picture[40:, start : start + width] for start in range(0, 4 * width, width + GAP)])
    for time, (image, truth, recurrent, other) in enumerate(panels):
        np.testing.assert_array_equal(image, recurrent)
        assert (other != image).any()
        grey = (image.max(axis=-1) == image.min(axis=-1)).all()
        assert grey and not (other.max(axis=-1) == other.min(axis=-1)).all()
        # Nothing is drawn as the truth of an unlabelled frame.
        if time in (1, 3):
            np.testing.assert_array_equal(truth, image)
    assert (panels[0][0] != panels[1][0]).any()


def test_curves_hold_the_cavitys_area_and_a_gap_where_the_truth_is_not_known(monkeypatch):
    drawn = {}
    monkeypatch.setattr(figures, "areas_over_time", lambda areas: drawn.update(areas) or b"")
    areas = [9, 5, 2, 4]
    cavity_curves(beating(areas, (0, 2)), {"recurrent": beating([8, 4, 1, 3]).labels})
    assert list(drawn) == ["truth", "recurrent"]
    np.testing.assert_array_equal(drawn["truth"], [9, np.nan, 2, np.nan])
    np.testing.assert_array_equal(drawn["recurrent"], [8, 4, 1, 3])
